import { describe, expect, it } from "vitest";
import type { Span } from "../lib/types.ts";
import { documents, earlierTurns, question } from "./what_if.ts";

const span = (source: string): Span => ({ source, first_token: 0, tokens: 1, characters: 1, cached_tokens: 0, computed_tokens: 1, prefill_ms: 1 });
const spans = ["template", "system", "template", "message[1]", "template", "message[2]", "document[0]", "document[1]", "message[3]", "message[3]", "template"].map(span);

describe("a what-if", () => {
  it("drops the oldest turns and the last documents, never the question itself", () => {
    expect(earlierTurns(spans)).toEqual(["message[1]", "message[2]"]);
    expect(documents(spans)).toEqual(["document[0]", "document[1]"]);
    const knobs = { dropTurns: 1, dropDocuments: 1, cache: "same" as const, batch: 4, outputTokens: 50 };
    expect(question(knobs, spans, false)).toEqual({ drop: ["message[1]", "document[1]"], cache: "same", batch: 4, output_tokens: 50 });
    expect(question({ ...knobs, dropTurns: 9, dropDocuments: 0 }, spans, true)).toMatchObject({ drop: ["message[1]", "message[2]"], verify: true });
    expect(question({ ...knobs, dropTurns: 0, dropDocuments: 0 }, [], false)).not.toHaveProperty("drop");
  });
});
