// Runs every experiment of the lesson, one after the other, for a recording.
import { getJson } from "../lib/api.ts";
import type { Props } from "../lib/types.ts";
import { batch, interference, shaped, streaming, strokes } from "./experiments.ts";
import { BARE, SHAPES } from "./prompts.ts";
import { costTerms, type Results } from "./results.ts";

const rounded = (_key: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(6)) : value);

export async function recordAll(machine: string, say: (text: string) => void): Promise<Results> {
  const signal = new AbortController().signal;
  const still = () => undefined;
  const props = await getJson<Props>("props");
  const about = { model: props.model_alias, threads: props.threads ?? 0, isa: props.isa ?? "", at: new Date().toISOString().slice(0, 10), machine };
  say("warming up");
  await shaped(BARE, still, signal);
  say("strokes");
  const results: Results = { about, strokes: await strokes(still, signal) };
  say("streaming");
  results.streaming = await streaming(still, signal);
  results.shapes = [];
  for (const shape of SHAPES) {
    say(`shape ${JSON.stringify(shape)}`);
    results.shapes.push(await shaped(shape, still, signal));
  }
  results.batch = [];
  for (const users of [1, 2, 4, 8, 16]) {
    say(`${users} users`);
    results.batch.push(await batch(users, still, signal));
  }
  say("interference");
  results.interference = await interference(still, signal);
  const terms = costTerms(await getJson<unknown>("v1/cost-model").catch(() => undefined));
  if (terms) results.chunks = { ...terms, ...(props.limits?.target_itl_ms ? { targetItlMs: props.limits.target_itl_ms } : {}) };
  return JSON.parse(JSON.stringify(results, rounded)) as Results;
}
