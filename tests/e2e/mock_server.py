#!/usr/bin/env python3
"""An OpenAI-compatible server of known speed, for tests of measuring clients: words are tokens, and every token leaves
at a time that is written down beforehand.

    mock_server.py [--port N] [--ttft-ms X] [--itl-ms Y] [--prefill-ms-per-token Z] [--fail-every K]
                   [--cache] [--slots N]

Time to first token is X + Z * prompt words; with --cache a prompt seen before costs no Z. --slots: requests served at
once, the others wait. --fail-every: the K-th generation is a 500. Prints "listening on http://127.0.0.1:PORT".
"""

import argparse
import asyncio
import json


def words_of(body):
    text = body.get("prompt", "")
    for message in body.get("messages", []):
        text += " " + (message["content"] if isinstance(message["content"], str) else "")
    return text.split()


class Mock:
    def __init__(self, options):
        self.options = options
        self.slots = asyncio.Semaphore(options.slots)
        self.seen = set()
        self.generations = 0

    async def serve(self, reader, writer):
        try:
            while await self.serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def serve_one(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n")[0].decode().split()
        length = 0
        for line in head.decode().lower().split("\r\n"):
            if line.startswith("content-length:"):
                length = int(line.split(":")[1])
        body = json.loads(await reader.readexactly(length)) if length else {}
        if path.endswith("/completions"):
            await self.generate(writer, body, "messages" in body)
        elif path == "/v1/models":
            self.whole(writer, 200, {"object": "list", "data": [{"id": "mock", "object": "model"}]})
        elif path == "/health":
            self.whole(writer, 200, {"status": "ok"})
        else:
            self.whole(writer, 404, {"error": {"message": "no such path"}})
        await writer.drain()
        return True

    def whole(self, writer, status, reply):
        data = json.dumps(reply).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
                     .encode() + data)

    async def generate(self, writer, body, chat):
        self.generations += 1
        if self.options.fail_every and self.generations % self.options.fail_every == 0:
            return self.whole(writer, 500, {"error": {"message": "the mock fails as it was told"}})
        words = words_of(body)
        tokens = body.get("max_tokens") or body.get("max_completion_tokens") or 16
        async with self.slots:
            await self.stream(writer, words, tokens, chat, bool(body.get("stream")))

    async def stream(self, writer, words, tokens, chat, streamed):
        loop = asyncio.get_running_loop()
        key = tuple(words)
        cached = len(words) if self.options.cache and key in self.seen else 0
        self.seen.add(key)
        due = loop.time() + (self.options.ttft_ms + self.options.prefill_ms_per_token * (len(words) - cached)) / 1e3
        usage = {"prompt_tokens": len(words), "completion_tokens": tokens, "total_tokens": len(words) + tokens}
        if self.options.cache:
            usage["prompt_tokens_details"] = {"cached_tokens": cached}
        if not streamed:
            await asyncio.sleep(max(0, due + tokens * self.options.itl_ms / 1e3 - loop.time()))
            text = " ".join(["word"] * tokens)
            part = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
            return self.whole(writer, 200, {"choices": [{"index": 0, "finish_reason": "length", **part}],
                                            "usage": usage})
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for index in range(tokens):
            await asyncio.sleep(max(0, due - loop.time()))
            due += self.options.itl_ms / 1e3
            part = {"delta": {"content": " word"}} if chat else {"text": " word"}
            reason = "length" if index + 1 == tokens else None
            self.event(writer, {"choices": [{"index": 0, "finish_reason": reason, **part}]})
            await writer.drain()
        self.event(writer, {"choices": [], "usage": usage})
        self.chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")

    def event(self, writer, value):
        self.chunk(writer, b"data: " + json.dumps(value).encode() + b"\n\n")

    def chunk(self, writer, data):
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ttft-ms", type=float, default=50)
    parser.add_argument("--itl-ms", type=float, default=5)
    parser.add_argument("--prefill-ms-per-token", type=float, default=0)
    parser.add_argument("--fail-every", type=int, default=0)
    parser.add_argument("--slots", type=int, default=1000)
    parser.add_argument("--cache", action="store_true")
    mock = Mock(parser.parse_args())
    server = await asyncio.start_server(mock.serve, "127.0.0.1", mock.options.port)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
