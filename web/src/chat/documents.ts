// Text files that a reader attaches. Anything that is not text is refused by its bytes, not by its name.
import { bytes, count } from "../lib/format.ts";
import type { AttachedDocument } from "./conversation.ts";

export const MAX_DOCUMENTS = 16;
export const MAX_DOCUMENT_BYTES = 512 << 10;

export async function readDocuments(files: File[], already: number): Promise<{ documents: AttachedDocument[]; problem: string }> {
  const documents: AttachedDocument[] = [];
  const problems: string[] = [];
  for (const file of files) {
    if (already + documents.length >= MAX_DOCUMENTS) {
      problems.push(`at most ${count(MAX_DOCUMENTS)} documents`);
      break;
    }
    if (file.size > MAX_DOCUMENT_BYTES) {
      problems.push(`${file.name} has ${bytes(file.size)}; the limit is ${bytes(MAX_DOCUMENT_BYTES)}`);
      continue;
    }
    const text = decode(await file.arrayBuffer());
    if (text === undefined) problems.push(`${file.name} is not a text file`);
    else if (text.trim() === "") problems.push(`${file.name} is empty`);
    else documents.push({ title: file.name.slice(0, 200), text });
  }
  return { documents, problem: problems.join("; ") };
}

/** UTF-8 without control characters, or nothing. */
export function decode(content: ArrayBuffer | Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
    return /[\u0000-\u0008\u000e-\u001a]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
