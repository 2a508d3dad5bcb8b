// All conversations, kept in the browser: a list, and one entry of localStorage per conversation. Other tabs are heard.
import { forget, isObject, load, save } from "../lib/storage.ts";
import { type Conversation, DEFAULT_SETTINGS, isConversation, newConversation } from "./conversation.ts";

interface Summary {
  id: string;
  title: string;
  updatedAt: number;
}

const LIST = "chats";
const MAX_KEPT = 200;
const isList = (value: unknown) =>
  Array.isArray(value) && value.every((it) => isObject(it) && typeof it.id === "string" && typeof it.title === "string");

class ConversationStore {
  list = $state<Summary[]>(load<Summary[]>(LIST, [], isList));
  current = $state<Conversation>(newConversation());
  full = $state(false); // the browser has no room for more
  #open = new Map<string, Conversation>(); // answers go on growing in conversations that are not shown

  constructor() {
    const last = this.list[0];
    if (last) this.open(last.id);
    addEventListener("storage", (event) => {
      if (event.key === `twostroke.${LIST}`) this.list = load<Summary[]>(LIST, [], isList);
    });
  }

  open(id: string) {
    const known = this.#open.get(id) ?? this.#read(id);
    if (known) this.current = known;
    this.#open.set(this.current.id, this.current);
    this.current = this.#open.get(this.current.id)!;
  }

  create() {
    if (this.current.messages.length === 0) return;
    this.current = newConversation($state.snapshot(this.current.settings));
  }

  remove(id: string) {
    forget(`chat.${id}`);
    this.#open.delete(id);
    this.list = this.list.filter((it) => it.id !== id);
    this.#saveList();
    if (this.current.id !== id) return;
    const next = this.list[0];
    if (next) this.open(next.id);
    else this.current = newConversation();
  }

  rename(id: string, title: string) {
    const entry = this.list.find((it) => it.id === id);
    if (!entry || title.trim() === "") return;
    entry.title = title.trim().slice(0, 120);
    if (this.current.id === id) {
      this.current.title = entry.title;
      this.save(this.current);
    } else {
      const stored = this.#read(id);
      if (stored) save(`chat.${id}`, { ...stored, title: entry.title });
      this.#saveList();
    }
  }

  /** After every change that must not be lost. */
  save(conversation: Conversation) {
    if (conversation.messages.length === 0 && !this.list.some((it) => it.id === conversation.id)) return;
    this.#open.set(conversation.id, conversation);
    conversation.updatedAt = Date.now();
    const { id, title, updatedAt } = conversation;
    this.list = [{ id, title, updatedAt }, ...this.list.filter((it) => it.id !== id)];
    while (this.list.length > MAX_KEPT) forget(`chat.${this.list.pop()!.id}`);
    this.full = !save(`chat.${id}`, $state.snapshot(conversation)) || !this.#saveList();
  }

  #saveList(): boolean {
    return save(LIST, $state.snapshot(this.list));
  }

  #read(id: string): Conversation | undefined {
    const stored = load<Conversation | undefined>(`chat.${id}`, undefined, isConversation);
    if (!stored) return undefined;
    for (const message of stored.messages) settle(message.run);
    const conversation = $state({ ...stored, settings: { ...DEFAULT_SETTINGS, ...stored.settings } });
    return conversation;
  }
}

// A run that was under way when the page was closed is over.
function settle(run: Conversation["messages"][number]["run"]) {
  if (!run || run.endMs !== undefined) return;
  run.endMs = run.lastTokenMs ?? run.progress.at(-1)?.atMs ?? 0;
  run.state = "stopped";
}

export const conversations = new ConversationStore();
