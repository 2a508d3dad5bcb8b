// A server that shows the built page and plays an engine with many requests: for what a real one on two cores cannot
// show on demand. Speaks /props, /v1/events, /v1/requests/{id}; its requests are made up, its step arithmetic is not.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const DIST = new URL("../../build/web/dist/", import.meta.url).pathname;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const ENDPOINTS = ["GET /v1/events", "GET /v1/requests", "GET /v1/requests/", "GET /v1/trace"];
const STEP_MS = 25;

class FakeEngine {
  constructor(concurrent) {
    this.concurrent = concurrent;
    this.begin = performance.now();
    this.requests = new Map();
    this.nextId = 1;
    this.step = 0;
  }
  now() {
    return performance.now() - this.begin;
  }
  row(it) {
    const since = (at) => (at === null ? null : at - it.received);
    return {
      id: it.id, reply_id: `chatcmpl-${it.id}`, choice: 0, kind: "chat", state: it.state, wait_cause: it.state === "waiting" ? "wait_turn" : null,
      finish_reason: it.state === "finished" ? "stop" : null, end: it.state === "finished" ? "complete" : null, prompt_tokens: it.prompt,
      cached_tokens: 0, computed_tokens: it.done, output_tokens: it.output, max_tokens: it.max, steps: 1, preemptions: 0, received_ms: it.received,
      events_ms: { received: 0, tokenized: 0, queued: 0, scheduled: since(it.scheduled), first_token: since(it.first), last_token: since(it.last), finished: since(it.finished) },
      intervals_ms: { intake: 0, queue: 1, prefill: 2, decode: 3, delivery: 0, ttft: it.first === null ? 0 : it.first - it.received, tpot: 20 },
    };
  }
  /** One step: everybody who decodes gets a token, one prompt gets a chunk. Returns the events. */
  tick() {
    const at = this.now();
    const events = [];
    const change = (it, what, when) => events.push({ type: "request", change: what, at_ms: when, request: this.row(it) });
    const live = [...this.requests.values()].filter((it) => it.state !== "finished");
    for (let i = live.length; i < this.concurrent; i += 1) {
      const it = { id: this.nextId++, state: "waiting", received: at, scheduled: null, first: null, last: null, finished: null, prompt: 100 + ((this.nextId * 37) % 400), done: 0, output: 0, max: 60 + ((this.nextId * 53) % 300) };
      this.requests.set(it.id, it);
      change(it, "queued", at);
    }
    const parts = [];
    const reading = [...this.requests.values()].filter((it) => it.state === "prefill" || it.state === "waiting").slice(0, 2);
    for (const it of reading) {
      if (it.state === "waiting") [it.state, it.scheduled] = ["prefill", at - STEP_MS];
      const tokens = Math.min(64, it.prompt - it.done);
      it.done += tokens;
      parts.push({ id: it.id, phase: "prefill", first_token: it.done - tokens, tokens, context: it.done, own_ns: 8e6 });
      if (it.done === it.prompt) [it.state, it.first, it.last] = ["decode", at, at];
      change(it, it.state === "decode" ? "first_token" : "scheduled", at);
    }
    for (const it of this.requests.values()) {
      if (it.state !== "decode" || it.first === at) continue;
      parts.push({ id: it.id, phase: "decode", first_token: it.done + it.output, tokens: 1, context: it.done + it.output, own_ns: 1e5 });
      it.output += 1;
      it.last = at;
      if (it.output < it.max) continue;
      [it.state, it.finished] = ["finished", at];
      change(it, "delivered", at);
    }
    const count = (phase) => parts.filter((it) => it.phase === phase).reduce((sum, it) => sum + it.tokens, 0);
    this.step += 1;
    events.push({ type: "step", step: this.step, start_ms: at - STEP_MS, end_ms: at, parts_ns: {}, target_ns: 30e6, predicted_ns: 24e6, prefill_tokens: count("prefill"), decode_tokens: count("decode"), waiting: 0, requests: parts, requests_not_kept: 0 });
    events.push({ type: "kv", at_ms: at, total: 4096, free: 1000, cached: 900, in_use: 2196, shared: 320 });
    return events;
  }
}

/** Returns { url, stop }. `concurrent` requests are always under way. */
export async function startFakeEngine(concurrent) {
  const engine = new FakeEngine(concurrent);
  const subscribers = new Set();
  const timer = setInterval(() => {
    const text = engine.tick().map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
    for (const response of subscribers) response.write(text);
  }, STEP_MS);
  const json = (response, body) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://x");
    if (pathname === "/props") return json(response, { model_alias: "fake", build_info: "fake", default_generation_settings: { n_ctx: 2048, params: {} }, endpoints: ENDPOINTS });
    if (pathname === "/v1/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const live = [...engine.requests.values()].filter((it) => it.state !== "finished").map((it) => engine.row(it));
      response.write(`event: hello\ndata: ${JSON.stringify({ type: "hello", clock: { now_ms: engine.now(), unix_ms: 0 }, live })}\n\n`);
      subscribers.add(response);
      response.on("close", () => subscribers.delete(response));
      return undefined;
    }
    try {
      const file = pathname === "/" ? "index.html" : pathname.slice(1);
      return response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain" }).end(readFileSync(join(DIST, file)));
    } catch {
      return response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      clearInterval(timer);
      server.closeAllConnections();
      server.close();
    },
  };
}
