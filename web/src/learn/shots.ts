// A measured answer as a timeline, for drawing.
import type { Timeline } from "../lib/run.ts";
import type { Shot } from "./experiments.ts";

export function shotTimeline(shot: Shot): Timeline {
  const first = shot.queueMs + shot.prefillMs;
  return {
    segments: [
      { kind: "queue", startMs: 0, endMs: shot.queueMs },
      { kind: "prefill", startMs: shot.queueMs, endMs: first },
      { kind: "decode", startMs: first, endMs: first + shot.decodeMs },
    ],
    totalMs: first + shot.decodeMs,
    firstTokenMs: first,
    cachedFraction: shot.promptTokens > 0 ? shot.cachedTokens / shot.promptTokens : 0,
    readFraction: 1,
    exact: true,
  };
}
