// The lesson's experiments: each asks the live engine and returns plain numbers, which the text quotes and a recording
// keeps. Every prompt begins with a word of its own, so that nothing comes from the prefix cache unless it is meant to.
import { postJson, streamJson } from "../lib/api.ts";
import { median } from "../lib/format.ts";
import { addProgress, addToken, cachedTokens, decodeRate, newRun, prefillMs, promptTokens, type Run, ttftMs } from "../lib/run.ts";
import type { ChatChunk } from "../lib/types.ts";
import { type Shape, shapedMessages, textOf } from "./prompts.ts";

/** One answer, measured. Times in ms: the server's where it sends them, else the browser's. */
export interface Shot {
  promptTokens: number;
  cachedTokens: number;
  outputTokens: number;
  queueMs: number;
  prefillMs: number;
  ttftMs: number;
  decodeMs: number;
  rate: number; // output tokens per second between the first and the last
  totalMs: number;
  tokenMs: number[]; // arrival of each token since the request was sent
  causesMs: Record<string, number>;
}

export type Watch = (runs: Run[]) => void;
export interface Ask {
  messages: unknown[];
  maxTokens: number;
  extra?: Record<string, unknown>;
}

export function shotOf(run: Run): Shot {
  const intervals = run.phases?.intervals_ms;
  const first = run.firstTokenMs ?? NaN;
  const decode = (run.lastTokenMs ?? NaN) - first;
  const causes = Object.entries(run.phases?.causes_ns ?? {}).map(([cause, ns]) => [cause, ns / 1e6] as const);
  return {
    promptTokens: promptTokens(run),
    cachedTokens: cachedTokens(run),
    outputTokens: run.usage?.completion_tokens ?? run.outputTokens,
    queueMs: intervals ? intervals.intake + intervals.queue : 0,
    prefillMs: prefillMs(run),
    ttftMs: ttftMs(run),
    decodeMs: intervals?.decode ?? decode,
    rate: decodeRate(run),
    totalMs: run.endMs ?? NaN,
    tokenMs: [...run.tokenMs],
    causesMs: Object.fromEntries(causes.filter(([, ms]) => ms > 0)),
  };
}

/** The longest gap between two tokens, and the usual one; NaN with fewer than three tokens. */
export function gaps(shot: Shot): { usualMs: number; longestMs: number } {
  const between = shot.tokenMs.slice(1).map((at, i) => at - shot.tokenMs[i]!);
  if (between.length < 2) return { usualMs: NaN, longestMs: NaN };
  return { usualMs: median(between), longestMs: Math.max(...between) };
}

let counter = 0;
/** A word that no prompt began with before. */
export function freshWord(): string {
  counter += 1;
  return `Note ${(Date.now() % 1e9).toString(36)}-${counter}.`;
}

async function run(ask: Ask, onchange: (run: Run) => void, signal: AbortSignal): Promise<Shot> {
  const it = newRun(Date.now());
  const start = performance.now();
  const body = {
    messages: ask.messages, stream: true, stream_options: { include_usage: true }, phases: true, return_progress: true,
    temperature: 0, max_completion_tokens: ask.maxTokens, ignore_eos: true, cache_prompt: false, ...ask.extra,
  };
  for await (const chunk of streamJson<ChatChunk>("v1/chat/completions", body, signal)) {
    const atMs = performance.now() - start;
    const delta = chunk.choices[0]?.delta;
    if (chunk.prompt_progress) addProgress(it, chunk.prompt_progress, atMs);
    else if (delta && !delta.role) addToken(it, atMs);
    if (chunk.usage) it.usage = chunk.usage;
    if (chunk.phases) it.phases = chunk.phases;
    onchange(it);
  }
  it.endMs = performance.now() - start;
  it.state = "done";
  onchange(it);
  return shotOf(it);
}

