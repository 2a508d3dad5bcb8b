// The lesson against the real engine: every experiment runs, its numbers are in the text, progress stays, and without a
// server a recorded run takes their place.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { axe, Browser, cutOff, missing, Server, shot } from "./browser.mjs";

if (missing) {
  console.log(`skipped: ${missing} (make test sets it up)`);
  process.exit(77);
}

const recording = JSON.parse(readFileSync(new URL("../../web/src/learn/recording.json", import.meta.url), "utf8"));
let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), Browser.start()]);
});
after(async () => {
  await browser?.stop();
  await server?.stop("SIGKILL");
});

const NUMBER = String.raw`[\d.,]+ (ms|s)\b`;
const EXPECTED = [
  [new RegExp(`Your engine read \\d+ tokens in ${NUMBER} and then wrote 40 tokens in ${NUMBER}`)],
  [new RegExp(`Your TTFT was ${NUMBER}: ${NUMBER} before the engine began and ${NUMBER} of reading`)],
  [/Both times your engine wrote 80 tokens/, /the screen stayed empty for/],
  [/From \d+ tokens to [\d,]+ tokens of prompt, your TTFT went from/, /hidden context is paid for in TTFT/],
  [/Alone, a user saw [\d.]+ tokens\/s\. Among 16, each saw/],
  [/the longest gap became/, /decode_prefill/],
  [/With chunks of 16 tokens, expect a TTFT of/, /These are estimates/],
];

/** To the next step, and there. */
async function next(page) {
  const title = (await page.locator(".row .button.primary").textContent()).replace(/^Next: /, "");
  await page.locator(".row .button.primary").click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
}

test("a student works through the lesson, with numbers of the engine in the text", async () => {
  const page = await browser.open(server.url + "/#/learn");
  await page.locator(".status.ready").waitFor();
  const { endpoints } = await (await fetch(server.url + "/props")).json();
  for (let step = 0; step < EXPECTED.length; step += 1) {
    const frame = page.locator(".frame");
    const button = frame.locator(".button.primary");
    if (step === 6 && !endpoints.includes("GET /v1/cost-model")) {
      await page.getByText("This server has no /v1/cost-model").waitFor();
      await next(page);
      continue;
    }
    if (step !== 1) {
      await button.click();
      await page.locator(".frame[aria-busy=false] .button.primary").waitFor();
    }
    assert.equal(await frame.locator(".notice.bad").count(), 0, await frame.textContent());
    const text = (await page.locator(".after").textContent()).replace(/\s+/g, " ");
    for (const pattern of EXPECTED[step]) assert.match(text, pattern);
    assert.doesNotMatch(text, /NaN|undefined|Infinity|–/);
    assert.deepEqual(await axe(page), [], `step ${step + 1}`);
    const question = page.locator(".checkpoint summary").first();
    await question.focus();
    await page.keyboard.press("Enter");
    await page.locator(".checkpoint[open] p").first().waitFor();
    await shot(page, `learn-${step + 1}`);
    await next(page);
  }
  // The quick check: every wrong choice has its reason, every right one too.
  const questions = page.locator(".quiz fieldset");
  assert.equal(await questions.count(), 6);
  for (let i = 0; i < 6; i += 1) {
    const choices = questions.nth(i).locator("input");
    const reasons = new Set();
    let right = -1;
    for (let at = 0; at < (await choices.count()); at += 1) {
      await choices.nth(at).check();
      const reason = await questions.nth(i).locator(".notice").textContent();
      reasons.add(reason);
      if (reason.startsWith("Right.")) right = at;
    }
    assert.equal(reasons.size, await choices.count());
    await choices.nth(right).check();
  }
  assert.match(await page.textContent(".result"), /6 of 6 right/);
  assert.deepEqual(await axe(page), []);
  await shot(page, "learn-check");
  await page.reload();
  assert.match(await page.textContent(".result"), /6 of 6 right/, "progress is kept");
  assert.match(await page.textContent("nav[aria-label=Lesson]"), /7 of 8 done/);
  assert.deepEqual(page.problems, []);
  await page.setViewportSize({ width: 360, height: 740 });
  assert.deepEqual(await cutOff(page), []);
  await page.getByRole("button", { name: "Start over" }).click();
  assert.match(await page.textContent("nav[aria-label=Lesson]"), /0 of 8 done/);
  await page.close();
});

test("without a server the lesson shows a recorded run and says so", async () => {
  const page = await browser.open(server.url + "/#/learn");
  await page.locator(".status.ready").waitFor();
  await page.evaluate(() => localStorage.clear());
  await page.reload();
  await page.locator(".status.ready").waitFor();
  await server.stop("SIGKILL");
  await page.getByText("the numbers are from a recorded run").waitFor();
  for (let step = 0; step < EXPECTED.length; step += 1) {
    if (step !== 6 || recording.chunks) {
      const text = (await page.locator(".after").textContent()).replace(/\s+/g, " ");
      for (const pattern of EXPECTED[step]) assert.match(text, pattern);
      assert.match(await page.locator(".frame").textContent(), /Recorded: /);
    }
    await next(page);
  }
  await shot(page, "learn-recorded");
  await page.close();
});
