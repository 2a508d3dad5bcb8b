// The lesson as one Markdown document, with the recorded numbers in it: for readers without a server.
import { count, digits, duration } from "../lib/format.ts";
import { STEPS } from "./lesson.ts";
import { QUESTIONS } from "./quiz.ts";
import recording from "./recording.json";
import { CHUNKS, chunkTrade, type Results } from "./results.ts";

const results = recording as unknown as Results;

function table(head: string[], rows: string[][]): string {
  return [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");
}

/** What the experiment's picture shows, as a table. */
function figures(experiment: string): string {
  if (experiment === "shapes" && results.shapes) {
    return table(["prompt tokens", "TTFT", "tokens/s"], results.shapes.map((it) => [count(it.shot.promptTokens), duration(it.shot.ttftMs), digits(it.shot.rate)]));
  }
  if (experiment === "batch" && results.batch) {
    return table(["users", "each, tokens/s", "together, tokens/s"], results.batch.map((it) => [String(it.users), digits(it.perUser), digits(it.total)]));
  }
  if (experiment === "chunks" && results.chunks) {
    const terms = results.chunks;
    return table(["chunk", "TTFT (estimate)", "longest gap (estimate)"], CHUNKS.map((it) => chunkTrade(terms, it, 1000, 4, 300)).map((it) => [String(it.chunk), duration(it.ttftMs), duration(it.longestMs)]));
  }
  return "";
}

const details = (summary: string, body: string) => `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;

export function lessonDocument(): string {
  const about = results.about;
  const parts = [
    "# The two strokes: a lesson",
    `This is the lesson of the page's **Learn** view, with the numbers of a recorded run: ${about?.model} on ${about?.machine}, ${about?.threads} threads, ${about?.at}. ` +
      "They are one run on one machine, there to think with, not a benchmark. `twostroke serve`, then *Learn*, gives your own. " +
      "Written by `node web/lesson.mjs document`; do not edit.",
  ];
  STEPS.forEach((step, at) => {
    parts.push(`## ${at + 1}. ${step.title}`, step.before);
    const shown = figures(step.experiment);
    if (shown) parts.push(shown);
    const after = step.after(results);
    if (after) parts.push(after);
    for (const it of step.checkpoints) parts.push(`*To think about.* ${it.question}`, details("An answer", it.answer));
    if (step.experiment !== "quiz") return;
    for (const question of QUESTIONS) {
      parts.push(`**${question.text}**`, question.choices.map((it) => details(it.text, `${it.right ? "**Right.**" : "Not quite."} ${it.why}`)).join("\n"));
    }
  });
  return `${parts.join("\n\n")}\n`;
}
