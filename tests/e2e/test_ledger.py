"""What can be seen of a running server, and that every place tells the same: reply, requests, events, trace, cost model.
Nothing here asserts how fast anything was."""

import contextlib
import http.client
import json
import threading

import pytest

from support import PATIENCE_S, Server, post_bytes, wait_until
from trace_reader import Trace

CAUSES = ["parse", "template", "tokenize", "wait_model", "wait_kv", "wait_batch", "wait_turn", "prefill_own",
          "prefill_others", "decode_own", "decode_batch", "decode_prefill", "preempted", "sample", "engine", "client"]
SECRET = "xylophone quartz"


@pytest.fixture(scope="module")
def server():
    one = Server()
    yield one
    one.terminate()


class Events(threading.Thread):
    """Follows /v1/events until told to stop."""

    def __init__(self, server, query="?interval_ms=20"):
        super().__init__(daemon=True)
        self.events, self.stopped = [], False
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
        self.connection.request("GET", "/v1/events" + query)
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        self.start()

    def run(self):
        name = None
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            for line in self.response:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[len("event: "):]
                elif line.startswith("data: "):
                    event = json.loads(line[len("data: "):])
                    assert event["type"] == name
                    self.events.append(event)
                if self.stopped:
                    return

    def of(self, kind):
        return [event for event in list(self.events) if event["type"] == kind]

    def stop(self):
        self.stopped = True
        with contextlib.suppress(OSError):
            self.connection.sock.shutdown(2)
        self.connection.close()


def check_phases(phases):
    """Law 2, seen from outside. Every test of a reply's phases may call it."""
    assert list(phases["causes_ns"]) == CAUSES
    assert all(isinstance(ns, int) and ns >= 0 for ns in phases["causes_ns"].values())
    assert sum(phases["causes_ns"].values()) == phases["total_ns"]
    causes, events, intervals = phases["causes_ns"], phases["events_ms"], phases["intervals_ms"]
    assert abs(phases["total_ns"] / 1e6 - events["finished"]) < 0.002
    others = causes["prefill_others"] + causes["decode_batch"] + causes["decode_prefill"]
    assert sum(blame["ns"] for blame in phases["interference"]) + phases["interference_rest_ns"] == others
    waited = causes["wait_kv"] + causes["wait_batch"] + causes["wait_turn"]
    assert sum(blame["ns"] for blame in phases["waited_for"]) + phases["waited_for_rest_ns"] == waited
    happened = [events[name] for name in ("received", "tokenized", "queued", "scheduled", "first_token", "last_token", "finished")
                if events[name] is not None]
    assert happened == sorted(happened)
    if events["first_token"] is not None:
        parts = intervals["intake"] + intervals["queue"] + intervals["prefill"]
        assert abs(parts - intervals["ttft"]) < 0.004
        assert abs(waited / 1e6 - intervals["queue"]) < 0.002


def detail_of(server, reply_id):
    return server.get(f"/v1/requests/{reply_id}")


def generate(server, prompt, tokens, **more):
    return server.post("/v1/completions", {"prompt": prompt, "max_tokens": tokens, "temperature": 0, "ignore_eos": True,
                                           "phases": True, **more})


def test_a_reply_and_its_record_agree_to_the_nanosecond(server):
    reply = generate(server, "one two three " * 60, 12)
    check_phases(reply["phases"])
    detail = detail_of(server, reply["id"])
    wait_until(lambda: detail_of(server, reply["id"])["state"] == "finished", "it is delivered")
    detail = detail_of(server, reply["id"])
    check_phases(detail["phases"])
    for key in ("events_ms", "intervals_ms", "causes_ns", "total_ns", "interference", "steps", "preemptions"):
        assert detail["phases"][key] == reply["phases"][key], key
    assert detail["intervals_ms"] == reply["phases"]["intervals_ms"]
    assert detail["end"] == "complete" and detail["finish_reason"] == "length"
    computed = [chunk for chunk in detail["chunks"] if not chunk["recomputed"] and not chunk["aborted"]]
    assert sum(chunk["own_ns"] for chunk in detail["chunks"]) == detail["phases"]["causes_ns"]["prefill_own"]
    assert sum(chunk["tokens"] for chunk in computed) == detail["prompt_tokens"] - detail["cached_tokens"]
    assert detail["prompt_tokens"] == reply["usage"]["prompt_tokens"]
    sampled, sent = detail["tokens"]["sampled_ms"], detail["tokens"]["sent_ms"]
    assert len(sampled) == len(sent) == 12 and detail["tokens"]["not_kept"] == 0
    assert sampled == sorted(sampled) and sent == sorted(sent)
    assert all(a <= b for a, b in zip(sampled, sent))
    assert sampled[0] == detail["events_ms"]["first_token"] and sampled[-1] == detail["events_ms"]["last_token"]
    assert server.get(f"/v1/requests/{detail['id']}")["reply_id"] == reply["id"]


