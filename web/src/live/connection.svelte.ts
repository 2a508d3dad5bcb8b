// The one subscription to /v1/events: opened while somebody looks, opened again when it breaks, with events put into the
// feed as they come.
import { ApiError, getStream } from "../lib/api.ts";
import { server } from "../lib/server.svelte.ts";
import { readEvents } from "../lib/sse.ts";
import { ClockPair, LiveFeed, type LiveEvent } from "./feed.ts";

export type LinkState = "off" | "connecting" | "open" | "broken";

class LiveConnection {
  feed = new LiveFeed();
  clock = new ClockPair();
  state = $state<LinkState>("off");
  problem = $state("");
  dropped = $state(0);
  #users = 0;
  #running = false; // a loop that is just ending goes on when somebody comes back
  #controller: AbortController | undefined;

  /** Keeps it open until the returned function is called. */
  use(): () => void {
    this.#users += 1;
    if (!this.#running) void this.#run();
    return () => {
      this.#users -= 1;
      if (this.#users === 0) this.#controller?.abort();
    };
  }

  async #run() {
    let waitMs = 500;
    this.#running = true;
    while (this.#users > 0) {
      const controller = (this.#controller = new AbortController());
      this.state = this.state === "off" ? "connecting" : this.state;
      try {
        const response = await getStream("v1/events?interval_ms=100", controller.signal);
        for await (const { data } of readEvents(response)) {
          const event = JSON.parse(data) as LiveEvent;
          if (event.type === "hello") {
            this.state = "open";
            this.problem = "";
            waitMs = 500;
            this.clock.reset();
          }
          this.feed.add(event);
          this.dropped = this.feed.dropped;
          this.clock.saw(this.feed.nowMs, performance.now());
        }
        throw new ApiError("the server ended the stream", 0);
      } catch (error) {
        if (this.#users === 0) break;
        this.state = "broken";
        this.problem = error instanceof ApiError ? error.message : "the connection broke";
        void server.check();
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      waitMs = Math.min(5000, waitMs * 1.6);
    }
    this.state = "off";
    this.#running = false;
  }
}

export const live = new LiveConnection();
