// The lesson outside the page:
//   node lesson.mjs record URL MACHINE   runs every experiment on that server, writes src/learn/recording.json
//   node lesson.mjs document             writes ../docs/lesson.md from the lesson's words and the recording
//   node lesson.mjs site OUT             writes a static site (the built page, without a server) that any web host can show
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "vite";

const HERE = new URL("./", import.meta.url);
const [command, ...args] = process.argv.slice(2);

async function withSources(use) {
  const vite = await createServer({ root: HERE.pathname, server: { middlewareMode: true, hmr: false, ws: false }, appType: "custom", logLevel: "error", optimizeDeps: { noDiscovery: true } });
  try {
    return await use((path) => vite.ssrLoadModule(path));
  } finally {
    await vite.close();
  }
}

async function record(url, machine) {
  globalThis.document = { baseURI: `${url.replace(/\/$/, "")}/` }; // what api.ts resolves against
  const results = await withSources(async (load) => (await load("/src/learn/record.ts")).recordAll(machine, console.error));
  writeFileSync(new URL("src/learn/recording.json", HERE), `${JSON.stringify(results, null, 1)}\n`);
}

async function document() {
  const text = await withSources(async (load) => (await load("/src/learn/document.ts")).lessonDocument());
  writeFileSync(new URL("../docs/lesson.md", HERE), text);
}

function site(out) {
  cpSync(new URL("../build/web/dist", HERE), out, { recursive: true });
  const index = `${out}/index.html`;
  writeFileSync(index, readFileSync(index, "utf8").replace("<title>", '<meta name="twostroke-static" content="yes" />\n    <title>'));
}

if (command === "record" && args[0]) await record(args[0], args[1] ?? "an unnamed machine");
else if (command === "document") await document();
else if (command === "site" && args[0]) site(args[0]);
else {
  console.error("usage: node lesson.mjs record URL MACHINE | document | site OUT");
  process.exit(2);
}
process.exit(0);
