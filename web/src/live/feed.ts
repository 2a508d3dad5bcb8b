// What /v1/events told, as the drawing needs it: requests with what each step did for them, steps, KV blocks, and one
// bucket of figures a second. Bounded in every direction. No drawing, no network, no clock of its own.
import type { RequestRow } from "../lib/types.ts";

export const KEEP_MS = 130_000; // how far back can be shown
const MAX_REQUESTS = 1000;
const MAX_STEPS = 8192;
const MAX_BLOCKS = 4096; // of one request
const MAX_EARLY = 512;
export const BUCKET_MS = 1000;

export interface StepEvent {
  type: "step";
  step: number;
  start_ms: number;
  end_ms: number;
  parts_ns: Record<string, number>;
  target_ns: number | null;
  predicted_ns: number | null;
  prefill_tokens: number;
  decode_tokens: number;
  waiting: number;
  requests: { id: number; phase: "prefill" | "decode" | "recompute"; first_token: number; tokens: number; context: number; own_ns: number }[];
}
export interface KvEvent {
  type: "kv";
  at_ms: number;
  total: number;
  free: number;
  cached: number;
  in_use: number;
  shared: number;
}
export interface RequestEvent {
  type: "request";
  change: string;
  at_ms: number;
  request: RequestRow;
}
export interface HelloEvent {
  type: "hello";
  clock: { now_ms: number; unix_ms: number };
  live: RequestRow[];
  kv?: KvEvent;
  config?: Record<string, number | string>;
}
export type LiveEvent = StepEvent | KvEvent | RequestEvent | HelloEvent | { type: "dropped"; steps: number; changes: number };

/** What one step did for a request. */
export interface Block {
  startMs: number;
  endMs: number;
  ownMs: number;
  phase: "prefill" | "decode" | "recompute";
  tokens: number;
  step: number;
  disturbed: boolean; // a decode in a step that read somebody's prompt
}

export interface LiveRequest {
  row: RequestRow;
  slot: number;
  blocks: Block[];
  lastTokenMs: number; // server clock, -1 before the first
}

export interface Bucket {
  atMs: number; // beginning, server clock
  waiting: number;
  running: number;
  prefillTokens: number;
  decodeTokens: number;
  ttftMs: number[];
  itlMs: number[];
}

export class LiveFeed {
  requests = new Map<number, LiveRequest>();
  steps: StepEvent[] = [];
  kv: KvEvent | undefined;
  buckets: Bucket[] = [];
  dropped = 0;
  nowMs = 0; // the newest time that an event spoke of
  #early: [number, Block][] = []; // of requests that a step spoke of before we heard of them
  #prunedMs = 0;
  #slots: number[] = []; // slot -> id of the request in it, -1: free

  add(event: LiveEvent) {
    if (event.type === "step") this.#step(event);
    else if (event.type === "request") this.#request(event.request, event.at_ms, event.change);
    else if (event.type === "kv") this.kv = event;
    else if (event.type === "dropped") this.dropped += event.steps;
    else if (event.type === "hello") this.#hello(event);
  }

  get numSlots(): number {
    return this.#slots.length;
  }

  counts() {
    const counts = { waiting: 0, prefill: 0, decode: 0 };
    for (const { row } of this.requests.values()) {
      if (row.state === "waiting" || row.state === "preempted") counts.waiting += 1;
      else if (row.state === "prefill") counts.prefill += 1;
      else if (row.state === "decode") counts.decode += 1;
    }
    return counts;
  }

