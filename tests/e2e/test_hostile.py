"""Clients that are many, wrong, slow or gone: each is refused or bounded, and the server is healthy after it."""

import json
import threading

import pytest

from support import post_bytes, read_response, wait_until


@pytest.fixture(autouse=True)
def healthy_after(server):
    yield
    server.wait_until_idle()
    server.expect_healthy()


def test_64_connections(server):
    asked = {"prompt": "Counting: 1, 2, 3,", "max_tokens": 16, "temperature": 0, "ignore_eos": True}
    alone = server.post("/v1/completions", asked)["choices"][0]["text"]
    texts = []

    def ask():
        events = list(server.stream("/v1/completions", asked))
        texts.append("".join(e["choices"][0]["text"] for e in events))

    crowd = [threading.Thread(target=ask) for _ in range(64)]
    for user in crowd:
        user.start()
    for user in crowd:
        user.join()
    assert texts == [alone] * 64


@pytest.mark.parametrize("body", ["", "{", "nonsense", b"\xff\xfe", "[" * 100_000, '{"messages": ' + "[" * 65])
def test_malformed_json(server, body):
    for path in ("/v1/chat/completions", "/v1/completions", "/tokenize", "/detokenize", "/apply-template"):
        status, reply = server.request("POST", path, body)
        assert status == 400
        assert reply["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("field, value", [("messages", "hi"), ("temperature", "hot"), ("max_tokens", -7), ("stop", 5),
                                          ("stream", "yes"), ("n", 10_000), ("logit_bias", {"x": 1}), ("seed", 0.5)])
def test_wrong_types(server, field, value):
    asked = {"messages": [{"role": "user", "content": "hi"}], field: value}
    status, reply = server.request("POST", "/v1/chat/completions", asked)
    assert status == 400
    assert reply["error"]["param"] == field


def test_unknown_fields_are_tolerated(server):
    server.post("/v1/completions", {"prompt": "hi", "max_tokens": 1, "a_field_of_tomorrow": {"x": [1]}, "logprobs": None})


def test_a_body_of_100_mb(server):
    raw = server.socket()
    raw.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n")
    assert read_response(raw) == 413, "refused before it was sent"
    raw.close()
    sender = server.socket()
    sender.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n")
    try:
        for _ in range(100):
            sender.sendall(b"x" * (1 << 20))
    except (BrokenPipeError, ConnectionResetError):
        pass  # cut off: that is a bound too
    sender.close()


def test_slow_loris(server):
    slow = [server.socket() for _ in range(50)]
    for i, raw in enumerate(slow):
        raw.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * i)
    server.expect_healthy()
    for raw in slow:
        assert read_response(raw) == 408
        raw.close()


def test_a_client_that_never_reads(server):
    """Its events are large, so that they fill what the kernel takes for it."""
    stuck = server.socket(receive_buffer=4096)
    stuck.sendall(post_bytes("/v1/completions", {"prompt": "Once", "max_tokens": 2000, "ignore_eos": True,
                                                 "logprobs": 20, "stream": True}))
    wait_until(lambda: server.get("/props")["engine"]["running"] == 1, "it runs")
    for _ in range(3):
        server.expect_healthy()
    stuck.close()


@pytest.mark.parametrize("stream", [True, False])
def test_leaving_cancels(server, stream):
    asked = {"prompt": "Once upon a time", "max_tokens": 6000, "ignore_eos": True, "stream": stream}
    raw = server.socket()
    raw.sendall(post_bytes("/v1/completions", asked))
    wait_until(lambda: server.get("/props")["engine"]["running"] == 1, "it runs")
    if stream:
        assert b"data: " in raw.recv(1 << 16) + raw.recv(1 << 16)
    raw.close()
    server.wait_until_idle()


def test_leaving_during_prefill_cancels(server):
    raw = server.socket()
    raw.sendall(post_bytes("/v1/completions", {"prompt": list(range(1000, 8000)), "max_tokens": 500,
                                               "ignore_eos": True, "cache_prompt": False}))
    wait_until(lambda: server.get("/props")["engine"]["running"] == 1, "it runs")
    raw.close()
    server.wait_until_idle()


def test_prompts_of_a_hostile_shape(server):
    for content in ("\0", "\ud83d\ude00" * 100, " " * 2000, "<|im_start|>" * 50, "a" * 5_000):
        status, reply = server.request("POST", "/v1/chat/completions", json.dumps(
            {"messages": [{"role": "user", "content": content}], "max_tokens": 1}))
        assert status in (200, 400), reply
