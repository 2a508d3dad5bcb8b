// A Run: one answer being made, as the browser sees it while it grows and as the server booked it at the end. Pure
// functions from a run to what is drawn and said about it. Times are milliseconds since the request was sent, until
// the server's own (since it received the first byte) replace them.
import { count, duration, perSecond, plural } from "./format.ts";
import type { Phases, PromptProgress, Timings, Usage } from "./types.ts";

export type RunState = "waiting" | "reading" | "writing" | "done" | "stopped" | "failed";

export interface Run {
  state: RunState;
  replyId?: string;
  startedAt: number; // Date.now()
  progress: (PromptProgress & { atMs: number })[];
  firstTokenMs?: number;
  lastTokenMs?: number;
  endMs?: number;
  outputTokens: number;
  tokenMs: number[]; // when pieces arrived, the first MAX_TOKEN_TIMES
  finishReason?: string;
  usage?: Usage;
  timings?: Timings;
  phases?: Phases;
}

export const MAX_TOKEN_TIMES = 2048;
const MAX_PROGRESS = 256;

export function newRun(startedAt: number): Run {
  return { state: "waiting", startedAt, progress: [], outputTokens: 0, tokenMs: [] };
}

export function addProgress(run: Run, progress: PromptProgress, atMs: number) {
  if (run.state === "waiting") run.state = "reading";
  if (run.progress.length >= MAX_PROGRESS) run.progress.splice(1, 1);
  run.progress.push({ ...progress, atMs });
}

export function addToken(run: Run, atMs: number) {
  run.state = "writing";
  run.firstTokenMs ??= atMs;
  run.lastTokenMs = atMs;
  run.outputTokens += 1;
  if (run.tokenMs.length < MAX_TOKEN_TIMES) run.tokenMs.push(atMs);
}

export interface Segment {
  kind: "queue" | "prefill" | "decode";
  startMs: number;
  endMs: number;
}

export interface Timeline {
  segments: Segment[];
  totalMs: number;
  firstTokenMs?: number;
  cachedFraction: number; // of the prompt's tokens
  readFraction: number; // of the prompt, while it is being read
  exact: boolean; // the server's own times
}

/** What to draw when `nowMs` have passed. */
export function timelineOf(run: Run, nowMs: number): Timeline {
  const exact = exactTimeline(run);
  if (exact) return exact;
  const end = run.endMs ?? nowMs;
  const last = run.progress.at(-1);
  const scheduled = scheduledMs(run);
  const segments: Segment[] = [];
  if (scheduled > 0) segments.push({ kind: "queue", startMs: 0, endMs: Math.min(scheduled, end) });
  const read = run.firstTokenMs ?? end;
  if (run.state !== "waiting" || run.endMs !== undefined) {
    segments.push({ kind: "prefill", startMs: Math.min(scheduled, read), endMs: read });
  } else {
    segments.push({ kind: "queue", startMs: scheduled, endMs: end });
  }
  if (run.firstTokenMs !== undefined) segments.push({ kind: "decode", startMs: run.firstTokenMs, endMs: end });
  return {
    segments,
    totalMs: end,
    ...(run.firstTokenMs === undefined ? {} : { firstTokenMs: run.firstTokenMs }),
    cachedFraction: last && last.total > 0 ? last.cache / last.total : 0,
    readFraction: run.firstTokenMs !== undefined ? 1 : last && last.total > 0 ? last.processed / last.total : 0,
    exact: false,
  };
}

function exactTimeline(run: Run): Timeline | undefined {
  const events = run.phases?.events_ms;
  if (!events) return undefined;
  const end = events.last_token ?? events.finished ?? 0;
  const scheduled = events.scheduled ?? end;
  const first = events.first_token ?? end;
  const segments: Segment[] = [
    { kind: "queue", startMs: 0, endMs: scheduled },
    { kind: "prefill", startMs: scheduled, endMs: first },
  ];
  if (end > first) segments.push({ kind: "decode", startMs: first, endMs: end });
  const prompt = promptTokens(run);
  return {
    segments,
    totalMs: end,
    ...(events.first_token === null ? {} : { firstTokenMs: first }),
    cachedFraction: prompt > 0 ? cachedTokens(run) / prompt : 0,
    readFraction: 1,
    exact: true,
  };
}

// A progress report says how long the prompt has been read: what came before was waiting.
function scheduledMs(run: Run): number {
  const first = run.progress[0];
  return first ? Math.max(0, first.atMs - first.time_ms) : 0;
}

export function promptTokens(run: Run): number {
  return run.usage?.prompt_tokens ?? run.progress.at(-1)?.total ?? 0;
}

export function cachedTokens(run: Run): number {
  return run.usage?.prompt_tokens_details?.cached_tokens ?? run.phases?.cache?.reused_tokens ?? run.progress.at(-1)?.cache ?? 0;
}

/** Output tokens per second between the first and the last token; NaN with fewer than two. */
export function decodeRate(run: Run): number {
  const events = run.phases?.events_ms;
  const first = events?.first_token ?? run.firstTokenMs;
  const last = events?.last_token ?? run.lastTokenMs;
  const tokens = run.usage?.completion_tokens ?? run.outputTokens;
  if (first == null || last == null || tokens < 2 || last <= first) return NaN;
  return ((tokens - 1) / (last - first)) * 1000;
}

export function ttftMs(run: Run): number {
  return run.phases?.intervals_ms.ttft ?? run.firstTokenMs ?? NaN;
}

export function prefillMs(run: Run): number {
  if (run.phases) return run.phases.intervals_ms.prefill;
  return run.firstTokenMs === undefined ? NaN : run.firstTokenMs - scheduledMs(run);
}

/** What the first stroke did, in one sentence; present tense while it lasts. */
export function prefillWords(run: Run): string {
  const total = promptTokens(run);
  const cached = cachedTokens(run);
  if (run.firstTokenMs === undefined && run.endMs === undefined) {
    if (run.state === "waiting") return "Waiting for the engine.";
    const read = run.progress.at(-1)?.processed ?? 0;
    return total > 0 ? `Reading the prompt: ${count(read)} of ${plural(total, "token")}.` : "Reading the prompt.";
  }
  if (total === 0) return run.firstTokenMs === undefined ? "The prompt was not read to its end." : "The prompt was read.";
  if (run.firstTokenMs === undefined && !run.phases?.events_ms.first_token) {
    return `Read ${count(run.progress.at(-1)?.processed ?? 0)} of ${plural(total, "token")}, then it ended.`;
  }
  const known = cached > 0 ? `, ${count(cached)} of them from the cache` : "";
  const queue = run.phases ? run.phases.intervals_ms.intake + run.phases.intervals_ms.queue : 0;
  const waited = queue >= 10 ? ` after ${duration(queue)} of waiting` : "";
  return `Read ${plural(total, "token")}${known}${known ? "," : ""} in ${duration(prefillMs(run))}${waited}.`;
}

/** What the second stroke did. */
export function decodeWords(run: Run): string {
  const tokens = run.usage?.completion_tokens ?? run.outputTokens;
  if (tokens === 0) return run.endMs === undefined ? "" : "Nothing was written.";
  const rate = decodeRate(run);
  const verb = run.endMs === undefined ? "Writing" : "Wrote";
  if (!Number.isFinite(rate)) return `${verb} ${plural(tokens, "token")}.`;
  return `${verb} ${plural(tokens, "token")}, one after the other: ${perSecond(rate)}, ${duration(1000 / rate)} each.`;
}
