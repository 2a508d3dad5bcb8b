// The quick check: questions with choices, and for each choice what is right or wrong about it.

export interface Choice {
  text: string;
  right: boolean;
  why: string;
}

export interface Question {
  id: string;
  text: string;
  choices: Choice[];
}

export const QUESTIONS: Question[] = [
  {
    id: "ttft",
    text: "Time to first token mostly tells you about …",
    choices: [
      { text: "decode", right: false, why: "Decode begins where TTFT ends: with the first token. Its number is tokens per second." },
      { text: "waiting and prefill", right: true, why: "Yes. From the request's arrival to the first token there is only the queue and the reading of the prompt." },
      { text: "the length of the answer", right: false, why: "When the first token is there, nobody knows yet how long the answer will be. It cannot matter." },
      { text: "the network alone", right: false, why: "The network adds to it, but on its own it does not explain why a longer prompt has a longer TTFT." },
    ],
  },
  {
    id: "sequential",
    text: "Why does one answer come token by token?",
    choices: [
      { text: "Because the server streams it", right: false, why: "Streaming only shows tokens as they are made. Without it they are made one by one just the same." },
      { text: "Because each token depends on the ones before it", right: true, why: "Yes. The next token follows from all tokens so far, so it cannot be computed before they are chosen." },
      { text: "Because the machine has too few cores", right: false, why: "More cores make a step faster. They cannot know what the token before will be." },
      { text: "Because batching is off", right: false, why: "Batching lets several answers share a step. Within one answer there is still one token after the other." },
    ],
  },
  {
    id: "hidden",
    text: "A product adds 3,000 tokens of retrieved documents to every prompt. What will users notice first?",
    choices: [
      { text: "Text flows more slowly", right: false, why: "A little, because each token looks back at more. But reading 3,000 tokens before the first one is far more noticeable." },
      { text: "Nothing: context is free", right: false, why: "Each token of context is read before the first token of the answer, unless the prefix cache has it already." },
      { text: "It takes longer until anything appears", right: true, why: "Yes. Hidden context is paid for in prefill: TTFT grows with nearly every token." },
      { text: "Answers get shorter", right: false, why: "The length of the answer is up to the model and its limit, unless the context runs full." },
    ],
  },
  {
    id: "first",
    text: "Users say: \"It takes for ever until it starts.\" What do you look at first?",
    choices: [
      { text: "Tokens per second", right: false, why: "That is the other stroke. They complain about the time before the first token." },
      { text: "Whether requests wait in the queue or are being read", right: true, why: "Yes. Split TTFT first: waiting and reading have different cures, and the ledger tells which it was." },
      { text: "A smaller model", right: false, why: "It may help, but if they wait in the queue because of long answers, you will have paid for it in quality and changed little." },
      { text: "A faster network", right: false, why: "Rarely seconds. The server's own TTFT shows at once whether it is inside or outside." },
    ],
  },
  {
    id: "batch",
    text: "Eight users instead of one, and the total rate goes up. What happened to each user?",
    choices: [
      { text: "Each sees faster text too", right: false, why: "Total and per-user rate go different ways: the steps are shared, and a shared step is longer, not shorter." },
      { text: "Each sees the same or slower text", right: true, why: "Yes. A step that makes eight tokens takes somewhat longer than one that makes one. All together gain, each alone does not." },
      { text: "Each answer is now written in parallel", right: false, why: "No answer is. Eight answers advance side by side, each one token at a time." },
    ],
  },
  {
    id: "chunk",
    text: "You make prefill chunks larger. What do you expect?",
    choices: [
      { text: "Both strokes get faster", right: false, why: "Reading does. But who is being written to has to wait for the larger chunk between two tokens." },
      { text: "TTFT gets better, running answers may stutter", right: true, why: "Yes. Fewer, longer steps: the prompt is read sooner, and the gaps between others' tokens grow." },
      { text: "TTFT gets worse, decode gets smoother", right: false, why: "That is what smaller chunks do." },
      { text: "Nothing: the same tokens are computed", right: false, why: "The same tokens, but in another order: what is shared in a step, and how often its fixed price is paid, changes." },
    ],
  },
];