/** Several at once; `delaysMs[i]` later than the first. */
async function together(asks: Ask[], watch: Watch, signal: AbortSignal, delaysMs: number[] = []): Promise<Shot[]> {
  const runs: Run[] = asks.map(() => newRun(Date.now()));
  return Promise.all(
    asks.map(async (ask, at) => {
      if (delaysMs[at]) await new Promise((resolve) => setTimeout(resolve, delaysMs[at]));
      return run(ask, (now) => { runs[at] = now; watch([...runs]); }, signal);
    }),
  );
}

const user = (content: string) => [{ role: "user", content }];

/** Step 1 and 2: one question, both strokes. */
export async function strokes(watch: Watch, signal: AbortSignal): Promise<Shot> {
  const content = `${freshWord()} ${textOf(180)}\n\nWhat is this text about?`;
  return (await together([{ messages: user(content), maxTokens: 40 }], watch, signal))[0]!;
}

/** Step 3: the same answer, shown as it is made and shown when it is finished. */
export interface Streaming {
  streamed: Shot;
  wholeMs: number;
}
export async function streaming(watch: Watch, signal: AbortSignal): Promise<Streaming> {
  const messages = user(`${freshWord()} ${textOf(60)}\n\nContinue this text.`);
  const streamed = (await together([{ messages, maxTokens: 80 }], watch, signal))[0]!;
  const start = performance.now();
  const body = { messages, temperature: 0, max_completion_tokens: 80, ignore_eos: true, cache_prompt: false };
  await postJson("v1/chat/completions", body, signal);
  return { streamed, wholeMs: performance.now() - start };
}

/** Step 4: the same question in prompts of another shape. */
export interface ShapePoint {
  shape: Shape;
  shot: Shot;
}
export async function shaped(shape: Shape, watch: Watch, signal: AbortSignal): Promise<ShapePoint> {
  const ask = { messages: shapedMessages(shape, freshWord()), maxTokens: 24 };
  return { shape: { ...shape }, shot: (await together([ask], watch, signal))[0]! };
}

/** Step 5: more and more users at the same time, each with a short prompt and an answer of the same length. */
export interface BatchRow {
  users: number;
  perUser: number; // tokens per second that one user sees, median
  total: number; // tokens per second of all together, while all were decoding
}
export async function batch(users: number, watch: Watch, signal: AbortSignal): Promise<BatchRow> {
  const asks = Array.from({ length: users }, (_, at) => ({ messages: user(`${freshWord()} Tell me about the number ${at + 7}.`), maxTokens: 32 }));
  const shots = await together(asks, watch, signal);
  return { users, perUser: median(shots.map((shot) => shot.rate)), total: totalRate(shots) };
}

/** Tokens per second in the time in which every one of them was decoding; all tokens over all the time if there is none. */
export function totalRate(shots: readonly Shot[]): number {
  const from = Math.max(...shots.map((shot) => shot.tokenMs[0] ?? Infinity));
  const to = Math.min(...shots.map((shot) => shot.tokenMs.at(-1) ?? -Infinity));
  const all = shots.flatMap((shot) => shot.tokenMs);
  if (to - from > 50) return (all.filter((at) => at > from && at <= to).length / (to - from)) * 1000;
  const span = Math.max(...all) - Math.min(...all);
  return ((all.length - shots.length) / span) * 1000;
}

/** Step 6: a reader in the middle of an answer when somebody sends a long prompt. */
export interface Interference {
  alone: Shot;
  disturbed: Shot;
  intruder: Shot;
  intruderAtMs: number;
}
export async function interference(watch: Watch, signal: AbortSignal): Promise<Interference> {
  const reader = () => ({ messages: user(`${freshWord()} Tell me a story about a clock.`), maxTokens: 64 });
  const alone = (await together([reader()], watch, signal))[0]!;
  const delay = Math.round(alone.ttftMs + alone.decodeMs * 0.3);
  const intruder = { messages: user(`${freshWord()} ${textOf(700)}\n\nWhat is this about?`), maxTokens: 4 };
  const [disturbed, other] = await together([reader(), intruder], watch, signal, [0, delay]);
  return { alone, disturbed: disturbed!, intruder: other!, intruderAtMs: delay };
}
