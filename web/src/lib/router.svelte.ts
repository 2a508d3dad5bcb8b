// Which view is shown: "#/live" and so on. Fragments never reach the server, so every path prefix works.

export const VIEWS = ["chat", "live", "measure", "learn"] as const;
export type View = (typeof VIEWS)[number];

function parse(hash: string): { view: View; rest: string } {
  const [, name = "", rest = ""] = /^#\/([a-z]*)\/?(.*)$/.exec(hash) ?? [];
  const view = VIEWS.find((it) => it === name) ?? "chat";
  return { view, rest: view === name ? decodeURIComponent(rest) : "" };
}

class Router {
  #at = $state.raw(parse(location.hash));
  constructor() {
    addEventListener("hashchange", () => (this.#at = parse(location.hash)));
  }
  get view(): View {
    return this.#at.view;
  }
  /** What follows the view's name: a lesson step, a request. */
  get rest(): string {
    return this.#at.rest;
  }
  go(view: View, rest = "") {
    location.hash = href(view, rest);
  }
}

export function href(view: View, rest = ""): string {
  return rest ? `#/${view}/${encodeURIComponent(rest)}` : `#/${view}`;
}

export const router = new Router();
