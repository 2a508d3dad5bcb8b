// Prompts made to size for the lesson. Words are taken from one text; tokens are counted by the server.
import { LONG_TEXT } from "../chat/long_text.ts";

const WORDS = LONG_TEXT.split(/\s+/);

/** About `words` words of readable text, from the beginning, again and again if need be. */
export function textOf(words: number, from = 0): string {
  const out: string[] = [];
  for (let i = 0; i < words; i += 1) out.push(WORDS[(from + i) % WORDS.length]!);
  return out.join(" ");
}

/** What a product puts around the user's eight words. */
export interface Shape {
  turns: number; // earlier questions with their answers
  documents: number; // retrieved, about 80 words each
  toolTraces: number; // what tools were asked and said
  schema: boolean; // of the answer
}
export const BARE: Shape = { turns: 0, documents: 0, toolTraces: 0, schema: false };
/** From the question alone to a prompt with everything: what the lesson measures by itself. */
export const SHAPES: Shape[] = [
  BARE,
  { ...BARE, turns: 2 },
  { ...BARE, turns: 2, documents: 2 },
  { turns: 3, documents: 3, toolTraces: 2, schema: true },
];
export const QUESTION = "In one sentence: why do lighthouses still shine?";

export function shapedMessages(shape: Shape, fresh: string): { role: string; content: string }[] {
  const messages = [{ role: "system", content: `${fresh} You answer questions about lighthouses.` }];
  for (let i = 0; i < shape.turns; i += 1) {
    messages.push({ role: "user", content: `Question ${i + 1}: ${textOf(12, i * 31)}?` });
    messages.push({ role: "assistant", content: textOf(40, i * 53) });
  }
  for (let i = 0; i < shape.toolTraces; i += 1) {
    const call = JSON.stringify({ name: "search", arguments: { query: textOf(4, i * 17), limit: 3 } });
    messages.push({ role: "assistant", content: `I call a tool: ${call}` });
    messages.push({ role: "user", content: `The tool returned: ${JSON.stringify({ rows: [textOf(14, i * 29), textOf(14, i * 41)] })}` });
  }
  const documents = Array.from({ length: shape.documents }, (_, i) => `Document ${i + 1}:\n${textOf(80, i * 80)}`);
  const asked = [...documents, ...(shape.schema ? [`Answer as JSON that follows this schema:\n${JSON.stringify(SCHEMA)}`] : []), QUESTION];
  messages.push({ role: "user", content: asked.join("\n\n") });
  return messages;
}

// Shown to the model as text: the lesson is about what a schema costs to read, on any server.
const SCHEMA = {
  type: "object",
  properties: {
    answer: { type: "string", description: "the answer, one sentence" },
    confidence: { type: "number", minimum: 0, maximum: 1 },
    sources: { type: "array", items: { type: "object", properties: { document: { type: "integer" }, quote: { type: "string" } }, required: ["document", "quote"] } },
    followUps: { type: "array", items: { type: "string" }, maxItems: 3 },
  },
  required: ["answer", "confidence", "sources"],
};
