// Chat in a real browser against the real model: what a reader does, and what a hostile text must not do.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, Browser, cutOff, missing, Server, shot } from "./browser.mjs";

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

const answers = (page) => page.locator(".answer[aria-busy=false]");
async function send(page, text) {
  await page.fill("#prompt", text);
  await page.keyboard.press("Enter");
}
async function fresh() {
  const page = await browser.open(server.url + "/");
  await page.locator(".status.ready").waitFor();
  await page.evaluate(() => localStorage.clear());
  await page.reload();
  await page.locator(".status.ready").waitFor();
  return page;
}
async function setSettings(page, values) {
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  for (const [id, value] of Object.entries(values)) await page.fill(`#${id}`, String(value));
  await page.getByRole("button", { name: "Close", exact: true }).click();
}

test("a newcomer sees a prompt being read and an answer being written", async () => {
  const page = await fresh();
  assert.match(await page.textContent(".welcome"), /reads.*prefill.*writes.*decode/s);
  assert.deepEqual(await axe(page), []);
  await shot(page, "chat-welcome");
  await page.getByText("Give it a lot to read").click();
  await page.locator(".segment.prefill.growing").waitFor();
  await page.getByText(/Reading the prompt: [\d,]+ of [\d,]+ tokens/).waitFor();
  await shot(page, "chat-reading");
  await page.locator(".segment.decode.growing").waitFor();
  await shot(page, "chat-writing");
  await answers(page).waitFor();
  const label = await page.locator(".timeline").getAttribute("aria-label");
  assert.match(label, /^Queue .*Prefill [\d.]+ m?s, Decode .*; first token after [\d.]+ m?s$/);
  const words = await page.textContent(".words");
  assert.match(words, /Read \d{3,4} tokens in [\d.]+ m?s\b.*Wrote \d+ tokens, one after the other: [\d.]+ tokens\/s, [\d.]+ ms each/s);
  // The same prompt again is in the cache: hatched, and said.
  await page.getByRole("button", { name: "Answer again" }).click();
  await page.getByText(/of them from the cache/).waitFor();
  await answers(page).waitFor();
  assert.equal(await page.locator(".cached.hatched").count(), 1);
  await shot(page, "chat-cached");
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("stop, edit and resend, answer again, several conversations, all kept by the browser", async () => {
  const page = await fresh();
  await setSettings(page, { "set-maxTokens": 0, "set-temperature": 0 });
  await send(page, "Count from one to five hundred in words.");
  await page.locator(".segment.decode").waitFor();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByText("You stopped it.").waitFor();
  await setSettings(page, { "set-maxTokens": 12 });
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await page.getByLabel("Edit your message").fill("Say hello.");
  await page.getByRole("button", { name: "Send again" }).click();
  await page.locator(".answer[aria-busy=false] .text").waitFor();
  assert.equal(await page.locator("article.user p").textContent(), "Say hello.");
  const first = await page.textContent(".answer .text");
  await page.getByRole("button", { name: "Answer again" }).click();
  await page.locator(".answer[aria-busy=true]").waitFor({ state: "detached" });
  await answers(page).waitFor();
  assert.equal(await page.textContent(".answer .text"), first, "temperature 0: the same answer");
  await page.getByRole("button", { name: "New conversation" }).click();
  await send(page, "Another one.");
  await answers(page).waitFor();
  await page.reload();
  assert.equal(await page.locator("nav + *, .conversations li").count() > 1, true);
  await page.getByRole("button", { name: "Count from one to five hundred in words." , exact: true }).click();
  assert.equal(await page.textContent(".answer .text"), first);
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("everything can be done from the keyboard", async () => {
  const page = await fresh();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  const seen = new Set();
  for (let i = 0; i < 30; i += 1) {
    await page.keyboard.press("Tab");
    seen.add(await page.evaluate(() => document.activeElement.textContent?.trim() || document.activeElement.id));
  }
  for (const name of ["New conversation", "Settings", "prompt", "Attach text files"]) assert.ok(seen.has(name), `${name} in ${[...seen]}`);
  await page.focus("#prompt");
  await page.keyboard.type("Tell me a very long story.");
  await page.keyboard.press("Enter");
  await page.locator(".segment.decode").waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("You stopped it.").waitFor();
  await page.close();
});

test("hostile texts stay text", async () => {
  const page = await fresh();
  await page.evaluate(() => (window.hurt = 0));
  const attacks = [
    "<img src=x onerror=\"window.hurt=1\">", "<script>window.hurt=1</script>", "[click](javascript:window.hurt=1)",
    "\"><svg onload=window.hurt=1>", "<iframe srcdoc=\"<script>parent.hurt=1</script>\">", "<style>*{display:none}</style>", "</textarea><b>x",
  ];
  const body = attacks.join("\n");
  await setSettings(page, { "set-maxTokens": 8, system: body });
  await page.setInputFiles("input[type=file]", [
    { name: "<img src=x onerror=window.hurt=1>.txt", mimeType: "text/plain", buffer: Buffer.from(body) },
    { name: "binary.bin", mimeType: "application/octet-stream", buffer: Buffer.from([0, 255, 254]) },
  ]);
  await page.getByText("binary.bin is not a text file").waitFor();
  await send(page, body);
  await answers(page).waitFor();
  // What a model would say and call, as the page keeps it: rendered after a reload.
  await page.evaluate((texts) => {
    const id = JSON.parse(localStorage["twostroke.chats"])[0].id;
    const chat = JSON.parse(localStorage[`twostroke.chat.${id}`]);
    const answer = chat.messages.at(-1);
    answer.text = texts.join("\n\n") + "\n\n```<img src=x onerror=window.hurt=1>\n" + texts.join("\n") + "\n```\n";
    answer.reasoning = texts.join("\n\n");
    answer.error = texts[0];
    answer.toolCalls = texts.map((text, at) => ({ id: text + at, name: text, arguments: text }));
    chat.title = texts[0];
    localStorage[`twostroke.chat.${id}`] = JSON.stringify(chat);
    localStorage["twostroke.chats"] = JSON.stringify([{ id, title: texts[0], updatedAt: 0 }]);
  }, attacks);
  await page.reload();
  await page.locator(".answer .text").waitFor();
  await page.waitForTimeout(300);
  const found = await page.evaluate(() => ({
    hurt: window.hurt ?? 0,
    foreign: document.querySelectorAll("main :is(script, img, iframe, object, embed), main [onerror], main [onload]").length,
    links: [...document.querySelectorAll("main a")].map((a) => a.getAttribute("href")).filter((href) => !/^(#\/|https?:|mailto:)/.test(href)),
    shown: document.querySelector(".answer .text").textContent.includes("<script>window.hurt=1</script>"),
  }));
  assert.deepEqual(found, { hurt: 0, foreign: 0, links: [], shown: true });
  await shot(page, "chat-hostile");
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("why: the prompt's anatomy, the ledger, the verdict, and a what-if that is run", async () => {
  const page = await fresh();
  await setSettings(page, { "set-maxTokens": 24, system: "You are brief." });
  await page.setInputFiles("input[type=file]", [{ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("The lamp was lit at dusk. ".repeat(40)) }]);
  await send(page, "Who lit the lamp?");
  await answers(page).waitFor();
  const parts = page.locator(".parts");
  assert.deepEqual(await parts.locator(".part").evaluateAll((all) => all.map((it) => /document/.test(it.className) && it.getAttribute("aria-label")).filter(Boolean).length), 1);
  await parts.locator(".part.document").hover();
  assert.match(await page.locator(".anatomy .about").textContent(), /Document: notes\.txt.*tokens.*computed in [\d.]+ m?s/s);
  await parts.focus();
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowRight");
  assert.match(await page.locator(".anatomy .about").textContent(), /tokens?/);
  await page.getByRole("button", { name: "Why?" }).click();
  await page.getByText("All of it, to the nanosecond").waitFor();
  await page.locator(".explain h3").waitFor();
  const whatIf = page.locator(".what-if");
  await whatIf.getByText("Time to first token").waitFor();
  const ttft = () => whatIf.locator("tbody tr").nth(1).locator("td").nth(2).locator("strong").textContent();
  const before = await ttft();
  await whatIf.getByLabel("Drop documents").fill("1");
  await page.waitForFunction((old) => document.querySelector(".what-if tbody tr:nth-child(2) td:nth-child(3) strong").textContent !== old, before);
  await whatIf.getByRole("button", { name: "Run it, and compare" }).click();
  await whatIf.getByRole("columnheader", { name: "Measured" }).waitFor();
  assert.match(await whatIf.textContent(), /(within|outside) the bars/);
  assert.deepEqual(await axe(page), []);
  await shot(page, "chat-why");
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("tools and a schema travel with the request, and what is wrong with them is said where it is typed", async () => {
  const page = await fresh();
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  await page.fill("#tools", "{");
  assert.equal(await page.getAttribute("#tools", "aria-invalid"), "true");
  await page.fill("#tools", "");
  await page.getByRole("button", { name: "Insert an example" }).first().click();
  assert.equal(await page.getAttribute("#tools", "aria-invalid"), "false");
  await page.fill("#set-maxTokens", "8");
  const [request] = await Promise.all([page.waitForRequest(/chat\/completions/), send(page, "What is the weather in Oslo?")]);
  assert.equal(request.postDataJSON().tools[0].function.name, "get_weather");
  await page.locator(".answer[aria-busy=false]").waitFor();
  // A call, as the model's reply brings it: the reader plays the tool, and the result goes back.
  await page.evaluate(() => {
    const id = JSON.parse(localStorage["twostroke.chats"])[0].id;
    const chat = JSON.parse(localStorage[`twostroke.chat.${id}`]);
    chat.messages.at(-1).text = "";
    chat.messages.at(-1).toolCalls = [{ id: "call_1", name: "get_weather", arguments: '{"city":"Oslo"}' }];
    localStorage[`twostroke.chat.${id}`] = JSON.stringify(chat);
  });
  await page.reload();
  await page.locator(".status.ready").waitFor();
  await page.getByLabel("What does it return?").fill("12 degrees, rain");
  const [second] = await Promise.all([page.waitForRequest(/chat\/completions/), page.getByRole("button", { name: "Return it to the model" }).click()]);
  assert.deepEqual(second.postDataJSON().messages.slice(-2).map((it) => [it.role, it.tool_call_id ?? it.tool_calls[0].id]), [["assistant", "call_1"], ["tool", "call_1"]]);
  await page.locator(".answer[aria-busy=false]").nth(1).waitFor();
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("nothing comes from anywhere else, nothing inline, and all within 250 kB", async () => {
  const page = await browser.context.newPage();
  const seen = [];
  page.on("request", (request) => seen.push(request.url()));
  await page.goto(server.url + "/");
  await page.locator(".status.ready").waitFor();
  for (const view of ["Live", "Measure", "Learn", "Chat"]) await page.getByRole("link", { name: view, exact: true }).click();
  await page.waitForLoadState("networkidle");
  for (const url of seen) assert.ok(url.startsWith(server.url), url);
  const paint = await page.evaluate(() => performance.getEntriesByType("paint").map((it) => [it.name, it.startTime]));
  console.log("first paint on this machine now:", JSON.stringify(paint));
  await page.close();
});

test("phone, wide, dark: nothing is cut off", async () => {
  const page = await fresh();
  await setSettings(page, { "set-maxTokens": 60 });
  await send(page, "Give me a list of three colours, then a table.");
  await answers(page).waitFor();
  for (const [name, width, height] of [["phone", 360, 740], ["tablet", 820, 1100], ["wide", 1920, 1080]]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await cutOff(page), [], name);
      assert.deepEqual(await axe(page), [], `${name} ${colorScheme}`);
      await shot(page, `chat-${name}-${colorScheme}`);
    }
  }
  await page.close();
});
