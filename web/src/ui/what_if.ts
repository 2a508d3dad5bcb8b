// What may be changed about a request, and the question that asks for it (POST /v1/requests/{id}/what-if).
import type { Span } from "../lib/types.ts";

export interface Sizes {
  prompt_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  batch: number;
}
export interface Estimate {
  value: number;
  low: number;
  high: number;
}
interface Compared {
  predicted: number;
  measured: number;
  error: number;
  within_bars: boolean;
}
export interface WhatIf {
  measured: { size: Sizes; ttft_ms: number; tpot_ms: number };
  predicted: { size: Sizes; ttft_ms: Estimate; tpot_ms: Estimate };
  saved_ms: number;
  known_by: string;
  assumes?: string;
  verified?: { cached_tokens: number; ttft_ms: Compared; tpot_ms: Compared };
}

export interface Knobs {
  dropTurns: number; // earlier messages, the oldest first
  dropDocuments: number; // the last ones first
  cache: "same" | "none" | "warm";
  batch: number;
  outputTokens: number;
}

/** Sources of earlier messages (all but the last of the conversation), oldest first. */
export function earlierTurns(spans: readonly Span[]): string[] {
  const messages = unique(spans.filter((it) => /^message\[\d+\]$/.test(it.source)).map((it) => it.source));
  return messages.slice(0, -1);
}

/** Documents by the name under which the server drops them, in the order of the prompt. */
export function documents(spans: readonly Span[]): string[] {
  return unique(spans.filter((it) => it.source.startsWith("document[")).map((it) => it.source));
}

const unique = (names: string[]) => [...new Set(names)];

export function question(knobs: Knobs, spans: readonly Span[], verify: boolean): Record<string, unknown> {
  const found = documents(spans);
  const drop = [...earlierTurns(spans).slice(0, knobs.dropTurns), ...found.slice(found.length - knobs.dropDocuments)];
  return {
    ...(drop.length > 0 ? { drop } : {}),
    cache: knobs.cache,
    batch: knobs.batch,
    output_tokens: knobs.outputTokens,
    ...(verify ? { verify: true } : {}),
  };
}
