"""What is answered: the same alone and together, up to the last token of the context, with times that add up."""

import threading

import pytest

LONG_PROMPT_TOKENS = 8000


def text_of(reply):
    return reply["choices"][0]["text"]


def prompt_tokens(server, count):
    """`count` tokens of plain text."""
    text = " ".join(f"Line {i}: the quick brown fox jumps over the lazy dog." for i in range(count // 10))
    tokens = server.post("/tokenize", {"content": text, "add_special": True})["tokens"]
    assert len(tokens) >= count
    return tokens[:count]


def test_two_users_with_the_same_prompt_get_what_one_gets(server):
    asked = {"messages": [{"role": "user", "content": "Tell me about the sea."}], "max_tokens": 64, "seed": 11,
             "temperature": 0.8}

    def content_of(reply):
        return reply["choices"][0]["message"]["content"]

    alone = content_of(server.post("/v1/chat/completions", asked))
    server.post("/reset_prefix_cache", {})
    fresh = content_of(server.post("/v1/chat/completions", asked))
    assert fresh == alone
    for salt in ("", "no sharing"):
        server.post("/reset_prefix_cache", {})
        answers = [None, None]

        def ask(index, salted):
            answers[index] = content_of(server.post("/v1/chat/completions", salted))

        users = [threading.Thread(target=ask, args=(i, {**asked, "cache_salt": f"{salt}{i}" if salt else ""}))
                 for i in range(2)]
        for user in users:
            user.start()
        for user in users:
            user.join()
        assert answers == [alone, alone]


def test_a_prompt_of_8000_tokens(server):
    prompt = prompt_tokens(server, LONG_PROMPT_TOKENS)
    events = list(server.stream("/v1/completions", {"prompt": prompt, "max_tokens": 8, "temperature": 0,
                                                    "return_progress": True,
                                                    "stream_options": {"include_usage": True}}))
    progress = [e["prompt_progress"] for e in events if "prompt_progress" in e]
    assert progress, "such a prompt takes several steps"
    assert all(p["total"] == LONG_PROMPT_TOKENS for p in progress)
    assert [p["processed"] for p in progress] == sorted(p["processed"] for p in progress)
    usage = events[-1]["usage"]
    assert usage["prompt_tokens"] == LONG_PROMPT_TOKENS
    assert usage["completion_tokens"] >= 1
    again = server.post("/v1/completions", {"prompt": prompt, "max_tokens": 8, "temperature": 0})
    assert again["usage"]["prompt_tokens_details"]["cached_tokens"] > LONG_PROMPT_TOKENS * 9 // 10
    assert text_of(again) == "".join(e["choices"][0]["text"] for e in events if e["choices"])


def test_one_token_too_long(server):
    limit = server.get("/v1/models")["data"][0]["max_model_len"]
    status, reply = server.request("POST", "/v1/completions", {"prompt": [5] * limit, "max_tokens": 1})
    assert status == 400
    assert reply["error"]["code"] == "context_length_exceeded"
    assert reply["error"]["param"] == "prompt"
    assert f"maximum context length is {limit} tokens" in reply["error"]["message"]
    assert f"your prompt has {limit} tokens" in reply["error"]["message"]


def test_the_answer_is_clipped_to_the_room_that_is_left(server):
    limit = server.get("/v1/models")["data"][0]["max_model_len"]
    prompt = prompt_tokens(server, LONG_PROMPT_TOKENS)
    prompt = (prompt * 2)[:limit - 1] if limit > LONG_PROMPT_TOKENS else prompt[:limit - 1]
    reply = server.post("/v1/completions", {"prompt": prompt, "max_tokens": 50, "ignore_eos": True})
    assert reply["usage"]["completion_tokens"] == 1
    assert reply["choices"][0]["finish_reason"] == "length"


def check_phases(phases):
    causes = phases["causes_ns"]
    assert sum(causes.values()) == phases["total_ns"], phases
    assert all(ns >= 0 for ns in causes.values()), phases
    assert causes["prefill_own"] > 0
    events = phases["events_ms"]
    order = ["received", "tokenized", "queued", "scheduled", "first_token", "last_token", "finished"]
    assert [events[name] for name in order] == sorted(events[name] for name in order)
    intervals = phases["intervals_ms"]
    whole = sum(intervals[name] for name in ("intake", "queue", "prefill", "decode", "delivery"))
    assert whole == pytest.approx(phases["total_ns"] / 1e6, abs=0.01)
    assert intervals["ttft"] == pytest.approx(events["first_token"], abs=0.002)


def test_every_nanosecond_has_a_cause(server):
    asked = {"prompt": "Once upon a time", "max_tokens": 32, "ignore_eos": True, "phases": True}
    alone = server.post("/v1/completions", asked)["phases"]
    check_phases(alone)
    assert alone["causes_ns"]["decode_own"] > 0
    found = []

    def ask(index):
        prompt = f"Story number {index}: " + "once upon a time " * 50
        events = list(server.stream("/v1/completions", {**asked, "prompt": prompt}))
        found.append(events[-1]["phases"])

    crowd = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    for user in crowd:
        user.start()
    for user in crowd:
        user.join()
    assert len(found) == 6
    for phases in found:
        check_phases(phases)


def test_timings_agree_with_usage(server):
    reply = server.post("/v1/completions", {"prompt": "Timings of a prompt", "max_tokens": 16, "ignore_eos": True})
    timings, usage = reply["timings"], reply["usage"]
    assert timings["predicted_n"] == usage["completion_tokens"] == 16
    assert timings["prompt_n"] + timings["cache_n"] == usage["prompt_tokens"]
    assert timings["cache_n"] == usage["prompt_tokens_details"]["cached_tokens"]
    assert timings["predicted_ms"] == pytest.approx(15 * timings["predicted_per_token_ms"], rel=0.01)
    assert timings["predicted_per_second"] == pytest.approx(1000 / timings["predicted_per_token_ms"], rel=0.01)
    assert timings["prompt_ms"] > 0
