// The official JavaScript client against a running server: node client.mjs http://HOST:PORT. Prints one line of JSON
// with what it saw; the judging is done by ../test_openai_js.py.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages live in a cache folder, not beside this file.
const require = createRequire(pathToFileURL(process.env.TWOSTROKE_NODE_MODULES + "/").href);
const { default: OpenAI } = await import(pathToFileURL(require.resolve("openai")).href);

const client = new OpenAI({ baseURL: process.argv[2] + "/v1", apiKey: "none", maxRetries: 0 });
const asked = {
  model: "any",
  messages: [{ role: "user", content: "Name three colours." }],
  temperature: 0,
  max_completion_tokens: 24,
};

const seen = {};
seen.whole = await client.chat.completions.create(asked);
seen.chunks = [];
const options = { stream: true, stream_options: { include_usage: true } };
for await (const chunk of await client.chat.completions.create({ ...asked, ...options })) seen.chunks.push(chunk);

const completion = { model: "any", prompt: "The capital of France is", temperature: 0, max_tokens: 8 };
seen.completion = await client.completions.create(completion);
seen.completionText = "";
for await (const chunk of await client.completions.create({ ...completion, stream: true })) {
  seen.completionText += chunk.choices[0].text;
}

seen.models = [];
for await (const model of client.models.list()) seen.models.push(model);

try {
  await client.chat.completions.create({ ...asked, top_p: 7 });
} catch (error) {
  seen.error = { name: error.constructor.name, status: error.status, param: error.param, type: error.type };
}

// Leaving in the middle of a stream.
const long = await client.chat.completions.create({ ...asked, max_completion_tokens: 4000, stream: true });
for await (const chunk of long) {
  if (chunk.choices[0].delta.content) break;
}
console.log(JSON.stringify(seen));
