// What the reader's experiments found: plain numbers, kept in the browser, or read from a recording.
import { isObject } from "../lib/storage.ts";
import type { BatchRow, Interference, ShapePoint, Shot, Streaming } from "./experiments.ts";

export interface About {
  model: string;
  threads: number;
  isa: string;
  at: string; // ISO date
  /** Only in a recording: the machine, in words. */
  machine?: string;
}

export interface CostTerms {
  fixedMs: number;
  perTokenMs: number;
  perTokenContextMs: number;
  perLogitRowMs: number;
  errorMedian: number;
  targetItlMs?: number;
}

export interface Results {
  about?: About;
  strokes?: Shot;
  streaming?: Streaming;
  shapes?: ShapePoint[];
  batch?: BatchRow[];
  interference?: Interference;
  chunks?: CostTerms;
}

export const isResults = (value: unknown): value is Results =>
  isObject(value) &&
  (value.shapes === undefined || Array.isArray(value.shapes)) &&
  (value.batch === undefined || Array.isArray(value.batch)) &&
  ["strokes", "streaming", "interference", "chunks"].every((key) => value[key] === undefined || isObject(value[key]));

/** Cost terms out of GET /v1/cost-model, by what they are counted in. */
export function costTerms(body: unknown): CostTerms | undefined {
  if (!isObject(body) || !Array.isArray(body.terms)) return undefined;
  const nsOf = (at: number) => {
    const term: unknown = (body.terms as unknown[])[at];
    return isObject(term) && typeof term.ns_per_unit === "number" ? term.ns_per_unit / 1e6 : NaN;
  };
  const [fixedMs, perTokenMs, perTokenContextMs, perLogitRowMs] = [nsOf(0), nsOf(1), nsOf(2), nsOf(3)] as [number, number, number, number];
  if (!Number.isFinite(fixedMs + perTokenMs)) return undefined;
  const error = isObject(body.error) && typeof body.error.median === "number" ? body.error.median : NaN;
  return {
    fixedMs, perTokenMs, perTokenContextMs: perTokenContextMs || 0, perLogitRowMs: perLogitRowMs || 0, errorMedian: error,
  };
}

/** What the cost model says about reading `prompt` tokens in chunks while `decoding` others write. Estimates. */
export function chunkTrade(terms: CostTerms, chunk: number, prompt: number, decoding: number, context: number) {
  const others = decoding * (terms.perTokenMs + terms.perTokenContextMs * context + terms.perLogitRowMs);
  let ttftMs = 0;
  let longestMs = 0;
  for (let from = 0; from < prompt; from += chunk) {
    const tokens = Math.min(chunk, prompt - from);
    const looked = tokens * from + (tokens * (tokens + 1)) / 2;
    const stepMs = terms.fixedMs + tokens * terms.perTokenMs + looked * terms.perTokenContextMs + others;
    ttftMs += stepMs;
    longestMs = Math.max(longestMs, stepMs);
  }
  return { chunk, ttftMs: ttftMs + terms.perLogitRowMs, longestMs };
}
export const CHUNKS = [16, 32, 64, 128, 256, 512];
