"""/metrics as Prometheus takes it: checked by promtool, scraped by a real Prometheus, and agreeing with the replies."""

import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest

from support import PATIENCE_S, Server, wait_until

PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")


@pytest.fixture(scope="module")
def server():
    one = Server()
    yield one
    assert one.terminate() == 0, one.log_text()


@pytest.fixture(scope="module")
def usage(server):
    """What the replies say that was done: four of them, one cut short by its reader."""
    replies = [server.post("/v1/completions", {"prompt": f"{i} is a number that", "max_tokens": 4 + i, "ignore_eos": True})
               for i in range(3)]
    events = server.stream("/v1/completions", {"prompt": "Once", "max_tokens": 400, "ignore_eos": True})
    next(events)
    events.close()
    wait_until(lambda: value(server, "twostroke_request_seconds_count") == 4, "all four are over")
    return [reply["usage"] for reply in replies]


def samples(server):
    found = {}
    for line in server.get("/metrics").splitlines():
        if not line.startswith("#"):
            name, number = line.rsplit(" ", 1)
            found[name.split("{")[0], name] = float(number)
    return found


def value(server, name, label=""):
    return sum(number for (family, full), number in samples(server).items() if family == name and label in full)


def promtool(text):
    return subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=PATIENCE_S)


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool (scripts/setup test installs it)")
def test_promtool_has_no_complaint(server, usage):
    own = promtool(server.get("/metrics?names=twostroke"))
    assert own.returncode == 0 and own.stdout == own.stderr == "", own
    # Of vLLM's names it dislikes what we cannot change.
    for line in promtool(server.get("/metrics")).stderr.splitlines():
        assert line.startswith("vllm:"), line
        assert "should not contain ':'" in line or line.startswith("vllm:iteration_tokens_total "), line


def test_agrees_with_the_replies(server, usage):
    assert value(server, "twostroke_requests_ended_total", 'end="complete"') == 3
    assert value(server, "twostroke_requests_ended_total", 'end="disconnect"') == 1
    done = value(server, "twostroke_request_output_tokens_sum")
    assert done == value(server, "twostroke_output_tokens_total")
    assert done >= sum(one["completion_tokens"] for one in usage) + 1
    assert value(server, "vllm:generation_tokens_total") == done
    prompts = value(server, "twostroke_request_prompt_tokens_sum")
    assert prompts == value(server, "vllm:prompt_tokens_total") >= sum(one["prompt_tokens"] for one in usage)
    assert value(server, "twostroke_inter_token_latency_seconds_count") == done - 4
    assert value(server, "twostroke_kv_blocks") == server.get("/props")["kv_cache"]["blocks"]


def test_causes_sum_to_lives(server, usage):
    causes, lives = value(server, "twostroke_cause_seconds_total"), value(server, "twostroke_request_seconds_sum")
    assert causes > 0 and abs(causes - lives) < 1e-6


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.skipif(PROMETHEUS is None, reason="no prometheus (scripts/setup test installs it)")
def test_a_real_prometheus_scrapes_it(server, usage, tmp_path):
    port = free_port()
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n  - job_name: twostroke\n    scrape_interval: 1s\n    scrape_timeout: 1s\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]\n")
    command = [PROMETHEUS, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
               f"--web.listen-address=127.0.0.1:{port}"]

    def query(text):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(text)}") as reply:
                return [float(one["value"][1]) for one in json.load(reply)["data"]["result"]]
        except OSError:
            return []

    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: query("sum(twostroke_requests_ended_total)") == [4], "Prometheus has scraped")
        assert query("vllm:time_to_first_token_seconds_count") == query("twostroke_time_to_first_token_seconds_count")
        lives = query("twostroke_request_seconds_sum")
        assert query("sum(twostroke_cause_seconds_total)") == pytest.approx(lives)
        assert query("histogram_quantile(0.5, twostroke_request_seconds_bucket)")[0] > 0
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
