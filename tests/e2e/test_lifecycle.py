"""Start, stop, die, start again; and what memory it takes."""

import json
import subprocess
import threading

import pytest

from support import BINARY, MODEL, PATIENCE_S, Server, post_bytes, wait_until

STORY = {"prompt": "Once upon a time", "max_tokens": 3000, "ignore_eos": True}


@pytest.fixture
def start():
    started = []

    def make(*flags, port=0):
        started.append(Server(*flags, port=port))
        return started[-1]

    yield make
    for server in started:
        if server.process.poll() is None:
            server.kill()


def resident_bytes(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def test_memory_after_load(start):
    server = start()
    server.expect_healthy()
    props = server.get("/props")
    resident = resident_bytes(server.process.pid)
    file_bytes, pool_bytes = props["model"]["file_bytes"], props["kv_cache"]["pool_bytes"]
    print(f"RSS {resident >> 20} MiB, file {file_bytes >> 20} MiB, KV pool {pool_bytes >> 20} MiB")
    assert resident <= 1.25 * file_bytes + pool_bytes


def test_killed_and_started_again(start):
    first = start()
    raw = first.socket()
    raw.sendall(post_bytes("/v1/completions", {**STORY, "stream": True}))
    assert raw.recv(100)
    first.kill()
    second = start(port=first.port)
    assert second.port == first.port
    second.expect_healthy()


def test_sigterm_without_requests(start):
    server = start()
    assert server.terminate() == 0


def test_sigterm_lets_a_short_request_finish(start):
    server = start("--drain-timeout", "250")
    events = server.stream("/v1/completions", {**STORY, "max_tokens": 60})
    first = next(events)
    codes = []
    stopper = threading.Thread(target=lambda: codes.append(server.terminate()))
    stopper.start()
    rest = list(events)
    stopper.join()
    assert codes == [0]
    assert rest[-1]["choices"][0]["finish_reason"] == "length"
    assert 1 + len(rest) == 60, first


def test_sigterm_cancels_what_does_not_finish_in_time(start):
    server = start("--drain-timeout", "0")
    raw = server.socket()
    raw.sendall(post_bytes("/v1/completions", {**STORY, "stream": True}))
    wait_until(lambda: b"data: " in raw.recv(1 << 16), "the first token")
    assert server.terminate() == 0
    received = b""
    while chunk := raw.recv(1 << 16):
        received += chunk
    assert b'"code":"cancelled"' in received, received[-500:]


def test_sigint_is_sigterm(start):
    server = start()
    server.process.send_signal(2)
    assert server.process.wait(PATIENCE_S) == 0


def test_a_port_in_use_is_an_error(start):
    server = start()
    second = subprocess.run([BINARY, "serve", MODEL, "--port", str(server.port)], capture_output=True, text=True,
                            timeout=PATIENCE_S)
    assert second.returncode not in (0, None)
    assert f":{server.port}" in second.stderr and "in use" in second.stderr, second.stderr
    server.expect_healthy()


def test_a_file_that_is_no_model_is_an_error(tmp_path):
    path = tmp_path / "bad.gguf"
    path.write_text(json.dumps({"not": "a model"}))
    done = subprocess.run([BINARY, "serve", str(path), "--port", "0"], capture_output=True, text=True,
                          timeout=PATIENCE_S)
    assert done.returncode == 1
    assert "bad.gguf" in done.stderr
    assert "listening" not in done.stdout


def test_the_log_has_a_line_for_each_request_and_no_text(start):
    server = start()
    server.post("/v1/completions", {"prompt": "a very secret prompt", "max_tokens": 2})
    assert server.terminate() == 0
    lines = [line for line in server.log_text().splitlines() if "/v1/completions" in line]
    assert len(lines) == 1
    assert " 200 " in lines[0] and "output=2" in lines[0]
    assert "secret" not in server.log_text()
