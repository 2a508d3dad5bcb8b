// The causes of docs/phases.md in plain words, in the order of a request's life.

export interface Cause {
  name: string;
  words: string;
  group: "intake" | "waiting" | "prefill" | "decode" | "either" | "delivery";
  tone: "queue" | "prefill" | "decode" | "danger";
}

export const CAUSES: Cause[] = [
  { name: "parse", words: "HTTP and JSON", group: "intake", tone: "queue" },
  { name: "template", words: "chat template", group: "intake", tone: "queue" },
  { name: "tokenize", words: "text into tokens", group: "intake", tone: "queue" },
  { name: "wait_model", words: "waiting: the model was loading", group: "waiting", tone: "queue" },
  { name: "wait_kv", words: "waiting: no memory for its KV cache", group: "waiting", tone: "queue" },
  { name: "wait_batch", words: "waiting: as many ran as may run", group: "waiting", tone: "queue" },
  { name: "wait_turn", words: "waiting: earlier prompts were being read", group: "waiting", tone: "queue" },
  { name: "prefill_own", words: "reading its own prompt", group: "prefill", tone: "prefill" },
  { name: "prefill_others", words: "others' tokens in the same steps", group: "prefill", tone: "danger" },
  { name: "decode_own", words: "writing its own tokens", group: "decode", tone: "decode" },
  { name: "decode_batch", words: "slower: others wrote in the same steps", group: "decode", tone: "danger" },
  { name: "decode_prefill", words: "slower: others' prompts were read in the same steps", group: "decode", tone: "danger" },
  { name: "preempted", words: "lost its KV cache, and built it again", group: "decode", tone: "danger" },
  { name: "sample", words: "choosing tokens", group: "either", tone: "decode" },
  { name: "engine", words: "the engine's own bookkeeping", group: "either", tone: "queue" },
  { name: "client", words: "the client did not take the bytes", group: "delivery", tone: "queue" },
];

/** What took time, biggest first, and whether all of it adds up to the whole (it must, exactly). */
export function causesOf(causesNs: Record<string, number>, totalNs: number) {
  const known = CAUSES.map((cause) => ({ ...cause, ns: causesNs[cause.name] ?? 0 }));
  const extra = Object.entries(causesNs)
    .filter(([name]) => !CAUSES.some((it) => it.name === name))
    .map(([name, ns]) => ({ name, words: name, group: "either" as const, tone: "queue" as const, ns }));
  const all = [...known, ...extra];
  return {
    rows: all.filter((it) => it.ns > 0).sort((a, b) => b.ns - a.ns),
    exact: all.reduce((sum, it) => sum + it.ns, 0) === totalNs,
  };
}