def test_every_place_tells_the_same(server):
    """The conformance test: reply, requests, events and trace on one request that others disturbed."""
    follower = Events(server)
    wait_until(lambda: follower.of("hello"), "a hello")
    chunks = []

    def read():
        chunks.extend(server.stream("/v1/completions", {"prompt": "Tell me a story.", "max_tokens": 60, "temperature": 0,
                                                        "ignore_eos": True, "phases": True}))

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: len(chunks) > 5, "it decodes")
    intruder = generate(server, "four five six seven " * 150, 3, cache_prompt=False)
    reader.join(PATIENCE_S)
    phases = chunks[-1]["phases"]
    check_phases(phases)
    check_phases(intruder["phases"])
    assert phases["causes_ns"]["decode_prefill"] > 0, "it was disturbed"
    wait_until(lambda: detail_of(server, chunks[0]["id"])["state"] == "finished", "it is delivered")
    detail = detail_of(server, chunks[0]["id"])
    assert detail["phases"]["causes_ns"] == phases["causes_ns"]
    culprits = {(blame["request"], blame["phase"]) for blame in detail["interference"]}
    assert (detail_of(server, intruder["id"])["id"], "prefill") in culprits

    wait_until(lambda: any(e["request"]["id"] == detail["id"] and e["change"] == "delivered" for e in follower.of("request")),
               "the events tell its end")
    follower.stop()
    changes = {e["change"]: e for e in follower.of("request") if e["request"]["id"] == detail["id"]}
    received = detail["received_ms"]
    for change, event in (("queued", "queued"), ("scheduled", "scheduled"), ("first_token", "first_token")):
        assert abs(changes[change]["at_ms"] - received - detail["events_ms"][event]) < 0.003, change
    assert changes["delivered"]["request"]["intervals_ms"] == phases["intervals_ms"]
    steps = follower.of("step")
    assert [step["step"] for step in steps] == sorted({step["step"] for step in steps})
    for step in steps:
        assert abs(sum(step["parts_ns"].values()) / 1e6 - (step["end_ms"] - step["start_ms"])) < 0.003
        tokens = sum(request["tokens"] for request in step["requests"])
        assert tokens == step["prefill_tokens"] + step["decode_tokens"]
    mixed = [step for step in steps if {r["phase"] for r in step["requests"]} >= {"prefill", "decode"}]
    assert mixed
    if not follower.of("dropped"):
        assert sum(detail["id"] in {r["id"] for r in step["requests"]} for step in steps) == detail["steps"]
    for kv in follower.of("kv"):
        assert kv["free"] + kv["cached"] + kv["in_use"] == kv["total"] and kv["shared"] <= kv["in_use"]

    trace = Trace(server.get("/v1/trace?seconds=600"))
    assert trace.problems == []
    slices = {one.name: one for one in trace.tracks("requests")[f"request {detail['id']}"]}
    for name in ("intake", "queue", "prefill", "decode", "delivery"):
        assert abs((slices[name].end - slices[name].start) / 1e3 - phases["intervals_ms"][name]) < 0.003, name
    arrows = [ends for (category, _), ends in trace.flows.items() if category == "interference"]
    assert any(end["ph"] == "f" and end["tid"] == detail["id"] for ends in arrows for end in ends)


def test_a_trace_is_well_formed_whatever_happens(server):
    """Requests that end in every way, while others run and after."""
    raw = server.socket()
    raw.sendall(post_bytes("/v1/completions", {"prompt": "gone soon", "max_tokens": 400, "ignore_eos": True, "stream": True}))
    raw.recv(100)
    raw.close()
    server.stream("/v1/completions", {"prompt": "x", "max_tokens": 3})
    running = threading.Thread(target=lambda: generate(server, "and on " * 20, 80))
    running.start()
    wait_until(lambda: any(row["state"] == "decode" for row in server.get("/v1/requests")["live"]), "one decodes")
    trace = Trace(server.get("/v1/trace?seconds=3600"))
    running.join(PATIENCE_S)
    assert trace.problems == []
    assert trace.tracks("engine").keys() == {"steps", "step parts"}
    for steps in (trace.tracks("engine")["steps"],):
        assert all(a.end <= b.start + 0.002 for a, b in zip(steps, steps[1:]))
    later = Trace(server.get("/v1/trace?seconds=0.001"))
    assert later.problems == []


