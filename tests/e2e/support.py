"""A `twostroke serve` process, and HTTP as raw as a test needs it. Shared by the tests of this folder."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

BINARY = os.environ.get("TWOSTROKE_BIN", "")
MODEL = os.environ.get("TWOSTROKE_MODEL", "")
PATIENCE_S = 300  # for anything that must happen; a hang fails, a slow machine does not


class Server:
    """Starts the server and waits until it says that it listens."""

    def __init__(self, *flags, port=0):
        self.log = tempfile.TemporaryFile()
        command = [BINARY, "serve", MODEL, "--host", "127.0.0.1", "--port", str(port), *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://127.0.0.1:"):
            self.process.wait(PATIENCE_S)
            raise AssertionError(f"no address but {line!r}; stderr: {self.log_text()}")
        self.url = line.split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def log_text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def terminate(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def request(self, method, path, body=None, headers=None):
        """Returns (status, parsed JSON or text)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            text = response.read().decode()
            is_json = response.getheader("Content-Type", "").startswith("application/json")
            return response.status, json.loads(text) if is_json else text

    def post(self, path, body):
        """Returns the JSON of a 200."""
        status, reply = self.request("POST", path, body)
        assert status == 200, (status, reply)
        return reply

    def get(self, path):
        status, reply = self.request("GET", path)
        assert status == 200, (status, reply)
        return reply

    def stream(self, path, body):
        """Yields the events of a stream as objects, without [DONE], which must be there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.request("POST", path, json.dumps({**body, "stream": True}))
            response = connection.getresponse()
            assert response.status == 200, response.read()
            last = None
            for line in response:
                line = line.decode().rstrip("\n")
                if line.startswith("data: "):
                    last = line[len("data: "):]
                    if last != "[DONE]":
                        yield json.loads(last)
            assert last == "[DONE]", last

    def socket(self, receive_buffer=None):
        raw = socket.socket()
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(PATIENCE_S)
        raw.connect(("127.0.0.1", self.port))
        return raw

    def expect_healthy(self):
        assert self.request("GET", "/health") == (200, {"status": "ok"})
        reply = self.post("/v1/completions", {"prompt": "One, two,", "max_tokens": 3, "temperature": 0})
        assert reply["usage"]["completion_tokens"] >= 1

    def wait_until_idle(self):
        wait_until(lambda: self.get("/props")["engine"]["running"] == 0, "the engine is idle")


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def post_bytes(path, body):
    data = json.dumps(body).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n").encode() + data


def read_response(raw):
    """Status of the next response on a socket; the connection is used up."""
    response = http.client.HTTPResponse(raw)
    response.begin()
    response.read()
    return response.status
