import { describe, expect, it } from "vitest";
import { remainingMs } from "./eta.ts";
import { count, digits, duration, percent, plural, quantile } from "./format.ts";
import { addProgress, addToken, decodeRate, decodeWords, newRun, prefillWords, timelineOf } from "./run.ts";
import type { Phases } from "./types.ts";

const phases = (over: Partial<Phases["events_ms"]> = {}): Phases => {
  const events = { received: 0, tokenized: 1, queued: 2, scheduled: 52, first_token: 152, last_token: 1152, finished: 1153, ...over };
  return {
    events_ms: events,
    intervals_ms: { intake: 2, queue: 50, prefill: 100, decode: 1000, delivery: 1, ttft: 152, tpot: 100 },
    causes_ns: {},
    total_ns: 0,
    steps: 11,
    preemptions: 0,
  };
};

describe("a run", () => {
  it("grows from waiting to reading to writing", () => {
    const run = newRun(0);
    expect(timelineOf(run, 30).segments).toEqual([{ kind: "queue", startMs: 0, endMs: 30 }]);
    expect(prefillWords(run)).toBe("Waiting for the engine.");
    addProgress(run, { total: 400, cache: 100, processed: 200, time_ms: 50 }, 80);
    const reading = timelineOf(run, 90);
    expect(reading.segments).toEqual([
      { kind: "queue", startMs: 0, endMs: 30 },
      { kind: "prefill", startMs: 30, endMs: 90 },
    ]);
    expect(reading.cachedFraction).toBe(0.25);
    expect(reading.readFraction).toBe(0.5);
    expect(prefillWords(run)).toBe("Reading the prompt: 200 of 400 tokens.");
    for (const at of [120, 220, 320]) addToken(run, at);
    expect(timelineOf(run, 330).segments.at(-1)).toEqual({ kind: "decode", startMs: 120, endMs: 330 });
    expect(decodeRate(run)).toBeCloseTo(10);
    expect(decodeWords(run)).toBe("Writing 3 tokens, one after the other: 10.0 tokens/s, 100 ms each.");
  });

  it("takes the server's own times when they are there", () => {
    const run = newRun(0);
    for (let i = 0; i < 11; i += 1) addToken(run, 160 + i * 100);
    run.endMs = 1200;
    run.state = "done";
    run.phases = phases();
    run.usage = { prompt_tokens: 90, completion_tokens: 11, total_tokens: 101, prompt_tokens_details: { cached_tokens: 30 } };
    const timeline = timelineOf(run, 9999);
    expect(timeline.exact).toBe(true);
    expect(timeline.totalMs).toBe(1152);
    expect(timeline.segments.map((s) => [s.kind, s.startMs, s.endMs])).toEqual([["queue", 0, 52], ["prefill", 52, 152], ["decode", 152, 1152]]);
    expect(prefillWords(run)).toBe("Read 90 tokens, 30 of them from the cache, in 100 ms after 52.0 ms of waiting.");
    expect(decodeWords(run)).toBe("Wrote 11 tokens, one after the other: 10.0 tokens/s, 100 ms each.");
  });

  it("ends in the middle without making anything up", () => {
    const run = newRun(0);
    addProgress(run, { total: 400, cache: 0, processed: 100, time_ms: 50 }, 60);
    run.endMs = 70;
    run.state = "stopped";
    expect(timelineOf(run, 500).totalMs).toBe(70);
    expect(prefillWords(run)).toBe("Read 100 of 400 tokens, then it ended.");
    expect(decodeWords(run)).toBe("Nothing was written.");
    run.phases = phases({ first_token: null, last_token: null, finished: 60 });
    expect(timelineOf(run, 500).segments.map((s) => s.kind)).toEqual(["queue", "prefill"]);
    const never = newRun(0);
    never.endMs = 5;
    never.phases = phases({ scheduled: null, first_token: null, last_token: null, finished: 5 });
    expect(timelineOf(never, 9).totalMs).toBe(5);
  });
});

describe("remainingMs", () => {
  const cost = (n: number) => 0.5 * n + 0.0004 * n * n;
  it("knows nothing at first, is straight with one point, and follows growth with three", () => {
    expect(remainingMs([], 100)).toBeNaN();
    expect(remainingMs([{ tokens: 0, atMs: 0 }], 100)).toBeNaN();
    expect(remainingMs([{ tokens: 50, atMs: 100 }], 100)).toBe(100);
    const points = [128, 256, 384].map((tokens) => ({ tokens, atMs: cost(tokens) }));
    expect(remainingMs(points, 2000)).toBeCloseTo(cost(2000) - cost(384), 6);
    expect(remainingMs(points, 384)).toBe(0);
  });
  it("does not believe in tokens that get cheaper", () => {
    const points = [{ tokens: 10, atMs: 100 }, { tokens: 20, atMs: 110 }, { tokens: 30, atMs: 120 }];
    expect(remainingMs(points, 60)).toBeCloseTo(120);
  });
});

describe("numbers", () => {
  it("have a unit and no false precision", () => {
    expect([0, 0.004, 0.42, 9.876, 12.34, 123.4, 12345].map(digits)).toEqual(["0", "0.004", "0.42", "9.88", "12.3", "123", "12,345"]);
    expect([0.4, 338.4, 999.6, 1920, 65_000, 125_000, 3_700_000].map(duration)).toEqual(
      ["0.40 ms", "338 ms", "1 s", "1.92 s", "65.0 s", "2 min 5 s", "1 h 2 min"]);
    expect([0, 0.004, 0.123, 1].map(percent)).toEqual(["0 %", "0.40 %", "12 %", "100 %"]);
    expect([plural(1, "token"), plural(1200, "token"), count(NaN)]).toEqual(["1 token", "1,200 tokens", "–"]);
    expect([quantile([], 0.5), quantile([3], 0.9), quantile([4, 1, 3, 2], 0.5)]).toEqual([NaN, 3, 2.5]);
  });
});
