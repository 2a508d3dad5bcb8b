// A conversation as the browser keeps it, and the request that continues it. Plain data and pure functions.
import { isObject } from "../lib/storage.ts";
import type { Run } from "../lib/run.ts";

export interface AttachedDocument {
  title: string;
  text: string;
}

export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

export interface Message {
  id: string;
  role: "user" | "assistant" | "tool";
  text: string;
  reasoning?: string;
  documents?: AttachedDocument[];
  toolCalls?: ToolCall[];
  toolCallId?: string;
  run?: Run;
  error?: string;
}

export interface Settings {
  system: string;
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  repetitionPenalty: number;
  maxTokens: number;
  seed: string; // empty: another one each time
  stop: string; // one a line
  cachePrompt: boolean;
  tools: string; // JSON, as typed
  schema: string; // JSON, as typed
}

export interface Conversation {
  id: string;
  title: string;
  updatedAt: number;
  settings: Settings;
  messages: Message[];
}

export const DEFAULT_SETTINGS: Settings = {
  system: "",
  temperature: 0.7,
  topP: 0.95,
  topK: 40,
  minP: 0,
  repetitionPenalty: 1.1,
  maxTokens: 400,
  seed: "",
  stop: "",
  cachePrompt: true,
  tools: "",
  schema: "",
};

export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8)); // randomUUID needs https
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function newConversation(settings: Settings = DEFAULT_SETTINGS): Conversation {
  return { id: newId(), title: "", updatedAt: Date.now(), settings: { ...settings }, messages: [] };
}

export function titleOf(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 57).trimEnd()}…` : line;
}

/** What came out of storage is a conversation, or nothing. */
export function isConversation(value: unknown): value is Conversation {
  return (
    isObject(value) &&
    typeof value.id === "string" &&
    typeof value.title === "string" &&
    isObject(value.settings) &&
    Array.isArray(value.messages) &&
    value.messages.every((it) => isObject(it) && typeof it.id === "string" && typeof it.text === "string" && typeof it.role === "string")
  );
}

/** Tools as typed: a list, or one; each a function as OpenAI has it, or the function alone. Throws what is wrong. */
export function parseTools(text: string): unknown[] {
  if (text.trim() === "") return [];
  const value: unknown = JSON.parse(text);
  return (Array.isArray(value) ? value : [value]).map((tool: unknown, at) => {
    if (!isObject(tool)) throw new Error(`tool ${at + 1} is not an object`);
    const wrapped = tool.type === "function" ? tool : { type: "function", function: tool };
    if (!isObject(wrapped.function) || typeof wrapped.function.name !== "string") throw new Error(`tool ${at + 1} has no function name`);
    return wrapped;
  });
}

/** A JSON schema as typed; nothing when empty. Throws what is wrong. */
export function parseSchema(text: string): Record<string, unknown> | undefined {
  if (text.trim() === "") return undefined;
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error("a schema is an object");
  return value;
}

// A document is a part of the message with a label: every chat template can show it, and the prompt's anatomy names it.
function contentOf(message: Message): unknown {
  if (!message.documents?.length) return message.text;
  const parts = message.documents.map((it) => ({ type: "text", label: it.title, text: `Document "${it.title}":\n${it.text}\n\n` }));
  return [...parts, { type: "text", text: message.text }];
}

export function wireMessage(message: Message): Record<string, unknown> {
  if (message.role === "tool") return { role: "tool", tool_call_id: message.toolCallId, content: message.text };
  if (message.role === "user") return { role: "user", content: contentOf(message) };
  const calls = message.toolCalls?.map((it) => ({ id: it.id, type: "function", function: { name: it.name, arguments: it.arguments } }));
  return { role: "assistant", content: message.text, ...(calls?.length ? { tool_calls: calls } : {}) };
}

/** The body of POST /v1/chat/completions that asks for what comes after `messages`. Throws on bad tools or schema. */
export function requestBody(settings: Settings, messages: readonly Message[]): Record<string, unknown> {
  const body: Record<string, unknown> = {
    messages: [
      ...(settings.system.trim() ? [{ role: "system", content: settings.system }] : []),
      ...messages.filter((it) => it.role !== "assistant" || it.text !== "" || it.toolCalls?.length).map(wireMessage),
    ],
    stream: true,
    stream_options: { include_usage: true },
    phases: true,
    return_progress: true,
    temperature: settings.temperature,
    top_p: settings.topP,
    top_k: settings.topK,
    min_p: settings.minP,
    repetition_penalty: settings.repetitionPenalty,
    cache_prompt: settings.cachePrompt,
  };
  if (settings.maxTokens > 0) body.max_completion_tokens = settings.maxTokens;
  if (settings.seed.trim() !== "") body.seed = Number(settings.seed);
  const stop = settings.stop.split("\n").filter((line) => line !== "");
  if (stop.length > 0) body.stop = stop;
  const tools = parseTools(settings.tools);
  if (tools.length > 0) body.tools = tools;
  const schema = parseSchema(settings.schema);
  if (schema) body.response_format = { type: "json_schema", json_schema: { name: "answer", schema, strict: true } };
  return body;
}
