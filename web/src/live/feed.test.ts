import { describe, expect, it } from "vitest";
import type { RequestRow } from "../lib/types.ts";
import { ClockPair, KEEP_MS, LiveFeed, type LiveEvent } from "./feed.ts";

function row(id: number, state: RequestRow["state"], over: Partial<RequestRow> = {}): RequestRow {
  return {
    id, reply_id: null, choice: 0, kind: "chat", state, wait_cause: null, finish_reason: null, end: null, prompt_tokens: 10, cached_tokens: 0,
    computed_tokens: 0, output_tokens: 0, max_tokens: 10, steps: 0, preemptions: 0, received_ms: 0,
    events_ms: { received: 0, tokenized: 0, queued: 0, scheduled: null, first_token: null, last_token: null, finished: null },
    intervals_ms: { intake: 0, queue: 0, prefill: 0, decode: 0, delivery: 0, ttft: 42, tpot: 0 },
    ...over,
  };
}
const change = (request: RequestRow, at_ms: number, what = "queued"): LiveEvent => ({ type: "request", change: what, at_ms, request });
const finished = (id: number, at: number) => row(id, "finished", { events_ms: { ...row(0, "decode").events_ms, scheduled: 0, finished: at } });
function step(at: number, start: number, end: number, parts: [number, "prefill" | "decode", number][]): LiveEvent {
  const tokens = (phase: string) => parts.filter((p) => p[1] === phase).reduce((sum, p) => sum + p[2], 0);
  return {
    type: "step", step: at, start_ms: start, end_ms: end, parts_ns: {}, target_ns: null, predicted_ns: null, waiting: 3,
    prefill_tokens: tokens("prefill"), decode_tokens: tokens("decode"),
    requests: parts.map(([id, phase, n]) => ({ id, phase, first_token: 0, tokens: n, context: 0, own_ns: 1e6 })),
  };
}

describe("LiveFeed", () => {
  it("gives requests tracks, lowest first, and reuses those that are free", () => {
    const feed = new LiveFeed();
    for (const id of [1, 2, 3]) feed.add(change(row(id, "waiting"), id));
    expect([1, 2, 3].map((id) => feed.requests.get(id)!.slot)).toEqual([0, 1, 2]);
    feed.add(change(finished(2, 5), 5, "delivered"));
    feed.add(change(row(4, "waiting"), 6));
    expect(feed.requests.get(4)!.slot).toBe(1);
    expect(feed.numSlots).toBe(3);
    expect(feed.counts()).toEqual({ waiting: 3, prefill: 0, decode: 0 });
  });

  it("knows which decodes sat in a step that read a prompt, and the gaps between tokens", () => {
    const feed = new LiveFeed();
    feed.add(change(row(1, "decode"), 0));
    feed.add(change(row(2, "prefill"), 0));
    feed.add(step(1, 0, 10, [[1, "decode", 1]]));
    feed.add(step(2, 10, 60, [[1, "decode", 1], [2, "prefill", 128]]));
    feed.add(step(3, 60, 70, [[9, "decode", 1]]));
    expect(feed.requests.get(1)!.blocks.map((b) => b.disturbed)).toEqual([false, true]);
    expect(feed.requests.get(2)!.blocks[0]).toMatchObject({ phase: "prefill", tokens: 128, disturbed: false });
    expect(feed.buckets[0]).toMatchObject({ atMs: 0, waiting: 3, prefillTokens: 128, decodeTokens: 3, itlMs: [50] });
  });

  it("keeps what a step did for a request that it hears of only later", () => {
    const feed = new LiveFeed();
    feed.add(step(1, 0, 10, [[1, "prefill", 8]]));
    feed.add(change(row(1, "decode"), 11));
    expect(feed.requests.get(1)!.blocks.map((b) => b.phase)).toEqual(["prefill"]);
  });

  it("notes the time to first token once", () => {
    const feed = new LiveFeed();
    feed.add(change(row(1, "decode"), 1500, "first_token"));
    feed.add(change(finished(1, 3000), 3000, "ended"));
    expect(feed.buckets.flatMap((b) => b.ttftMs)).toEqual([42]);
  });

  it("begins again when the server says hello", () => {
    const feed = new LiveFeed();
    feed.add(change(row(1, "waiting"), 0));
    feed.add({ type: "hello", clock: { now_ms: 10, unix_ms: 0 }, live: [row(7, "decode")] });
    expect([...feed.requests.keys()]).toEqual([7]);
    expect(feed.requests.get(7)!.slot).toBe(0);
  });

  it("forgets, whatever comes", () => {
    const feed = new LiveFeed();
    for (let i = 0; i < 30_000; i += 1) {
      feed.add(change(row(i, "decode"), i * 20));
      feed.add(step(i, i * 20, i * 20 + 20, [[i, "decode", 1], [0, "decode", 1]]));
      feed.add(change(finished(i, i * 20), i * 20, "ended"));
    }
    expect(feed.requests.size).toBeLessThan(1100);
    expect(feed.steps.length).toBeLessThan((KEEP_MS + 6000) / 20 + 1);
    expect(feed.buckets.length).toBeLessThan(300);
    expect(feed.numSlots).toBe(1);
  });
});

describe("ClockPair", () => {
  it("believes the least delay", () => {
    const clock = new ClockPair();
    expect(clock.serverMs(0)).toBeUndefined();
    for (const delay of [50, 5, 80, 20]) clock.saw(1000, 100 + delay);
    expect(clock.serverMs(105)).toBeCloseTo(1000, 0);
  });
});