  #hello(event: HelloEvent) {
    this.requests.clear();
    this.#slots = [];
    this.steps = [];
    this.buckets = [];
    this.kv = event.kv;
    this.nowMs = this.#prunedMs = event.clock.now_ms;
    for (const row of event.live) this.#request(row, event.clock.now_ms, "queued");
  }

  #request(row: RequestRow, atMs: number, change: string) {
    this.#advance(atMs);
    let it = this.requests.get(row.id);
    if (!it) {
      it = { row, slot: this.#takeSlot(row.id), blocks: [], lastTokenMs: -1 };
      this.requests.set(row.id, it);
      it.blocks.push(...this.#early.filter(([id]) => id === row.id).map(([, block]) => block));
      this.#early = this.#early.filter(([id]) => id !== row.id);
    }
    it.row = row;
    if (change === "first_token") this.#bucket(atMs).ttftMs.push(row.intervals_ms.ttft);
    if (row.state === "finished" && this.#slots[it.slot] === row.id) this.#slots[it.slot] = -1;
  }

  #step(event: StepEvent) {
    this.#advance(event.end_ms);
    this.steps.push(event);
    if (this.steps.length > MAX_STEPS) this.steps.splice(0, MAX_STEPS / 4);
    const bucket = this.#bucket(event.end_ms);
    bucket.waiting = Math.max(bucket.waiting, event.waiting);
    bucket.running = Math.max(bucket.running, event.requests.length);
    bucket.prefillTokens += event.prefill_tokens;
    bucket.decodeTokens += event.decode_tokens;
    for (const part of event.requests) {
      const it = this.requests.get(part.id);
      const disturbed = part.phase === "decode" && event.prefill_tokens > 0;
      const block: Block = { startMs: event.start_ms, endMs: event.end_ms, ownMs: part.own_ns / 1e6, phase: part.phase, tokens: part.tokens, step: event.step, disturbed };
      if (!it) {
        this.#early.push([part.id, block]);
        if (this.#early.length > MAX_EARLY) this.#early.shift();
        continue;
      }
      it.blocks.push(block);
      if (it.blocks.length > MAX_BLOCKS) it.blocks.splice(0, MAX_BLOCKS / 4);
      if (part.phase !== "decode") continue;
      if (it.lastTokenMs >= 0) bucket.itlMs.push(event.end_ms - it.lastTokenMs);
      it.lastTokenMs = event.end_ms;
    }
  }

  // Time goes on: what is too old to be shown goes, once a second.
  #advance(nowMs: number) {
    this.nowMs = Math.max(this.nowMs, nowMs);
    if (this.nowMs - this.#prunedMs < 1000) return;
    this.#prunedMs = this.nowMs;
    const horizon = this.nowMs - KEEP_MS;
    this.steps = this.steps.filter((it) => it.end_ms >= horizon);
    this.buckets = this.buckets.filter((it) => it.atMs >= horizon);
    let tooMany = this.requests.size - MAX_REQUESTS; // the oldest first
    for (const [id, it] of this.requests) {
      const end = endMs(it.row);
      if (end === undefined || (end >= horizon && tooMany <= 0)) continue;
      this.requests.delete(id);
      tooMany -= 1;
    }
  }

  #bucket(atMs: number): Bucket {
    const begin = Math.floor(atMs / BUCKET_MS) * BUCKET_MS;
    for (let at = this.buckets.length - 1; at >= 0 && at >= this.buckets.length - 4; at -= 1) {
      if (this.buckets[at]!.atMs === begin) return this.buckets[at]!;
    }
    const bucket = { atMs: begin, waiting: 0, running: 0, prefillTokens: 0, decodeTokens: 0, ttftMs: [], itlMs: [] };
    this.buckets.push(bucket);
    return bucket;
  }

  // The lowest track that is free, so that a busy engine looks busy and an idle one small.
  #takeSlot(id: number): number {
    const free = this.#slots.indexOf(-1);
    const slot = free < 0 ? this.#slots.length : free;
    this.#slots[slot] = id;
    return slot;
  }
}

/** When a request was over, on the server's clock. */
export function endMs(row: RequestRow): number | undefined {
  const finished = row.events_ms.finished;
  return finished === null || finished === undefined ? undefined : row.received_ms + finished;
}

/** When it was first computed; undefined while it waits. */
export function scheduledMs(row: RequestRow): number | undefined {
  const at = row.events_ms.scheduled;
  return at === null || at === undefined ? undefined : row.received_ms + at;
}

/** The server's clock from ours: an event cannot arrive before it happened, so the least delay seen is nearest the truth. */
export class ClockPair {
  #offset: number | undefined;
  saw(serverMs: number, hereMs: number) {
    const offset = serverMs - hereMs;
    // Drifts and suspended machines: a new offset that is much smaller is believed slowly.
    if (this.#offset === undefined || offset > this.#offset) this.#offset = offset;
    else this.#offset -= Math.min(0.05, this.#offset - offset);
  }
  reset() {
    this.#offset = undefined;
  }
  serverMs(hereMs: number): number | undefined {
    return this.#offset === undefined ? undefined : hereMs + this.#offset;
  }
}
