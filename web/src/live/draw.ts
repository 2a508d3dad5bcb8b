// Draws requests and steps on a canvas: a moving window of time, one track a request. Draws what it is given, keeps
// nothing; the caller decides when. When there is too much to draw, neighbours that touch become one (`merged`).
import { type Block, endMs, type LiveFeed, type LiveRequest, scheduledMs } from "./feed.ts";

export interface Palette {
  paper: string;
  sunken: string;
  ink: string;
  ink2: string;
  line: string;
  queue: string;
  prefill: string;
  held: string; // a decode in a step that read somebody's prompt
  decode: string;
  heldRun: string; // many of them, with their tokens
  danger: string;
}

export interface Window {
  fromMs: number;
  toMs: number;
}

export interface Size {
  width: number;
  height: number;
}

const AXIS = 22;
const GAP = 2;
const MAX_RECTS = 4000; // a frame; beyond it neighbours are merged
const MIN_DETAIL = 5; // pixels: lower tracks show runs, not tokens

export function rowHeight(size: Size, numSlots: number): number {
  return Math.max(2, Math.min(20, (size.height - AXIS) / Math.max(1, numSlots)));
}

/** How many rectangles the blocks in the window would need. */
export function numRects(feed: LiveFeed, window: Window): number {
  let sum = 0;
  for (const it of feed.requests.values()) sum += it.blocks.length - firstAfter(it.blocks, window.fromMs);
  return sum;
}

export function drawRequests(context: CanvasRenderingContext2D, size: Size, feed: LiveFeed, window: Window, colors: Palette, marked: number | undefined): { merged: boolean } {
  const height = rowHeight(size, feed.numSlots);
  const x = (ms: number) => ((ms - window.fromMs) / (window.toMs - window.fromMs)) * size.width;
  context.fillStyle = colors.paper;
  context.fillRect(0, 0, size.width, size.height);
  drawAxis(context, size, window, colors, x);
  const merged = height < MIN_DETAIL || numRects(feed, window) > MAX_RECTS;
  const shapes = new Map<string, number[]>();
  const add = (color: string, x0: number, y: number, x1: number, h: number) => {
    if (x1 < 0 || x0 > size.width) return;
    const list = shapes.get(color);
    const width = Math.max(0.75, Math.min(x1, size.width + 2) - Math.max(x0, -2));
    if (list) list.push(Math.max(x0, -2), y, width, h);
    else shapes.set(color, [Math.max(x0, -2), y, width, h]);
  };
  for (const it of feed.requests.values()) {
    const end = endMs(it.row);
    if (end !== undefined && end < window.fromMs) continue;
    const y = AXIS + it.slot * height;
    if (y > size.height) continue;
    drawRequest(it, y, Math.max(1, height - (height > 5 ? GAP : 0.5)), window, colors, x, add, merged);
  }
  for (const [color, list] of shapes) {
    context.fillStyle = color;
    for (let i = 0; i < list.length; i += 4) context.fillRect(list[i]!, list[i + 1]!, list[i + 2]!, list[i + 3]!);
  }
  const chosen = marked === undefined ? undefined : feed.requests.get(marked);
  if (chosen) {
    context.strokeStyle = colors.ink;
    context.lineWidth = 1.5;
    const from = Math.max(1, x(chosen.row.received_ms));
    const to = Math.min(size.width - 1, x(endMs(chosen.row) ?? window.toMs));
    context.strokeRect(from - 1, AXIS + chosen.slot * height - 0.5, Math.max(3, to - from + 2), Math.max(3, height - 1));
  }
  return { merged };
}

type Add = (color: string, x0: number, y: number, x1: number, h: number) => void;

function drawRequest(it: LiveRequest, y: number, h: number, window: Window, colors: Palette, x: (ms: number) => number, add: Add, merged: boolean) {
  const end = endMs(it.row) ?? window.toMs;
  const scheduled = scheduledMs(it.row) ?? end;
  add(colors.sunken, x(it.row.received_ms), y, x(end), h); // its life; what shows through is a gap
  add(colors.queue, x(it.row.received_ms), y, x(Math.min(scheduled, end)), h);
  const blocks = it.blocks;
  const pixelMs = 1 / (x(1) - x(0));
  let open: { from: number; to: number; color: string } | undefined;
  for (let at = firstAfter(blocks, window.fromMs); at < blocks.length; at += 1) {
    const block = blocks[at]!;
    if (block.startMs > window.toMs) break;
    const color = block.disturbed && merged ? colors.heldRun : block.phase === "decode" ? colors.decode : block.phase === "recompute" ? colors.danger : colors.prefill;
    if (merged) {
      if (open && open.color === color && block.startMs - open.to < pixelMs * 2 + 2) {
        open.to = block.endMs;
        continue;
      }
      if (open) add(open.color, x(open.from), y, x(open.to), h);
      open = { from: block.startMs, to: block.endMs, color };
      continue;
    }
    const x0 = x(block.startMs);
    const x1 = x(block.endMs);
    if (block.disturbed) {
      // The step belonged to somebody's prompt: a thin line under it, and the token at its end.
      add(colors.held, x0, y + h * 0.35, x1, h * 0.3);
      add(color, Math.max(x0, x1 - Math.max(1.5, x(block.startMs + block.ownMs) - x0)), y, x1, h);
    } else {
      add(color, x0, y, x1 - (x1 - x0 > 3 ? 1 : x1 - x0 > 1.5 ? 0.4 : 0), h);
    }
  }
  if (open) add(open.color, x(open.from), y, x(open.to), h);
  if (it.row.state === "finished" && it.row.end && it.row.end !== "complete") add(colors.danger, x(end) - 2, y, x(end), h);
}

