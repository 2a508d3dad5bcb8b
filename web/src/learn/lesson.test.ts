import { describe, expect, it } from "vitest";
import { gaps, type Shot, totalRate } from "./experiments.ts";
import { lessonDocument } from "./document.ts";
import { STEPS } from "./lesson.ts";
import { shapedMessages, textOf } from "./prompts.ts";
import { QUESTIONS } from "./quiz.ts";
import { chunkTrade, CHUNKS, costTerms, isResults } from "./results.ts";
import committed from "../../../docs/lesson.md?raw";
import recording from "./recording.json";

const shot = (tokenMs: number[]): Shot => ({
  promptTokens: 10, cachedTokens: 0, outputTokens: tokenMs.length, queueMs: 0, prefillMs: 1, ttftMs: 1, decodeMs: 1, rate: 1, totalMs: 1, tokenMs, causesMs: {},
});

describe("the lesson", () => {
  it("has, for each step, words before and numbers after, and questions with answers", () => {
    for (const step of STEPS) {
      expect(step.before.length).toBeGreaterThan(40);
      if (step.experiment === "quiz") continue;
      expect(step.after({}), step.id).toBeUndefined();
      expect(step.checkpoints.length).toBeGreaterThan(0);
    }
    expect(new Set(STEPS.map((it) => it.id)).size).toBe(STEPS.length);
  });

  it("has a check with one right choice each and a reason for every choice", () => {
    for (const question of QUESTIONS) {
      expect(question.choices.filter((it) => it.right).length, question.id).toBe(1);
      for (const choice of question.choices) expect(choice.why.length, choice.text).toBeGreaterThan(20);
    }
  });

  it("is told without a server by a recording that fits it, and docs/lesson.md is what comes of it", () => {
    expect(isResults(recording)).toBe(true);
    const text = lessonDocument();
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
    for (const step of STEPS) {
      if (step.experiment === "quiz" || (step.experiment === "chunks" && !("chunks" in recording))) continue;
      expect(step.after(recording as never), step.id).toBeTypeOf("string");
    }
    expect(committed, "write it anew: node web/lesson.mjs document").toBe(text);
  });
});

describe("experiments", () => {
  it("make prompts that grow with each slider, and never begin alike", () => {
    const size = (shape: Partial<Parameters<typeof shapedMessages>[0]>) =>
      JSON.stringify(shapedMessages({ turns: 0, documents: 0, toolTraces: 0, schema: false, ...shape }, "x")).length;
    for (const more of [{ turns: 1 }, { documents: 1 }, { toolTraces: 1 }, { schema: true }]) expect(size(more)).toBeGreaterThan(size({}) + 80);
    expect(textOf(1000).split(" ").length).toBe(1000);
  });

  it("count the total rate only while all were decoding", () => {
    // One token every 10 ms each, two users, the second 40.1 ms later: between 40.1 and 100 ms, 2 tokens every 10 ms.
    const first = shot(Array.from({ length: 11 }, (_, i) => i * 10));
    const second = shot(Array.from({ length: 11 }, (_, i) => 40.1 + i * 10));
    expect(totalRate([first, second])).toBeCloseTo(((6 + 5) / (100 - 40.1)) * 1000, 0);
    expect(totalRate([shot([0, 100, 200])])).toBeCloseTo(10, 5);
    expect(gaps(shot([0, 10, 20, 90]))).toEqual({ usualMs: 10, longestMs: 70 });
    expect(gaps(shot([0, 10])).usualMs).toBeNaN();
  });

  it("trade chunks as the cost model says: a step's fixed price is paid per chunk", () => {
    const terms = costTerms({ terms: [5e6, 1e6, 0, 0].map((ns_per_unit) => ({ ns_per_unit })), error: { median: 0.03 } })!;
    // 100 tokens in chunks of 10: 10 steps of 5 + 10 + 2 ms.
    const { ttftMs, longestMs } = chunkTrade(terms, 10, 100, 2, 50);
    expect([ttftMs, longestMs]).toEqual([170, 17]);
    const rows = CHUNKS.map((chunk) => chunkTrade(terms, chunk, 1000, 4, 300));
    for (let i = 1; i < rows.length; i += 1) {
      expect(rows[i]!.ttftMs).toBeLessThan(rows[i - 1]!.ttftMs);
      expect(rows[i]!.longestMs).toBeGreaterThan(rows[i - 1]!.longestMs);
    }
    expect(costTerms({})).toBeUndefined();
    expect(costTerms(null)).toBeUndefined();
  });
});
