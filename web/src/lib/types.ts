// What the server sends, as far as the page uses it (docs/phases.md and the OpenAI shapes). Field names are the
// server's. Everything that an older server may not have is optional.

export interface EventsMs {
  received: number;
  tokenized: number | null;
  queued: number | null;
  scheduled: number | null;
  first_token: number | null;
  last_token: number | null;
  finished: number | null;
}

export interface IntervalsMs {
  intake: number;
  queue: number;
  prefill: number;
  decode: number;
  delivery: number;
  ttft: number;
  tpot: number;
}

export interface Span {
  source: string;
  role?: string | null;
  label?: string | null;
  first_token: number;
  tokens: number;
  characters: number;
  cached_tokens: number;
  computed_tokens: number;
  prefill_ms: number;
}

export interface Slower {
  request: number;
  phase: string;
  ns: number;
  ms: number;
}

export interface CacheBreak {
  sentence?: string;
  again_tokens?: number;
  cost_ms?: number;
}

export interface Phases {
  events_ms: EventsMs;
  intervals_ms: IntervalsMs;
  causes_ns: Record<string, number>;
  total_ns: number;
  anatomy?: { spans: Span[] } | null;
  cache?: { reused_tokens: number; reason?: string; break?: CacheBreak | null };
  limits?: { prefill_percent_of_peak: number | null; decode_percent_of_bandwidth: number | null };
  interference?: Slower[];
  interference_rest_ns?: number;
  waited_for?: Slower[];
  waited_for_rest_ns?: number;
  steps: number;
  preemptions: number;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens?: number };
}

export interface Timings {
  cache_n: number;
  prompt_n: number;
  prompt_ms: number;
  predicted_n: number;
  predicted_ms: number;
  predicted_per_token_ms: number;
  predicted_per_second: number;
}

export interface PromptProgress {
  total: number;
  cache: number;
  processed: number;
  time_ms: number;
}

export interface ToolCallDelta {
  index: number;
  id?: string;
  function?: { name?: string; arguments?: string };
}

export interface ChatChunk {
  id?: string;
  choices: {
    index: number;
    delta?: { role?: string; content?: string | null; reasoning_content?: string | null; tool_calls?: ToolCallDelta[] };
    finish_reason: string | null;
  }[];
  usage?: Usage | null;
  timings?: Timings;
  phases?: Phases;
  prompt_progress?: PromptProgress;
}

/** GET /props */
export interface Props {
  model_alias: string;
  model_path?: string;
  build_info: string;
  isa?: string;
  threads?: number;
  chat_template?: string;
  default_generation_settings: { n_ctx: number; params: Record<string, number | boolean> };
  model?: { architecture: string; parameters: number; file_bytes: number; vocab_size: number };
  kv_cache?: { block_tokens: number; blocks: number; pool_bytes: number };
  limits?: Record<string, number>;
  engine?: Record<string, number>;
  endpoints?: string[]; // "GET /v1/models"
}

/** A request in /v1/requests and /v1/events. */
export interface RequestRow {
  id: number;
  reply_id: string | null;
  choice: number;
  kind: string;
  state: "waiting" | "prefill" | "decode" | "preempted" | "delivering" | "finished";
  wait_cause: string | null;
  finish_reason: string | null;
  end: string | null;
  prompt_tokens: number;
  cached_tokens: number;
  computed_tokens: number;
  output_tokens: number;
  max_tokens: number;
  steps: number;
  preemptions: number;
  received_ms: number;
  events_ms: EventsMs;
  intervals_ms: IntervalsMs;
}

/** GET /v1/requests/{id} */
export interface RequestDetail extends RequestRow {
  phases: Phases;
  chunks?: { step: number; first_token: number; tokens: number; start_ms: number; end_ms: number; own_ns: number; recomputed: boolean }[];
  tokens?: { sampled_ms: number[]; sent_ms: number[]; not_kept: number };
}
