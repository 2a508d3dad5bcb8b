// The text within a block: emphasis, code, links, breaks. Linear in the text; see markdown.ts.

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "break" }
  | { kind: "strong" | "emphasis" | "deleted"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] };

const MAX_OPEN = 16; // emphasis within emphasis
const MAX_LINK_CHARACTERS = 2048;

/** The address when it is one that a click may follow; anything else stays text. */
export function safeHref(address: string): string | undefined {
  const text = address.trim();
  if (/[\u0000-\u001f\u007f]/.test(text)) return undefined;
  return /^(https?:\/\/|mailto:)[^\s]+$/i.test(text) ? text : undefined;
}

interface Open {
  marker: string;
  kind: "strong" | "emphasis" | "deleted";
  before: Inline[]; // what the parent had so far
}

export function parseInline(text: string): Inline[] {
  return new InlineParser(text).parse();
}

class InlineParser {
  #text: string;
  #at = 0;
  #plain = "";
  #out: Inline[] = [];
  #open: Open[] = [];
  #closers = new Map<number, number[]>(); // length of a backtick run -> where such runs begin

  constructor(text: string) {
    this.#text = text;
    for (const run of text.matchAll(/`+/g)) {
      const starts = this.#closers.get(run[0].length) ?? [];
      starts.push(run.index);
      this.#closers.set(run[0].length, starts);
    }
  }

  parse(): Inline[] {
    while (this.#at < this.#text.length) this.#step();
    this.#flush();
    while (this.#open.length > 0) this.#giveUp();
    return this.#out;
  }

  #step() {
    const rest = this.#text[this.#at]!;
    if (rest === "\\" && /[!-/:-@[-`{-~]/.test(this.#text[this.#at + 1] ?? "")) {
      this.#plain += this.#text[this.#at + 1];
      this.#at += 2;
    } else if (rest === "`") {
      this.#code();
    } else if (rest === "\n") {
      const hard = /(?: {2,}|\\)$/.test(this.#plain.slice(-4));
      this.#plain = this.#plain.replace(/[ \\]{0,4}$/, "");
      if (hard) {
        this.#push({ kind: "break" });
      } else {
        this.#plain += "\n";
      }
      this.#at += 1;
    } else if ((rest === "[" || (rest === "!" && this.#text[this.#at + 1] === "[")) && this.#link()) {
      return;
    } else if (rest === "<" && this.#autolink()) {
      return;
    } else if (rest === "*" || rest === "_" || rest === "~") {
      this.#emphasis(rest);
    } else {
      this.#plain += rest;
      this.#at += 1;
    }
  }

  #code() {
    const run = /^`+/.exec(this.#text.slice(this.#at, this.#at + 64))![0].length;
    const starts = this.#closers.get(run);
    while (starts && starts.length > 0 && starts[0]! <= this.#at) starts.shift();
    const end = starts?.[0];
    if (end === undefined) {
      this.#plain += "`".repeat(run);
      this.#at += run;
      return;
    }
    let inner = this.#text.slice(this.#at + run, end).replaceAll("\n", " ");
    if (/^ .*[^ ].* $/.test(inner)) inner = inner.slice(1, -1);
    this.#push({ kind: "code", text: inner });
    this.#at = end + run;
  }

  // [text](address); an image is shown as the link to it: the page loads nothing from elsewhere.
  #link(): boolean {
    const start = this.#at + (this.#text[this.#at] === "!" ? 2 : 1);
    const window = this.#text.slice(start, start + MAX_LINK_CHARACTERS);
    const match = /^((?:[^[\]\\]|\\.)*)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)?)>?(?:\s+"[^"]*")?\s*\)/.exec(window);
    const href = match && safeHref(match[2]!);
    if (!href) return false;
    this.#push({ kind: "link", href, children: parseInline(match[1]!.replaceAll("[", "")) });
    this.#at = start + match[0].length;
    return true;
  }

  #autolink(): boolean {
    const match = /^<([^\s<>]{3,2048})>/.exec(this.#text.slice(this.#at, this.#at + MAX_LINK_CHARACTERS + 2));
    const href = match && safeHref(match[1]!);
    if (!href) return false;
    this.#push({ kind: "link", href, children: [{ kind: "text", text: match[1]! }] });
    this.#at += match[0].length;
    return true;
  }

  #emphasis(character: string) {
    let run = 1;
    while (run < 3 && this.#text[this.#at + run] === character) run += 1;
    const before = this.#text[this.#at - 1] ?? " ";
    const after = this.#text[this.#at + run] ?? " ";
    const inWord = /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after);
    const mayOpen = !/\s/.test(after) && !(character === "_" && inWord);
    const mayClose = !/\s/.test(before) && !(character === "_" && inWord);
    const usable = character === "~" ? run === 2 : true;
    const markers = run === 3 ? [character.repeat(2), character] : [character.repeat(run)];
    const closing = mayClose && usable && this.#open.some((it) => it.marker[0] === character);
    for (const marker of closing ? [...markers].reverse() : markers) {
      if (closing && this.#close(marker)) continue;
      if (usable && mayOpen && this.#open.length < MAX_OPEN) {
        this.#flush();
        const kind = character === "~" ? "deleted" : marker.length === 2 ? "strong" : "emphasis";
        this.#open.push({ marker, kind, before: this.#out });
        this.#out = [];
      } else {
        this.#plain += marker;
      }
    }
    this.#at += run;
  }

  #close(marker: string): boolean {
    const at = this.#open.findLastIndex((it) => it.marker === marker);
    if (at < 0) return false;
    this.#flush();
    while (this.#open.length > at + 1) this.#giveUp();
    if (this.#out.length === 0) return false;
    const { kind, before } = this.#open.pop()!;
    before.push({ kind, children: this.#out });
    this.#out = before;
    return true;
  }

  // The innermost marker was only text.
  #giveUp() {
    const { marker, before } = this.#open.pop()!;
    const inner = this.#out;
    this.#out = before;
    appendText(before, marker);
    for (const it of inner) {
      if (it.kind === "text") appendText(before, it.text);
      else before.push(it);
    }
  }

  #push(inline: Inline) {
    this.#flush();
    this.#out.push(inline);
  }

  #flush() {
    if (this.#plain !== "") appendText(this.#out, this.#plain);
    this.#plain = "";
  }
}

function appendText(out: Inline[], text: string) {
  const last = out.at(-1);
  if (last?.kind === "text") last.text += text;
  else out.push({ kind: "text", text });
}
