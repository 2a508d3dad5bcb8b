// A clock that components read while something runs: performance.now(), refreshed every frame, or four times a second
// where motion is not wanted. Stands still while nobody needs it.
import { prefersStillness } from "./theme.svelte.ts";

class FrameClock {
  now = $state(performance.now());
  #users = 0;
  #cancel: (() => void) | undefined;

  /** Keeps it running until the returned function is called. */
  run(): () => void {
    this.#users += 1;
    if (this.#users === 1) this.#tick();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#users -= 1;
      if (this.#users === 0) this.#cancel?.();
    };
  }

  #tick = () => {
    this.now = performance.now();
    if (this.#users === 0) return;
    if (prefersStillness()) {
      const timer = setTimeout(this.#tick, 250);
      this.#cancel = () => clearTimeout(timer);
    } else {
      const frame = requestAnimationFrame(this.#tick);
      this.#cancel = () => cancelAnimationFrame(frame);
    }
  };
}

export const frameClock = new FrameClock();
