"""`twostroke explain URL` against servers of known speed: the numbers it finds are those that were set."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BINARY = os.environ["TWOSTROKE_BIN"]
MOCK = [sys.executable, str(Path(__file__).parent / "mock_server.py")]
PATIENCE_S = 300


@pytest.fixture
def serve():
    processes = []

    def start(*flags):
        processes.append(subprocess.Popen([*MOCK, *flags], stdout=subprocess.PIPE, text=True))
        return processes[-1].stdout.readline().split()[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def explain(url, *flags):
    return subprocess.run([BINARY, "explain", url, "--no-save", *flags], capture_output=True, text=True,
                          timeout=PATIENCE_S)


def texts(report):
    return " ".join(finding["text"] for finding in report["findings"])


def test_a_server_with_a_cache_and_enough_slots(serve):
    url = serve("--ttft-ms", "30", "--prefill-ms-per-token", "0.5", "--itl-ms", "10", "--cache")
    run = explain(url, "--json", "--rounds", "3", "--max-prompt-tokens", "256", "--max-output-tokens", "32",
                  "--max-concurrency", "4")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    # Wide: a busy machine is late, and never early.
    assert 0.3 < report["prefill"]["ms_per_token"]["value"] < 1, report["prefill"]
    assert 9 < report["decode"]["ms_per_token"]["value"] < 30, report["decode"]
    assert report["prefix_cache"]["answer"] == "reuses" and report["prefix_cache"]["cached_share"] > 0.9
    assert report["slots"] is None and len(report["concurrency"]) == 3
    assert "It reuses prompts" in texts(report) and report["unknown"]


def test_a_server_without_a_cache_and_with_two_slots(serve):
    url = serve("--ttft-ms", "60", "--itl-ms", "10", "--slots", "2")
    run = explain(url, "--json", "--rounds", "3", "--max-prompt-tokens", "64", "--max-output-tokens", "16")
    report = json.loads(run.stdout)
    assert report["prefix_cache"]["answer"] != "reuses"
    assert report["slots"] == 2, report["concurrency"]
    assert "It serves about 2 at once" in texts(report)


def test_what_is_wrong_is_said(serve, tmp_path):
    run = explain("http://127.0.0.1:1")
    assert run.returncode == 1 and "127.0.0.1:1" in run.stderr
    run = explain("https://127.0.0.1:1")
    assert run.returncode == 1 and "https" in run.stderr
    run = explain(serve("--fail-every", "1"))
    assert run.returncode == 1 and "the mock fails" in run.stderr
    url = serve("--ttft-ms", "5", "--itl-ms", "1", "--fail-every", "11")
    run = explain(url, "--rounds", "1", "--max-prompt-tokens", "64", "--max-output-tokens", "8")
    assert run.returncode == 0 and "problem: " in run.stdout and "What cannot be known" in run.stdout
    db = tmp_path / "runs.sqlite"
    subprocess.run([BINARY, "explain", serve("--ttft-ms", "5", "--itl-ms", "1"), "--rounds", "1", "--max-prompt-tokens", "32",
                    "--max-output-tokens", "8", "--max-concurrency", "1", "--runs-db", str(db)],
                   capture_output=True, timeout=PATIENCE_S)
    listed = subprocess.run([BINARY, "runs", "--json", "--runs-db", str(db)], capture_output=True, text=True)
    assert json.loads(listed.stdout)[0]["kind"] == "explain"


@pytest.mark.skipif(not os.environ.get("TWOSTROKE_MODEL"), reason="TWOSTROKE_MODEL names no model")
def test_our_own_server_is_known_by_its_name_and_tells_its_prefill(tmp_path):
    process = subprocess.Popen([BINARY, "serve", os.environ["TWOSTROKE_MODEL"], "--port", "0", "-c", "1024"],
                               stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().split()[-1]
        run = explain(url, "--json", "--rounds", "2", "--max-prompt-tokens", "128", "--max-output-tokens", "16",
                      "--max-concurrency", "2")
        assert run.returncode == 0, run.stderr
        report = json.loads(run.stdout)
        assert report["software"] == "twostroke" and report["overhead_ms"] is not None
        assert report["prefix_cache"]["cached_share"] > 0.5 and report["slots"] is None
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
