// Markdown into a tree. What a model writes is untrusted: nothing here makes markup, the tree is rendered as text nodes
// (Markdown.svelte), and links keep only harmless schemes. A subset of CommonMark that answers use, linear in the text,
// with nesting limited. Blocks of a growing text keep their identity while they do not change (parseGrowing).
import { type Inline, parseInline } from "./markdown_inline.ts";

export type { Inline };
export type Align = "left" | "right" | "center" | "none";
export type Block =
  | { kind: "heading"; level: number; inline: Inline[] }
  | { kind: "paragraph"; inline: Inline[] }
  | { kind: "code"; language: string; text: string; open: boolean }
  | { kind: "list"; ordered: boolean; start: number; items: Block[][] }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "table"; align: Align[]; head: Inline[][]; rows: Inline[][][] }
  | { kind: "rule" };

const MAX_DEPTH = 8;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(\s+(.*)|$)/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const TABLE_RULE = /^ {0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** The whole text as blocks. */
export function parseMarkdown(text: string): Block[] {
  return parseLines(text.replace(/\r\n?/g, "\n").split("\n"), 0).map((part) => part.block);
}

interface Part {
  block: Block;
  first: number; // lines [first, end) of the text
  end: number;
}

/** Parses a text that grows, and gives blocks that have not changed the object they had in `before`. */
export function parseGrowing(text: string, before: { source: string; block: Block }[]) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  return parseLines(lines, 0).map(({ block, first, end }, at) => {
    const source = lines.slice(first, end).join("\n");
    const old = before[at];
    return old && old.source === source && old.block.kind === block.kind ? old : { source, block };
  });
}

function parseLines(lines: string[], depth: number): Part[] {
  const parts: Part[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at]!.trim() === "") {
      at += 1;
      continue;
    }
    const { block, end } = parseBlock(lines, at, depth);
    parts.push({ block, first: at, end });
    at = end;
  }
  return parts;
}

function parseBlock(lines: string[], at: number, depth: number): { block: Block; end: number } {
  const line = lines[at]!;
  const fence = FENCE.exec(line);
  if (fence) return parseCode(lines, at, fence[1]!, fence[2]!.trim());
  const heading = HEADING.exec(line);
  if (heading) {
    return { block: { kind: "heading", level: heading[1]!.length, inline: parseInline(heading[2] ?? "") }, end: at + 1 };
  }
  if (RULE.test(line)) return { block: { kind: "rule" }, end: at + 1 };
  if (depth < MAX_DEPTH && QUOTE.test(line)) return parseQuote(lines, at, depth);
  if (depth < MAX_DEPTH && ITEM.test(line)) return parseList(lines, at, depth);
  if (line.includes("|") && at + 1 < lines.length && isTableRule(lines[at + 1]!, line)) return parseTable(lines, at);
  return parseParagraph(lines, at, depth);
}

function parseCode(lines: string[], at: number, fence: string, language: string) {
  const text: string[] = [];
  let end = at + 1;
  let open = true;
  for (; end < lines.length; end += 1) {
    const close = /^ {0,3}(`{3,}|~{3,})\s*$/.exec(lines[end]!);
    if (close && close[1]![0] === fence[0] && close[1]!.length >= fence.length) {
      open = false;
      end += 1;
      break;
    }
    text.push(lines[end]!);
  }
  return { block: { kind: "code", language, text: text.join("\n"), open } as Block, end };
}

function parseQuote(lines: string[], at: number, depth: number) {
  const inner: string[] = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const match = QUOTE.exec(lines[end]!);
    if (!match) break;
    inner.push(match[1]!);
  }
  return { block: { kind: "quote", blocks: parseLines(inner, depth + 1).map((p) => p.block) } as Block, end };
}

function parseList(lines: string[], at: number, depth: number) {
  const first = ITEM.exec(lines[at]!)!;
  const ordered = /\d/.test(first[2]!);
  const items: string[][] = [];
  let end = at;
  let indent = 0;
  for (; end < lines.length; end += 1) {
    const line = lines[end]!;
    const item = ITEM.exec(line);
    const inside = items.length > 0 && leadingSpaces(line) >= indent;
    if (item && !inside) {
      if (/\d/.test(item[2]!) !== ordered || RULE.test(line)) break;
      indent = item[1]!.length + item[2]!.length + 1;
      items.push([item[4] ?? ""]);
    } else if (line.trim() === "") {
      const next = lines[end + 1];
      if (next === undefined || !(leadingSpaces(next) >= indent || ITEM.test(next))) break;
      items.at(-1)!.push("");
    } else if (inside) {
      items.at(-1)!.push(line.slice(indent));
    } else if (lines[end - 1]!.trim() !== "" && !startsBlock(line)) {
      items.at(-1)!.push(line.trimStart()); // a lazy continuation of the item's paragraph
    } else {
      break;
    }
  }
  const blocks = items.map((item) => parseLines(item, depth + 1).map((part) => part.block));
  const start = ordered ? Number.parseInt(first[2]!, 10) : 1;
  return { block: { kind: "list", ordered, start, items: blocks } as Block, end };
}

function parseTable(lines: string[], at: number) {
  const align = cells(lines[at + 1]!).map((cell): Align => {
    const left = cell.startsWith(":");
    const right = cell.endsWith(":");
    return left && right ? "center" : right ? "right" : left ? "left" : "none";
  });
  const head = cells(lines[at]!).map(parseInline);
  const rows: Inline[][][] = [];
  let end = at + 2;
  for (; end < lines.length && lines[end]!.includes("|"); end += 1) {
    rows.push(cells(lines[end]!).slice(0, head.length).map(parseInline));
  }
  return { block: { kind: "table", align, head, rows } as Block, end };
}

function parseParagraph(lines: string[], at: number, depth: number) {
  let end = at + 1;
  while (end < lines.length && lines[end]!.trim() !== "" && !(startsBlock(lines[end]!) && depth <= MAX_DEPTH)) end += 1;
  const text = lines.slice(at, end).map((line) => line.replace(/^ +/, "")).join("\n");
  return { block: { kind: "paragraph", inline: parseInline(text) } as Block, end };
}

// What interrupts a paragraph.
function startsBlock(line: string): boolean {
  return FENCE.test(line) || (HEADING.test(line) && line.trim() !== "") || RULE.test(line) || QUOTE.test(line) ||
    /^ {0,3}([-*+]|1[.)])\s+\S/.test(line);
}

function isTableRule(line: string, head: string): boolean {
  return line.length < 1000 && line.includes("-") && TABLE_RULE.test(line) && cells(line).length === cells(head).length;
}

function cells(line: string): string[] {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function leadingSpaces(line: string): number {
  return line.length - line.trimStart().length;
}
