// Light, dark, or as the system says; and whether things may move.
import { load, save } from "./storage.ts";

export type Theme = "auto" | "light" | "dark";
const isTheme = (value: unknown): value is Theme => value === "auto" || value === "light" || value === "dark";

class ThemeState {
  #choice = $state<Theme>(load("theme", "auto", isTheme));
  #systemDark = $state(false);
  constructor() {
    const query = matchMedia("(prefers-color-scheme: dark)");
    this.#systemDark = query.matches;
    query.addEventListener("change", () => (this.#systemDark = query.matches));
    this.#apply();
  }
  get choice(): Theme {
    return this.#choice;
  }
  set choice(theme: Theme) {
    this.#choice = theme;
    save("theme", theme);
    this.#apply();
  }
  /** For canvases, which cannot use light-dark(). */
  get dark(): boolean {
    return this.#choice === "auto" ? this.#systemDark : this.#choice === "dark";
  }
  #apply() {
    if (this.#choice === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.#choice;
  }
}

export const theme = new ThemeState();

export const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
