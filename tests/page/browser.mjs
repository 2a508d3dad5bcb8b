// Chromium and a server for the page's tests: starts both, and watches the console. The packages live in web/.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const WEB = new URL("../../web/", import.meta.url);
const require = createRequire(WEB);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

export const AXE = require.resolve("axe-core/axe.min.js");
export const CHROMIUM = process.env.TWOSTROKE_CHROMIUM ?? "/usr/bin/chromium";
export const PATIENCE_MS = 120_000; // for what must happen; a slow machine is not a failure
const SHOTS = process.env.TWOSTROKE_SCREENSHOTS ?? new URL("../../build/screenshots", import.meta.url).pathname;

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

export class Server {
  /** Resolves once it says that it listens. */
  static async start(flags = [], port = 0) {
    const server = new Server();
    const args = ["serve", process.env.TWOSTROKE_MODEL, "--host", "127.0.0.1", "--port", String(port), ...flags];
    server.process = spawn(process.env.TWOSTROKE_BIN, args, { stdio: ["ignore", "pipe", "pipe"] });
    server.log = "";
    server.process.stderr.on("data", (text) => (server.log += text));
    server.ended = new Promise((resolve) => server.process.on("exit", resolve));
    for await (const line of createInterface({ input: server.process.stdout })) {
      if (!line.startsWith("listening on ")) continue;
      server.url = line.split(" ").at(-1);
      server.port = Number(new URL(server.url).port);
      return server;
    }
    throw new Error(`the server did not start: ${server.log}`);
  }
  async stop(signal = "SIGTERM") {
    this.process.kill(signal);
    return this.ended;
  }
}

export class Browser {
  static async start() {
    const { chromium } = (await load("playwright-core")).default;
    const profile = mkdtempSync(join(tmpdir(), "twostroke-chromium-"));
    const it = new Browser();
    it.profile = profile;
    it.context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM, args: FLAGS, headless: true, viewport: { width: 1280, height: 860 }, acceptDownloads: true,
    });
    it.context.setDefaultTimeout(PATIENCE_MS);
    it.context.setDefaultNavigationTimeout(PATIENCE_MS);
    return it;
  }
  /** A page that notes what the console complains about. */
  async open(url) {
    const page = await this.context.newPage();
    page.problems = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") page.problems.push(message.text());
    });
    page.on("pageerror", (error) => page.problems.push(String(error)));
    await page.goto(url);
    return page;
  }
  async stop() {
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

export async function shot(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

/** What axe finds wrong, in short. */
export async function axe(page) {
  await page.evaluate(await import("node:fs").then((fs) => fs.readFileSync(AXE, "utf8")));
  const result = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return result.violations.map((it) => `${it.id}: ${it.nodes.map((node) => `${node.target} ${node.failureSummary}`).slice(0, 3).join(" | ")}`);
}

/** What reaches past the right edge, apart from what scrolls by itself. */
export async function cutOff(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll("header *, main *")]
      .filter((it) => it.getClientRects().length > 0 && !it.closest("pre, .scroll, .visually-hidden, svg"))
      .filter((it) => it.getBoundingClientRect().right > innerWidth + 1)
      .map((it) => `${it.tagName}.${it.className}: ${it.textContent.slice(0, 40)}`)
      .slice(0, 5),
  );
}

export const missing = [
  [process.env.TWOSTROKE_BIN && existsSync(process.env.TWOSTROKE_BIN), "TWOSTROKE_BIN names no binary"],
  [process.env.TWOSTROKE_MODEL && existsSync(process.env.TWOSTROKE_MODEL), "TWOSTROKE_MODEL names no file"],
  [existsSync(CHROMIUM), `there is no ${CHROMIUM}`],
  [existsSync(new URL("node_modules/playwright-core", WEB)), "web/node_modules has no playwright-core"],
].find(([there]) => !there)?.[1];
