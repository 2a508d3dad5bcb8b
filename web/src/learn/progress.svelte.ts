// Where the reader is in the lesson, and what the experiments found. Kept in the browser.
import { getJson } from "../lib/api.ts";
import { server } from "../lib/server.svelte.ts";
import { isObject, load, save } from "../lib/storage.ts";
import { type CostTerms, costTerms, isResults, type Results } from "./results.ts";
import recording from "./recording.json";

interface Progress {
  done: Record<string, boolean>; // step id
  answers: Record<string, number>; // question id -> choice
}
const isProgress = (value: unknown) => isObject(value) && isObject(value.done) && isObject(value.answers);

class LessonState {
  progress = $state<Progress>(load("learn", { done: {}, answers: {} }, isProgress));
  own = $state<Results>(load<Results>("learn.results", {}, isResults));

  /** Without a server there is nothing to measure: the lesson shows a recorded run. */
  get recorded(): boolean {
    return server.phase === "unreachable" || server.phase === "static";
  }
  get results(): Results {
    return this.recorded ? { ...(recording as unknown as Results), ...$state.snapshot(this.own) } : this.own;
  }
  /** Are the numbers of this experiment the recording's? */
  isRecording(key: keyof Results): boolean {
    return this.recorded && this.own[key] === undefined;
  }
  get recordedAbout() {
    return (recording as unknown as Results).about;
  }

  keep<K extends keyof Results>(key: K, value: Results[K]) {
    this.own[key] = value;
    const props = server.props;
    if (props) {
      this.own.about = { model: props.model_alias, threads: props.threads ?? 0, isa: props.isa ?? "", at: new Date().toISOString() };
    }
    save("learn.results", $state.snapshot(this.own));
  }
  finish(step: string) {
    this.progress.done[step] = true;
    save("learn", $state.snapshot(this.progress));
  }
  choose(question: string, choice: number) {
    this.progress.answers[question] = choice;
    save("learn", $state.snapshot(this.progress));
  }
  startOver() {
    this.progress = { done: {}, answers: {} };
    this.own = {};
    save("learn", this.progress);
    save("learn.results", {});
  }
}

/** The engine's cost terms, fitted to what it has run. */
export async function fetchCostTerms(signal: AbortSignal): Promise<CostTerms | undefined> {
  const terms = costTerms(await getJson<unknown>("v1/cost-model", signal));
  const target = server.props?.limits?.target_itl_ms;
  return terms && { ...terms, ...(target ? { targetItlMs: target } : {}) };
}

export const lesson = new LessonState();