function drawAxis(context: CanvasRenderingContext2D, size: Size, window: Window, colors: Palette, x: (ms: number) => number) {
  const step = [100, 250, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000].find((it) => (it / (window.toMs - window.fromMs)) * size.width >= 70) ?? 60_000;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  for (let at = Math.ceil(window.fromMs / step) * step; at <= window.toMs; at += step) {
    context.fillStyle = colors.line;
    context.fillRect(Math.round(x(at)), AXIS - 4, 1, size.height);
    context.fillStyle = colors.ink2;
    const ago = (at - window.toMs) / 1000;
    if (x(at) > 36) context.fillText(ago > -0.05 ? "now" : `${ago.toFixed(step < 1000 ? 1 : 0)} s`, x(at) - 4, 13);
  }
}

/** One bar a step: height is its duration, colour its composition; the line is the target. */
export function drawSteps(context: CanvasRenderingContext2D, size: Size, feed: LiveFeed, window: Window, colors: Palette): number {
  const x = (ms: number) => ((ms - window.fromMs) / (window.toMs - window.fromMs)) * size.width;
  context.fillStyle = colors.paper;
  context.fillRect(0, 0, size.width, size.height);
  const shown = feed.steps.filter((it) => it.end_ms >= window.fromMs && it.start_ms <= window.toMs);
  const target = shown.at(-1)?.target_ns ?? null;
  const longest = shown.reduce((max, it) => Math.max(max, it.end_ms - it.start_ms), 0);
  const scale = Math.max(longest, target === null ? 0 : (target / 1e6) * 1.2, 1);
  for (const it of shown) {
    const ms = it.end_ms - it.start_ms;
    const height = (ms / scale) * (size.height - 4);
    const own = it.requests.reduce((sum, part) => ({ ...sum, [part.phase === "decode" ? "decode" : "prefill"]: sum[part.phase === "decode" ? "decode" : "prefill"] + part.own_ns }), { prefill: 0, decode: 0 });
    const all = own.prefill + own.decode;
    const share = all > 0 ? own.prefill / all : it.prefill_tokens / Math.max(1, it.prefill_tokens + it.decode_tokens);
    const x0 = x(it.start_ms);
    const width = Math.max(0.75, x(it.end_ms) - x0 - (x(it.end_ms) - x0 > 3 ? 1 : 0));
    context.fillStyle = colors.decode;
    context.fillRect(x0, size.height - height, width, height);
    context.fillStyle = colors.prefill;
    context.fillRect(x0, size.height - height, width, height * share);
  }
  if (target !== null) {
    const y = size.height - (target / 1e6 / scale) * (size.height - 4);
    context.fillStyle = colors.ink;
    context.fillRect(0, y, size.width, 1);
  }
  return scale;
}

/** One cell a block, or a few: in the order shared, in use, cached, free. */
export function drawKv(context: CanvasRenderingContext2D, size: Size, kv: { total: number; free: number; cached: number; in_use: number; shared: number }, colors: Palette) {
  context.fillStyle = colors.paper;
  context.fillRect(0, 0, size.width, size.height);
  const cells = Math.min(kv.total, Math.floor((size.width * size.height) / 36));
  if (cells <= 0) return;
  const perCell = kv.total / cells;
  const columns = Math.max(1, Math.ceil(Math.sqrt((cells * size.width) / size.height)));
  const side = Math.min(size.width / columns, size.height / Math.ceil(cells / columns));
  const ends = [kv.shared, kv.in_use, kv.in_use + kv.cached, kv.total];
  const fills = [colors.ink, colors.decode, colors.prefill, colors.sunken];
  for (let cell = 0; cell < cells; cell += 1) {
    const block = (cell + 0.5) * perCell;
    context.fillStyle = fills[ends.findIndex((end) => block <= end)] ?? colors.sunken;
    context.fillRect((cell % columns) * side, Math.floor(cell / columns) * side, Math.max(1, side - 1), Math.max(1, side - 1));
  }
}

/** The request under a point. */
export function requestAt(feed: LiveFeed, size: Size, window: Window, px: number, py: number): LiveRequest | undefined {
  const slot = Math.floor((py - AXIS) / rowHeight(size, feed.numSlots));
  const ms = window.fromMs + (px / size.width) * (window.toMs - window.fromMs);
  const slack = ((window.toMs - window.fromMs) / size.width) * 4;
  let found: LiveRequest | undefined;
  for (const it of feed.requests.values()) {
    if (it.slot !== slot || ms < it.row.received_ms - slack || ms > (endMs(it.row) ?? window.toMs) + slack) continue;
    found = it; // the newest in this track
  }
  return found;
}

/** Index of the first block that ends after `ms`; blocks are in order. */
export function firstAfter(blocks: readonly Block[], ms: number): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (blocks[middle]!.endMs < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}
