// Live against the real engine under some load, and against a made-up one with 200 requests; and the page when the server
// goes away and comes back.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { axe, Browser, cutOff, missing, Server, shot } from "./browser.mjs";
import { startFakeEngine } from "./fake_engine.mjs";

if (missing) {
  console.log(`skipped: ${missing} (make test sets it up)`);
  process.exit(77);
}

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), Browser.start()]);
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

function ask(words, maxTokens) {
  const content = `${Math.random()} ${"lighthouse ".repeat(words)}`;
  const body = { messages: [{ role: "user", content }], max_completion_tokens: maxTokens, ignore_eos: true };
  return fetch(`${server.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body) }).then((reply) => reply.json());
}

test("an operator sees requests, steps and memory, and looks one request up", async () => {
  const page = await browser.open(server.url + "/#/live");
  await page.locator(".status.ready").waitFor();
  await page.getByText("None yet.").waitFor();
  const done = Promise.all([ask(20, 150), ask(500, 20), ask(30, 200), ask(400, 30)]);
  await page.locator("td.decode, td.prefill").first().waitFor();
  const replies = await done;
  for (const reply of replies) assert.ok(reply.usage, JSON.stringify(reply));
  await page.waitForFunction(() => document.querySelectorAll("tbody td.finished").length >= 4);
  assert.match(await page.locator(".kv").textContent(), /KV blocks: [\d,]+.*\d+ in use.*shared.*cached.*free/s);
  assert.match(await page.locator(".steps").textContent(), /the last took [\d.]+ m?s/);
  await page.keyboard.press("Tab");
  // From the keyboard: pause, zoom, and a request's ledger out of the table.
  await page.locator(".picture").focus();
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Go on" }).waitFor();
  await page.keyboard.press("-");
  assert.equal(await page.locator(".zoom").textContent(), "20 s");
  await page.waitForTimeout(300);
  await shot(page, "live-paused");
  await page.getByRole("button", { name: /^Request \d+: show its ledger/ }).first().focus();
  await page.keyboard.press("Enter");
  const drawer = page.locator(".drawer");
  await drawer.getByText("All of it, to the nanosecond").waitFor();
  assert.match(await drawer.textContent(), /writing its own tokens/);
  assert.deepEqual(await axe(page), []);
  await shot(page, "live-ledger");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Perfetto trace" }).click()]);
  const trace = JSON.parse(readFileSync(await download.path(), "utf8"));
  assert.ok(trace.traceEvents.length > 100);
  assert.deepEqual(page.problems, []);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.waitForTimeout(300);
  assert.deepEqual(await cutOff(page), []);
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "live-phone-dark");
  assert.deepEqual(await axe(page), []);
  await page.close();
});

test("200 requests at once: the picture keeps moving, and says when it is a sample", async () => {
  const fake = await startFakeEngine(200);
  try {
    const page = await browser.open(`${fake.url}/#/live`);
    await page.locator(".status.ready").waitFor();
    await page.waitForTimeout(3000);
    await page.getByText("neighbours are drawn as one").waitFor();
    const frames = await page.evaluate(() => new Promise((resolve) => {
      let count = 0;
      const begin = performance.now();
      const tick = () => (performance.now() - begin > 2000 ? resolve(count / 2) : ((count += 1), requestAnimationFrame(tick)));
      requestAnimationFrame(tick);
    }));
    console.log(`frames per second on this machine now, drawn without a GPU: ${frames}`);
    assert.ok(frames >= 5, "it stands still"); // how fast it is depends on who else uses the machine
    await shot(page, "live-200");
    assert.deepEqual(page.problems, []);
    await page.close();
  } finally {
    fake.stop();
  }
});

test("who wants no motion gets still pictures", async () => {
  const page = await browser.context.newPage();
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.goto(server.url + "/#/live");
  await page.locator(".status.ready").waitFor();
  const running = await page.evaluate(() => document.getAnimations().length);
  assert.equal(running, 0);
  await page.close();
});

test("a server that restarts: said at once, nothing lost, and the page goes on by itself", async () => {
  const page = await browser.open(server.url + "/");
  await page.locator(".status.ready").waitFor();
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  await page.fill("#set-maxTokens", "0");
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await page.fill("#prompt", "Tell me everything about lighthouses, at great length.");
  await page.keyboard.press("Enter");
  await page.locator(".segment.decode").waitFor();
  const port = server.port;
  await server.stop("SIGKILL");
  await page.locator(".status.unreachable").waitFor();
  await page.getByText("The server cannot be reached.").waitFor();
  await page.getByText("the connection broke in the middle of the answer").waitFor();
  assert.ok((await page.locator(".answer .text").textContent()).length > 0, "what was written stays");
  await page.fill("#prompt", "not sent yet");
  assert.ok(await page.getByRole("button", { name: "Send", exact: true }).isDisabled());
  await shot(page, "chat-unreachable");
  server = await Server.start([], port);
  await page.locator(".status.ready").waitFor();
  assert.equal(await page.inputValue("#prompt"), "not sent yet");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".segment.decode").waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("You stopped it.").waitFor();
  // The network goes, the server stays.
  await page.getByRole("link", { name: "Live", exact: true }).click();
  await page.locator(".live").waitFor();
  await page.context().setOffline(true);
  await page.locator(".status.unreachable").waitFor();
  await page.context().setOffline(false);
  await page.locator(".status.ready").waitFor();
  await page.waitForFunction(() => !document.querySelector(".live .notice.bad"));
  await page.close();
});
