import { describe, expect, it } from "vitest";
import { readEvents, SseParser } from "./sse.ts";

describe("SseParser", () => {
  const text = ': hello\nevent: step\ndata: {"a":1}\n\ndata: one\r\ndata:two\r\n\r\nid: 7\ndata\n\n\n\n';
  const expected = [
    { event: "step", data: '{"a":1}', id: "" },
    { event: "message", data: "one\ntwo", id: "" },
    { event: "message", data: "", id: "7" },
  ];

  it("finds the same events wherever the bytes are cut", () => {
    for (let size = 1; size <= text.length; size += 1) {
      const parser = new SseParser();
      const events = [];
      for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
      expect(events, `pieces of ${size}`).toEqual(expected);
    }
  });

  it("keeps what is incomplete and says nothing about it", () => {
    const parser = new SseParser();
    expect(parser.push("data: half")).toEqual([]);
    expect(parser.push("\n")).toEqual([]);
    expect(parser.push("\n")).toEqual([{ event: "message", data: "half", id: "" }]);
  });

  it("refuses an event without end", () => {
    const parser = new SseParser();
    const piece = "x".repeat(1 << 20);
    expect(() => {
      for (let i = 0; i < 20; i += 1) parser.push(piece);
    }).toThrow(/never ends/);
  });
});

describe("readEvents", () => {
  it("puts code points together that were cut in the middle", async () => {
    const bytes = new TextEncoder().encode("data: grüße 🙂\n\n");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const seen = [];
    for await (const event of readEvents(new Response(body))) seen.push(event.data);
    expect(seen).toEqual(["grüße 🙂"]);
  });
});
