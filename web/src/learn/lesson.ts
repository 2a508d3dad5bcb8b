// The lesson on the two phases: words, and the reader's numbers in them. Markdown out, so that the page and the document
// in docs/ say the same. `before` is read before the experiment, `after` when its numbers are there.
import { duration, percent, perSecond, plural } from "../lib/format.ts";
import { gaps, type Shot } from "./experiments.ts";
import { chunkTrade, CHUNKS, type Results } from "./results.ts";

export type ExperimentName = "strokes" | "timeline" | "streaming" | "shapes" | "batch" | "interference" | "chunks" | "quiz";

export interface Checkpoint {
  question: string;
  answer: string;
}

export interface Step {
  id: string;
  title: string;
  experiment: ExperimentName;
  before: string;
  /** Undefined until the numbers are there. */
  after: (results: Results) => string | undefined;
  checkpoints: Checkpoint[];
}

const times = (a: number, b: number) => (b > 0 ? `${(a / b).toFixed(a / b >= 9.95 ? 0 : 1)} times` : "many times");
const perRead = (shot: Shot) => shot.prefillMs / Math.max(1, shot.promptTokens - shot.cachedTokens);

export const STEPS: Step[] = [
  {
    id: "two-strokes",
    title: "An answer has two strokes",
    experiment: "strokes",
    before: `A language model works on **tokens**: short pieces of text, three quarters of a word on average. When you send a prompt, two things happen one after the other.

**Prefill** reads the prompt. All its tokens are known, so the model takes them in many at a time, as wide as the machine allows. For each of them it keeps notes for later, the *KV cache*. At the end of prefill the first token of the answer falls out.

**Decode** writes the rest. Each new token is fed back in, and gives the next one. One token, one pass through the whole model, again and again.

Run both once. Watch where the bar is blue and where it is amber.`,
    after: ({ strokes: shot }) =>
      shot &&
      `Your engine read **${plural(shot.promptTokens, "token")}** in ${duration(shot.prefillMs)} and then wrote **${plural(shot.outputTokens, "token")}** in ${duration(shot.decodeMs)}.

Put differently: reading one token took ${duration(perRead(shot))}, writing one took ${duration(1000 / shot.rate)}. ${
        1000 / shot.rate > perRead(shot) * 1.2
          ? `A written token was **${times(1000 / shot.rate, perRead(shot))} as expensive** as one that was read, although each went through the same model. The difference is company: tokens that are read travel together, tokens that are written travel alone. How much it is depends on the machine.`
          : `On this machine, just now, both cost about the same: its arithmetic is the limit even for a token that travels alone. On wider machines a token that is read is far cheaper, because it travels in company.`
      }`,
    checkpoints: [
      {
        question: "During prefill nothing appears on the screen. What is the machine producing meanwhile?",
        answer: "The KV cache: for each prompt token and each layer, the key and value that later tokens will look at. It is what makes decode possible without reading the prompt again for every token. And, at the very end, the first token of the answer.",
      },
    ],
  },
  {
    id: "timeline",
    title: "Read the timeline",
    experiment: "timeline",
    before: `Every answer on this page carries the same bar:

\`queue | prefill | first token | decode\`

- **Queue**: the request waits, because the engine is busy or has no room. Nothing is computed for it.
- **Prefill**: its prompt is read. A hatched part was already in the cache and was not read again.
- **First token**: the moment the reader has waited for. From sending to here is **TTFT**, the time to first token.
- **Decode**: from the first token to the last. Its speed is given as tokens per second, or as **TPOT**, the time per output token, which is the same thing upside down.

Below is your first run again, with the names put on it.`,
    after: ({ strokes: shot }) =>
      shot &&
      `Your TTFT was **${duration(shot.ttftMs)}**: ${duration(shot.queueMs)} before the engine began and ${duration(shot.prefillMs)} of reading. Your decode rate was **${perSecond(shot.rate)}**, a TPOT of ${duration(1000 / shot.rate)}.

The whole answer took TTFT and then ${shot.outputTokens - 1} times TPOT: ${duration(shot.ttftMs)} + ${shot.outputTokens - 1} × ${duration(1000 / shot.rate)} ≈ ${duration(shot.ttftMs + ((shot.outputTokens - 1) * 1000) / shot.rate)}. The first token belongs to prefill, so there is one step of decode less than there are tokens. Two numbers describe the whole experience, and no single one does.`,
    checkpoints: [
      {
        question: "An answer has a TTFT of 2 s and then 300 tokens at 30 tokens/s. A colleague wants to halve TTFT. How much faster is the whole answer then?",
        answer: "It takes about 12 s before (2 s and 299 ÷ 30 ≈ 10 s) and 11 s after: 8 % less. But the reader sees something after 1 s instead of 2 s. Whether that is worth it depends on what is being read: a chat gains a lot, a nightly report nothing.",
      },
    ],
  },
  {
    id: "streaming",
    title: "Why the two feel different",
    experiment: "streaming",
    before: `Waiting for prefill is waiting for *nothing*: an empty screen. Waiting for decode is *reading*. People read about four to seven tokens a second, so a decode that is faster than that keeps ahead of them.

Streaming makes the difference visible. Without it, the reader waits for TTFT *and* the whole decode before anything appears. The work is the same.

Run the same answer twice: once shown as it is made, once shown when it is finished.`,
    after: ({ streaming: it }) =>
      it &&
      `Both times your engine wrote ${plural(it.streamed.outputTokens, "token")}. Streamed, the first word was there after **${duration(it.streamed.ttftMs)}**. In one piece, the screen stayed empty for **${duration(it.wholeMs)}**: ${times(it.wholeMs, it.streamed.ttftMs)} as long.

Streaming did not make the engine faster. It moved the wait: the reader pays TTFT up front, and the rest while reading. That is why TTFT is felt as *does it react?* and tokens per second as *does it flow?*. Here it flows at ${perSecond(it.streamed.rate)}, ${it.streamed.rate > 7 ? `ahead of a reader, who takes about five` : `close to the speed of a reader: every stutter will be noticed`}.`,
    checkpoints: [
      {
        question: "Where does streaming change nothing at all?",
        answer: "Where nobody reads along: a program that parses the whole answer, a tool call, a batch job. There only the total time counts, and a good TTFT bought with slower decode can be a loss.",
      },
    ],
  },
  {
    id: "prompt-shape",
    title: "What hides in a prompt",
    experiment: "shapes",
    before: `The user writes eight words. The model reads much more: the system prompt, the conversation so far, retrieved documents, definitions and results of tools, the schema that the answer must follow. All of that is context, nobody sees it, and all of it is read before the first token.

The question below stays the same. Move the sliders to put things around it, and watch both numbers. Before you start: which of the two will move?`,
    after: ({ shapes }) => {
      if (!shapes || shapes.length < 2) return undefined;
      const bySize = [...shapes].sort((a, b) => a.shot.promptTokens - b.shot.promptTokens);
      const small = bySize[0]!.shot;
      const large = bySize.at(-1)!.shot;
      const slower = 1 - large.rate / small.rate;
      const decode =
        slower > 0.03
          ? `, ${percent(slower)} less`
          : slower < -0.1
            ? ". A longer prompt cannot make decode faster: the engine or the machine was busy with something else at the beginning, so measure again"
            : ", which is no difference to speak of";
      return `From ${plural(small.promptTokens, "token")} to ${plural(large.promptTokens, "token")} of prompt, your TTFT went from ${duration(small.ttftMs)} to **${duration(large.ttftMs)}**, ${times(large.ttftMs, small.ttftMs)} as long. The decode rate went from ${perSecond(small.rate)} to ${perSecond(large.rate)}${decode}.

So hidden context is paid for **in TTFT**, nearly token by token: each one here cost about ${duration((large.ttftMs - small.ttftMs) / Math.max(1, large.promptTokens - small.promptTokens))}. Decode only feels it through attention, because each new token looks back at all that came before; with long contexts that grows.

Three ways out: send less, or put what never changes *first* so that the prefix cache can keep it, or read it before the user asks.`;
    },
    checkpoints: [
      {
        question: "A system prompt of 2,000 tokens starts with the current time. Why is every request slow, although the cache is on?",
        answer: "The cache keeps *prefixes*: it can reuse tokens only up to the first one that differs. The time differs at once, so all 2,000 tokens behind it are read again each time. Put the time at the end, and they are read once.",
      },
    ],
  },
  {
    id: "batching",
    title: "One by one, yet many at once",
    experiment: "batch",
    before: `Why not write all tokens of an answer at once, as they are read? Because the second depends on the first: until a token is chosen, nobody knows what the next one follows. Within one answer decode is **sequential**, whatever the machine.

But other people's answers do not depend on yours. To make one token, the engine must fetch every weight of the model from memory; for that effort it can just as well make one token for each of several answers. That is **batching**.

Let 1, 2, 4, 8 and 16 users ask at the same time. What happens to the rate that each of them sees, and to the rate of all together?`,
    after: ({ batch }) => {
      if (!batch || batch.length < 2) return undefined;
      const one = batch[0]!;
      const many = batch.at(-1)!;
      const best = batch.reduce((a, b) => (b.total > a.total ? b : a));
      return `Alone, a user saw ${perSecond(one.perUser)}. Among ${many.users}, each saw **${perSecond(many.perUser)}**, ${percent(many.perUser / one.perUser)} of that. But all together got **${perSecond(many.total)}**, ${times(many.total, one.total)} the rate of one${
        best.users !== many.users ? `; the most, ${perSecond(best.total)}, came with ${plural(best.users, "user")}` : ""
      }.

Nobody's answer was parallel: each still came one token after the other. The steps were shared. ${
        many.total > one.total * 1.3
          ? "Each step got longer, but did more than it got longer. That is the bargain of serving: what each user gives up in speed buys more speed for all together."
          : "On this machine a step has little to share: its arithmetic is already busy with one token, so more users mostly wait for one another. Machines with more arithmetic than memory speed gain far more."
      }`;
    },
    checkpoints: [
      {
        question: "A benchmark says 900 tokens/s. What must you ask before you believe that a user will see fast text?",
        answer: "Whose tokens: one user's, or all users' together? With how many at once? 900 tokens/s in total with 64 users may be 14 tokens/s for each. Ask for both rates at the load you expect, and for TTFT at that load.",
      },
    ],
  },
  {
    id: "diagnose",
    title: "When it is slow: which stroke?",
    experiment: "interference",
    before: `"It is slow" is two complaints. Look at the stroke first, then at the cause.

| If TTFT is bad, look at | because |
|---|---|
| the **queue**: was it waiting? | then more capacity or fewer requests help, a shorter prompt does not |
| the **prompt**: how many tokens, and which? | reading is paid per token |
| the **cache**: how many came from it? | a changed first line throws all of it away |
| a **cold start** | the first request pays for loading |

| If tokens per second is bad, look at | because |
|---|---|
| the **batch**: how many wrote at once? | steps are shared |
| **interference**: was a prompt read meanwhile? | its chunks sit between your tokens |
| the **context**: how long has it grown? | every token looks back at all of it |
| **memory**: was the request preempted? | then its cache is built again |
| the **model and the machine** | one token cannot be faster than fetching the weights |

See one of them happen. A reader is in the middle of an answer; somebody else sends a long prompt. First alone, then disturbed:`,
    after: ({ interference: it }) => {
      if (!it) return undefined;
      const alone = gaps(it.alone);
      const disturbed = gaps(it.disturbed);
      const lost = it.disturbed.causesMs.decode_prefill ?? NaN;
      return `Alone, your reader's tokens came every ${duration(alone.usualMs)} and the longest gap was ${duration(alone.longestMs)}. Then ${plural(it.intruder.promptTokens, "token")} of somebody else's prompt arrived, and the longest gap became **${duration(disturbed.longestMs)}**. The whole decode took ${duration(it.disturbed.decodeMs)} instead of ${duration(it.alone.decodeMs)}.${
        lost > 1 ? `\n\nThe engine's ledger for the disturbed request names it: **${duration(lost)}** under \`decode_prefill\`, time that its decode lost because a prompt was read in the same steps.` : ""
      }

Nothing about the reader's own request had changed: same prompt, same length, same model. Averages would not have shown it either. That is why this engine books every nanosecond of a request under one cause.`;
    },
    checkpoints: [
      {
        question: "TTFT has doubled since yesterday. The prompts are the same, prefill time is the same. What is left?",
        answer: "The queue. TTFT is what comes before prefill, and prefill. If the second has not changed, requests wait longer before they begin: more of them arrive, others' answers are longer and hold their places, or memory for their caches has run out.",
      },
    ],
  },
  {
    id: "trade",
    title: "What helps one stroke can hurt the other",
    experiment: "chunks",
    before: `In the last experiment a long prompt was read while somebody was being written to. The engine did not read it in one go: it cut it into **chunks**, and between two chunks everybody who decodes gets a token.

How large should a chunk be?

- **Large** chunks read faster: each step has a fixed price, and fewer steps pay it less often. TTFT gets better. But everybody who decodes waits for the whole chunk: their text stutters.
- **Small** chunks let decode flow. But the prompt is read in more steps, and each of them also carries the others' tokens: TTFT gets worse.

No setting wins both. Below is what your engine's own cost model, fitted to the steps it has run, expects for a prompt of 1,000 tokens while four others are being written to.`,
    after: ({ chunks: terms }) => {
      if (!terms) return undefined;
      const rows = CHUNKS.map((chunk) => chunkTrade(terms, chunk, 1000, 4, 300));
      const small = rows[0]!;
      const large = rows.at(-1)!;
      return `With chunks of ${small.chunk} tokens, expect a TTFT of ${duration(small.ttftMs)} and a longest gap of ${duration(small.longestMs)} for the others. With ${large.chunk}: a TTFT of **${duration(large.ttftMs)}**, and gaps of **${duration(large.longestMs)}**. These are estimates${
        Number.isFinite(terms.errorMedian) ? `; lately they were off by ${percent(terms.errorMedian)} in the median` : ""
      }.

This engine picks each chunk so that a step stays within a target${terms.targetItlMs ? ` (${duration(terms.targetItlMs)} on your server)` : ""}. The target is a product decision, not a technical one. Such a decision needs:

1. **both numbers**, TTFT and the decode rate (or the gap between tokens), never one of them;
2. **at the load you expect**, because both change with it;
3. **as a distribution**: the median is what most see, the 95th percentile is what they complain about;
4. **what the reader does with the answer**: chat wants a first token soon, a long read wants a steady flow, a program wants the whole.`;
    },
    checkpoints: [
      {
        question: "Somebody proposes a cache for retrieved documents, a smaller model, and a larger batch limit. Which stroke does each of them help, and which can it hurt?",
        answer: "The cache helps TTFT and does nothing for decode. A smaller model helps both, and may hurt the answers. A larger batch limit shortens the queue, and so TTFT under load, and raises total throughput, but each user's decode gets slower, and more memory is in use.",
      },
    ],
  },
  {
    id: "check",
    title: "Quick check",
    experiment: "quiz",
    before: "Six questions. Choose what you believe, and read why: each answer has its reason, the wrong ones too.",
    after: () => undefined,
    checkpoints: [],
  },
];
