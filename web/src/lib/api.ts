// The server, as the page talks to it. Relative to where the page came from, so any path prefix works.
import { readEvents } from "./sse.ts";

/** What the server, or the way to it, said no with. `status` 0: no reply at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly field: string;
  readonly retryAfterSeconds: number;
  constructor(message: string, status: number, field = "", retryAfterSeconds = 0) {
    super(message);
    this.status = status;
    this.field = field;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function apiUrl(path: string): string {
  return new URL(path, document.baseURI.split("#")[0]).href;
}

async function errorOf(response: Response): Promise<ApiError> {
  let message = `the server answered ${response.status}`;
  let field = "";
  try {
    const { error } = (await response.json()) as { error?: { message?: string; param?: string } };
    message = error?.message ?? message;
    field = error?.param ?? "";
  } catch {
    // Not JSON: a proxy, perhaps. The status says enough.
  }
  return new ApiError(message, response.status, field, Number(response.headers.get("retry-after") ?? 0));
}

async function call(path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(apiUrl(path), init);
  } catch (cause) {
    if (init?.signal?.aborted) throw cause;
    throw new ApiError("the server cannot be reached", 0);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await call(path, signal ? { signal } : undefined)).json()) as T;
}

export function getStream(path: string, signal: AbortSignal): Promise<Response> {
  return call(path, { signal });
}

export async function postJson<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await post(path, body, signal)).json()) as T;
}

function post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return call(path, { method: "POST", headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) });
}

/** One object per event of a stream, until [DONE]. A stream that breaks off without it is an error. */
export async function* streamJson<T>(path: string, body: unknown, signal: AbortSignal): AsyncGenerator<T> {
  const response = await post(path, body, signal);
  try {
    for await (const { data } of readEvents(response)) {
      if (data === "[DONE]") return;
      const value = JSON.parse(data) as T & { error?: { message?: string; param?: string } };
      if (value.error) throw new ApiError(value.error.message ?? "the server gave up", 500, value.error.param ?? "");
      yield value as Awaited<T>;
    }
  } catch (cause) {
    if (cause instanceof ApiError || signal.aborted) throw cause;
    throw new ApiError("the connection broke in the middle of the answer", 0);
  }
  if (!signal.aborted) throw new ApiError("the connection broke in the middle of the answer", 0);
}
