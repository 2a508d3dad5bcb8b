// Whether there is a server, what it is doing, and what it can do. Asks often while something is wrong and rarely while
// all is well; everything that fails elsewhere on the page says so here, so that one line in the header tells the state.
import { ApiError, getJson } from "./api.ts";
import type { Props } from "./types.ts";

export type ServerPhase = "connecting" | "loading" | "ready" | "unreachable" | "static";

// By a row of the server's own list of endpoints (/props).
const FEATURES = {
  requests: "GET /v1/requests/",
  events: "GET /v1/events",
  trace: "GET /v1/trace",
  costModel: "GET /v1/cost-model",
  measure: "POST /v1/measure/runs",
} as const;
export type Feature = keyof typeof FEATURES;

const RETRY_MS = 1000;
const CALM_MS = 15_000;

class ServerState {
  phase = $state<ServerPhase>("connecting");
  message = $state("");
  props = $state.raw<Props | undefined>();
  /** Counts how often a server became ready: another number, another server. */
  generation = $state(0);
  #timer: ReturnType<typeof setTimeout> | undefined;

  start() {
    if (document.querySelector('meta[name="twostroke-static"]')) {
      this.phase = "static"; // an exported lesson: there never will be a server
      return;
    }
    document.addEventListener("visibilitychange", () => document.hidden || this.check());
    addEventListener("online", () => this.check());
    void this.check();
  }

  /** Something failed, or came back: look again now. */
  async check() {
    clearTimeout(this.#timer);
    const before = this.phase;
    try {
      const props = await getJson<Props>("props", AbortSignal.timeout(10_000));
      this.props = props;
      if (before !== "ready") this.generation += 1;
      this.phase = "ready";
      this.message = "";
    } catch (error) {
      if (error instanceof ApiError && error.status === 503) {
        this.phase = "loading";
        this.message = error.message;
      } else {
        this.phase = "unreachable";
        this.message = error instanceof ApiError && error.status > 0 ? error.message : "no reply";
      }
    }
    clearTimeout(this.#timer);
    const again = this.phase === "ready" ? CALM_MS : RETRY_MS;
    this.#timer = setTimeout(() => (document.hidden ? undefined : this.check()), again);
  }

  can(feature: Feature): boolean {
    return this.props?.endpoints?.includes(FEATURES[feature]) === true;
  }
}

export const server = new ServerState();
