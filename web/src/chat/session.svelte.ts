// Sends a conversation to the server and lets the answer grow in it. One answer at a time per conversation.
import { ApiError, streamJson } from "../lib/api.ts";
import { addProgress, addToken, newRun, type Run } from "../lib/run.ts";
import { server } from "../lib/server.svelte.ts";
import type { ChatChunk, ToolCallDelta } from "../lib/types.ts";
import { type AttachedDocument, type Conversation, type Message, newId, requestBody, titleOf } from "./conversation.ts";
import { conversations } from "./store.svelte.ts";

class ChatSession {
  #running = $state<Record<string, { controller: AbortController; sentAt: number }>>({});

  /** performance.now() of the request that runs in this conversation. */
  sentAt(conversation: Conversation): number | undefined {
    return this.#running[conversation.id]?.sentAt;
  }

  isRunning(conversation: Conversation): boolean {
    return this.#running[conversation.id] !== undefined;
  }

  stop(conversation: Conversation) {
    this.#running[conversation.id]?.controller.abort();
  }

  /** Appends the user's message and asks for the answer. */
  async send(conversation: Conversation, text: string, documents: AttachedDocument[] = []) {
    if (this.isRunning(conversation)) return;
    conversation.messages.push({ id: newId(), role: "user", text, ...(documents.length > 0 ? { documents } : {}) });
    if (conversation.title === "") conversation.title = titleOf(text) || documents[0]?.title || "New conversation";
    await this.answer(conversation);
  }

  /** Replaces a message of the user, and everything after it. */
  async resend(conversation: Conversation, messageId: string, text: string) {
    if (this.isRunning(conversation)) return;
    const at = conversation.messages.findIndex((it) => it.id === messageId);
    if (at < 0) return;
    conversation.messages[at]!.text = text;
    conversation.messages.length = at + 1;
    await this.answer(conversation);
  }

  /** Asks again for the answer `messageId`, which goes away with everything after it. */
  async again(conversation: Conversation, messageId: string) {
    if (this.isRunning(conversation)) return;
    const at = conversation.messages.findIndex((it) => it.id === messageId);
    if (at < 0) return;
    conversation.messages.length = at;
    await this.answer(conversation);
  }

  /** What a tool said; when every call of the last answer has its result, the model goes on. */
  async toolResult(conversation: Conversation, callId: string, text: string) {
    if (this.isRunning(conversation)) return;
    const messages = conversation.messages;
    const known = messages.find((it) => it.role === "tool" && it.toolCallId === callId);
    if (known) known.text = text;
    else messages.push({ id: newId(), role: "tool", text, toolCallId: callId });
    const asking = messages.findLast((it) => it.role === "assistant");
    const open = asking?.toolCalls?.filter((call) => !messages.some((it) => it.toolCallId === call.id)) ?? [];
    if (open.length === 0) await this.answer(conversation);
    else conversations.save(conversation);
  }

  async answer(conversation: Conversation) {
    const history = $state.snapshot(conversation.messages) as Message[];
    conversation.messages.push({ id: newId(), role: "assistant", text: "", run: newRun(Date.now()) });
    const message = conversation.messages.at(-1)!;
    const controller = new AbortController();
    this.#running[conversation.id] = { controller, sentAt: performance.now() };
    conversations.save(conversation);
    try {
      await receive(message, requestBody($state.snapshot(conversation.settings), history), controller.signal);
    } catch (error) {
      fail(message, error, controller.signal.aborted);
    } finally {
      delete this.#running[conversation.id];
      conversations.save(conversation);
    }
  }
}

// Chunks arrive faster than frames; what came is shown once per frame (or soon, in a tab that is not shown).
async function receive(message: Message, body: Record<string, unknown>, signal: AbortSignal) {
  const run = message.run!;
  const start = performance.now();
  let waiting: [ChatChunk, number][] = [];
  let flush: (() => void) | undefined;
  const apply = () => {
    const chunks = waiting;
    waiting = [];
    flush = undefined;
    for (const [chunk, atMs] of chunks) applyChunk(message, chunk, atMs);
  };
  try {
    for await (const chunk of streamJson<ChatChunk>("v1/chat/completions", body, signal)) {
      waiting.push([chunk, performance.now() - start]);
      flush ??= soon(apply);
    }
    apply();
    run.state = "done";
  } finally {
    flush?.();
    apply();
    run.endMs = performance.now() - start;
  }
}

function soon(act: () => void): () => void {
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, 200);
  function cancel() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  }
  function run() {
    cancel();
    act();
  }
  return cancel;
}

function applyChunk(message: Message, chunk: ChatChunk, atMs: number) {
  const run: Run = message.run!;
  if (chunk.id) run.replyId ??= chunk.id;
  if (chunk.prompt_progress) addProgress(run, chunk.prompt_progress, atMs);
  const choice = chunk.choices[0];
  const delta = choice?.delta;
  if (delta && !chunk.prompt_progress && (delta.content != null || delta.tool_calls || delta.reasoning_content) && !delta.role) {
    addToken(run, atMs);
  }
  if (delta?.content) message.text += delta.content;
  if (delta?.reasoning_content) message.reasoning = (message.reasoning ?? "") + delta.reasoning_content;
  if (delta?.tool_calls) addToolCalls(message, delta.tool_calls);
  if (choice?.finish_reason) run.finishReason = choice.finish_reason;
  if (chunk.usage) run.usage = chunk.usage;
  if (chunk.timings) run.timings = chunk.timings;
  if (chunk.phases) run.phases = chunk.phases;
}

function addToolCalls(message: Message, deltas: ToolCallDelta[]) {
  message.toolCalls ??= [];
  for (const delta of deltas) {
    message.toolCalls[delta.index] ??= { id: delta.id ?? newId(), name: "", arguments: "" };
    const call = message.toolCalls[delta.index]!;
    if (delta.id) call.id = delta.id;
    call.name += delta.function?.name ?? "";
    call.arguments += delta.function?.arguments ?? "";
  }
}

function fail(message: Message, error: unknown, aborted: boolean) {
  const run = message.run!;
  run.endMs ??= 0;
  if (aborted) {
    run.state = "stopped";
    return;
  }
  run.state = "failed";
  if (error instanceof ApiError) {
    message.error = error.retryAfterSeconds > 0 ? `${error.message}; try again in ${error.retryAfterSeconds} s` : error.message;
    if (error.status === 0 || error.status === 503) void server.check();
  } else {
    message.error = error instanceof Error ? error.message : String(error);
  }
}

export const session = new ChatSession();
