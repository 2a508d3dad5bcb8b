// Server-sent events out of a byte stream: text in pieces of any size, events out. Comments and unknown fields are
// skipped, as the specification says. Pure, apart from the generator that reads a Response.

export interface ServerEvent {
  event: string;
  data: string;
  id: string;
}

const MAX_EVENT_CHARACTERS = 16 << 20; // a server that never ends an event must not eat the browser's memory

export class SseParser {
  #rest = "";
  #event = "";
  #id = "";
  #data: string[] = [];
  #size = 0;

  /** Everything that is complete once `text` is there. */
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > MAX_EVENT_CHARACTERS) throw new Error("an event of the server never ends");
    for (const line of lines) {
      const done = this.#line(line);
      if (done) events.push(done);
    }
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return undefined;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "data") {
      this.#size += value.length;
      if (this.#size > MAX_EVENT_CHARACTERS) throw new Error("an event of the server never ends");
      this.#data.push(value);
    } else if (field === "event") {
      this.#event = value;
    } else if (field === "id") {
      this.#id = value;
    }
    return undefined;
  }

  #dispatch(): ServerEvent | undefined {
    const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    const any = this.#data.length > 0;
    this.#event = "";
    this.#data = [];
    this.#size = 0;
    return any ? event : undefined;
  }
}

/** The events of a response as they come; ends when the body ends. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