def test_a_client_that_leaves_is_recorded_as_such(server):
    raw = server.socket()
    raw.sendall(post_bytes("/v1/completions", {"prompt": "I will leave", "max_tokens": 500, "ignore_eos": True, "stream": True}))
    wait_until(lambda: b"data: " in raw.recv(1 << 16), "its first token")
    path = f"/v1/requests/{server.get('/v1/requests')['live'][-1]['id']}"
    raw.close()
    wait_until(lambda: server.get(path)["state"] == "finished", "its end")
    detail = server.get(path)
    assert detail["state"] == "finished" and detail["end"] == "disconnect" and detail["finish_reason"] == "cancelled"
    check_phases(detail["phases"])


def test_a_client_that_does_not_read_costs_itself_the_time(server):
    """More than the socket's buffers hold, and nobody reads it."""
    raw = server.socket(receive_buffer=4096)
    raw.sendall(post_bytes("/v1/completions", {"prompt": "slow", "max_tokens": 600, "ignore_eos": True, "stream": True,
                                               "logprobs": 20, "n": 8}))

    def all_deliver():
        states = [row["state"] for row in server.get("/v1/requests")["live"]]
        return len(states) == 8 and set(states) == {"delivering"}

    wait_until(all_deliver, "the engine is done and the client is not")
    ids = [row["id"] for row in server.get("/v1/requests")["live"]]
    while server.get("/v1/requests?limit=1")["live"] and raw.recv(1 << 20):
        pass
    raw.close()
    for one in ids:
        detail = server.get(f"/v1/requests/{one}")
        check_phases(detail["phases"])
        client_ns = detail["phases"]["causes_ns"]["client"]
        assert 0 < client_ns <= detail["intervals_ms"]["delivery"] * 1e6 + 1000
        assert len(detail["tokens"]["sent_ms"]) <= len(detail["tokens"]["sampled_ms"]) == 600


def test_choices_of_one_reply_know_each_other(server):
    reply = generate(server, "three ways", 4, n=3)
    detail = detail_of(server, reply["id"])
    assert detail["choice"] == 0 and len(detail["siblings"]) == 2
    for sibling in detail["siblings"]:
        other = server.get(f"/v1/requests/{sibling}")
        assert other["reply_id"] == reply["id"] and other["choice"] in (1, 2)
        check_phases(other["phases"])


def test_wrong_questions_get_clear_answers(server):
    for path, status, field in (("/v1/requests/999999", 404, "id"), ("/v1/requests/chatcmpl-nobody", 404, "id"),
                                ("/v1/requests?limit=0", 400, "limit"), ("/v1/requests?limit=many", 400, "limit"),
                                ("/v1/trace?seconds=-1", 400, "seconds"), ("/v1/trace?seconds=nan", 400, "seconds"),
                                ("/v1/events?interval_ms=1", 400, "interval_ms")):
        got, reply = server.request("GET", path)
        assert (got, reply["error"]["param"]) == (status, field), path
    assert server.request("POST", "/v1/requests", {})[0] == 405


def test_followers_are_limited_and_leave_nothing_behind(server):
    followers = [Events(server) for _ in range(8)]
    assert server.request("GET", "/v1/events")[0] == 503
    for follower in followers:
        follower.stop()

    def one_fits():
        with contextlib.suppress(AssertionError):
            Events(server).stop()
            return True
        return False

    wait_until(one_fits, "a place is free again")


def test_the_cost_model_tells_its_error(server):
    model = server.get("/v1/cost-model")
    assert model["observed_steps"] > 0
    assert model["error"]["steps"] > 0 and 0 <= model["error"]["median"] <= model["error"]["p95"]
    assert all(term["ns_per_unit"] >= 0 for term in model["terms"])


def test_nobody_sees_anybodys_words(server):
    reply = server.post("/v1/chat/completions", {"messages": [{"role": "user", "content": f"Say {SECRET}."}],
                                                 "max_tokens": 8, "temperature": 0})
    assert detail_of(server, reply["id"])["kind"] == "chat"
    for path in ("/v1/requests", f"/v1/requests/{reply['id']}", "/v1/trace?seconds=600", "/v1/cost-model"):
        assert SECRET.split()[0] not in json.dumps(server.get(path)), path
