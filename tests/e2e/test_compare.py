"""`twostroke compare` and `twostroke runs` as a user has them: servers of known speed, started by the command itself or
already there, result files, CI's exit codes, and a history that survives. Times are far enough apart that a busy
machine does not change who is faster."""

import contextlib
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

BINARY = os.environ["TWOSTROKE_BIN"]
MOCK = f"{sys.executable} {Path(__file__).parent / 'mock_server.py'}"
PATIENCE_S = 300
# Answers of 12 tokens; the client may be late: this is not about its precision.
LOAD = {"--requests": "6", "--concurrency": "2", "--prompt-tokens": "20", "--output-tokens": "12", "--range-ratio": "0.5",
        "--warmup": "0", "--calibration-blocks": "0", "--blocks": "7", "--max-lag": "1000"}


@pytest.fixture
def db(tmp_path):
    return str(tmp_path / "runs.sqlite")


def twostroke(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=PATIENCE_S)


def compare(a, b, db, *flags):
    load = [word for flag, value in LOAD.items() if flag not in flags for word in (flag, value)]
    return twostroke("compare", a, b, *load, "--runs-db", db, "--json", *flags)


def mock(ttft_ms, itl_ms, *flags):
    return f"{MOCK} --port {{port}} --ttft-ms {ttft_ms} --itl-ms {itl_ms} {' '.join(flags)}"


def processes_of(marker):
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker in entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                found.append(entry.parent.name)
        except OSError:
            pass
    return found


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.outside = []
        self.tags = []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.outside += [value for name, value in attributes if name in ("src", "href") or "url(" in (value or "")]


def test_a_trade_off_has_its_break_even_length(db, tmp_path):
    page = tmp_path / "page.html"
    run = compare(mock(130, 5), mock(40, 15), db, "--html", str(page), "--slo", "ttft:100", "--label", "trade")
    assert run.returncode == 4, run.stderr
    result = json.loads(run.stdout)
    assert result["verdict"] == "trade-off"
    assert (result["ttft"]["verdict"], result["tpot"]["verdict"]) == ("FASTER", "SLOWER")
    low, high = result["break_even"]["interval"]
    assert low < 1 + 90 / 10 < high or abs(result["break_even"]["tokens"] - 10) < 3, result["break_even"]
    assert result["break_even"]["faster_below"] == "B"
    assert 0 < result["break_even"]["share_below"] < 1
    assert result["goodput"]["attainment"]["b"] > result["goodput"]["attainment"]["a"]
    assert result["texts"] == {"compared": 42, "equal": 42}  # the same lengths for both sides
    assert "done first" in result["paragraph"]
    parsed = Page()
    parsed.feed(page.read_text())
    assert parsed.outside == [] and "script" not in parsed.tags and parsed.tags.count("svg") >= 4
    assert processes_of("--ttft-ms 130 --itl-ms 5") == []  # stopped by its pid


def test_urls_and_the_other_verdicts(db):
    servers = [subprocess.Popen([*MOCK.split(), *flags.split()], stdout=subprocess.PIPE, text=True)
               for flags in ("--ttft-ms 60 --itl-ms 5", "--ttft-ms 60 --itl-ms 5", "--ttft-ms 180 --itl-ms 15")]
    try:
        same, twin, slow = [server.stdout.readline().split()[-1] for server in servers]
        assert compare(same, slow, db).returncode == 3
        run = compare(slow, same, db)
        assert run.returncode == 0 and json.loads(run.stdout)["verdict"] == "dominates"
        run = compare(same, twin, db, "--margin", "60")
        assert run.returncode == 0 and json.loads(run.stdout)["verdict"] == "equivalent"
        assert compare(same, slow, db, "--exit-zero").returncode == 0
        run = compare(same, slow, db, "--blocks", "2")
        assert run.returncode == 5 and "that takes 7" in str(json.loads(run.stdout)["notes"])
    finally:
        for server in servers:
            server.kill()
            server.wait()


def test_a_cache_does_not_help_whoever_comes_second(db):
    """Both sides are one server with a prefix cache: prompts that a run has sent must be new to the next one, also in
    calibration, and to the next comparison with the same seed."""
    server = subprocess.Popen([*MOCK.split(), *"--ttft-ms 10 --itl-ms 5 --prefill-ms-per-token 5 --cache".split()],
                              stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().split()[-1]
        for _ in range(2):
            run = compare(url, url, db, "--calibration-blocks", "2", "--margin", "60")
            result = json.loads(run.stdout)
            assert run.returncode == 0 and result["verdict"] == "equivalent", result["ttft"]
            assert abs(result["calibration"]["ttft"]["bias"]) < 0.4, result["calibration"]
            assert result["texts"]["compared"] == 0 and "prefix cache" not in str(result["notes"])
    finally:
        server.kill()
        server.wait()


def test_a_server_anew_for_every_run(db):
    run = compare(mock(20, 2), mock(100, 10), db, "--restart", "--requests", "2", "--no-save")
    assert run.returncode == 3, run.stderr
    assert not os.path.exists(db)


def test_what_cannot_be_compared_says_why(db):
    run = compare("sh -c 'echo cannot open the model >&2; exit 3'", mock(20, 2), db)
    assert run.returncode == 1 and "cannot open the model" in run.stderr
    run = compare("http://127.0.0.1:1", mock(20, 2), db)
    assert run.returncode == 1 and "127.0.0.1:1" in run.stderr
    run = compare(mock(20, 2), mock(20, 2, "--fail-every", "3"), db)
    assert run.returncode == 1 and "requests failed" in run.stderr and "the mock fails" in run.stderr
    assert compare("a:1", "b:1", db, "--slo", "ttft=5").returncode == 2
    assert compare("a:1", "b:1", db, "--capacity").returncode == 2
    assert twostroke("compare", "a:1").returncode == 2
    run = compare("sleep 1000", mock(20, 2), db, "--start-timeout", "1")
    assert run.returncode == 1 and "{port}" in run.stderr and processes_of("sleep 1000") == []


def vllm_file(path, ttft_s, itl_s, runs=1):
    lines = []
    for run in range(runs):
        jitter = 1 + 0.001 * run
        lines.append({"duration": 9.0, "input_lens": [10] * 5, "output_lens": [4] * 5, "errors": [""] * 5,
                      "ttfts": [ttft_s * jitter] * 5, "itls": [[itl_s * jitter] * 3] * 5})
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return str(path)


def test_result_files(tmp_path, db):
    a = vllm_file(tmp_path / "a.json", 0.5, 0.02)
    b = vllm_file(tmp_path / "b.json", 0.3, 0.02)
    run = compare(a, b, db)
    assert run.returncode == 5 and "--run-noise" in json.loads(run.stdout)["notes"][0]
    run = compare(a, b, db, "--run-noise", "0.5")
    assert run.returncode == 0 and json.loads(run.stdout)["verdict"] == "dominates"
    many_a = vllm_file(tmp_path / "many_a.jsonl", 0.5, 0.02, runs=8)
    many_b = vllm_file(tmp_path / "many_b.jsonl", 0.3, 0.03, runs=8)
    run = compare(many_a, many_b, db)
    assert run.returncode == 4 and json.loads(run.stdout)["blocks"] == 8
    assert abs(json.loads(run.stdout)["break_even"]["tokens"] - 21) < 0.1
    assert "in pairs" in compare(a, many_b, db).stderr
    assert "compare two of a kind" in compare(a, "http://127.0.0.1:1", db).stderr
    (tmp_path / "notes.txt").write_text("not a result")
    assert "not valid JSON" in compare(str(tmp_path / "notes.txt"), b, db).stderr


def test_the_history_of_runs(tmp_path, db):
    a = vllm_file(tmp_path / "a.json", 0.5, 0.02)
    b = vllm_file(tmp_path / "b.json", 0.3, 0.02)
    for label in ("one", "two"):
        compare(a, b, db, "--label", label)
    runs = json.loads(twostroke("runs", "list", "--runs-db", db, "--json").stdout)
    assert [(run["id"], run["label"], run["verdict"]) for run in runs] == [
        (2, "two", "undetermined"), (1, "one", "undetermined")]
    shown = json.loads(twostroke("runs", "show", "1", "--json", "--requests", "--runs-db", db).stdout)
    assert shown["result"]["verdict"] == "undetermined" and len(shown["requests"]) == 10
    rows = list(csv.DictReader(io.StringIO(
        twostroke("runs", "export", "--format", "csv", "--requests", "--runs-db", db).stdout)))
    assert len(rows) == 20 and float(rows[0]["ttft_ms"]) == 500 and rows[0]["side"] == "A"
    out = tmp_path / "export.json"
    assert twostroke("runs", "export", "2", "-o", str(out), "--runs-db", db).returncode == 0
    assert json.loads(out.read_text())[0]["label"] == "two"
    assert twostroke("runs", "delete", "1", "9", "--runs-db", db).returncode == 1
    assert twostroke("runs", "delete", "1", "--runs-db", db).returncode == 0
    assert "no run 1" in twostroke("runs", "show", "1", "--runs-db", db).stderr
    assert "two" in twostroke("runs", "--runs-db", db).stdout


def test_a_damaged_history_costs_no_result(tmp_path, db):
    Path(db).write_text("this is no database, but it is somebody's")
    a = vllm_file(tmp_path / "a.json", 0.5, 0.02)
    run = compare(a, a, db, "--run-noise", "0.1")
    assert run.returncode == 0 and json.loads(run.stdout)["verdict"] == "equivalent"
    assert "was not saved" in run.stderr and db in run.stderr
    assert Path(db).read_text() == "this is no database, but it is somebody's"
    listed = twostroke("runs", "list", "--runs-db", db)
    assert listed.returncode == 1 and "left as it is" in listed.stderr


def test_where_runs_are_kept(tmp_path):
    a = vllm_file(tmp_path / "a.json", 0.5, 0.02)
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")}
    subprocess.run([BINARY, "compare", a, a], env=environment, capture_output=True, timeout=PATIENCE_S)
    assert (tmp_path / "data" / "twostroke" / "runs.sqlite").exists()
    environment = {**os.environ, "XDG_DATA_HOME": "", "HOME": str(tmp_path / "home")}
    listed = subprocess.run([BINARY, "runs"], env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    assert listed.returncode == 0 and "no runs yet" in listed.stdout


def test_kept_load_runs_are_compared(tmp_path, db):
    """Rows as `load` keeps them, written by the documented schema."""
    compare(vllm_file(tmp_path / "a.json", 0.5, 0.02), vllm_file(tmp_path / "b.json", 0.5, 0.02), db)  # makes the file
    with contextlib.closing(sqlite3.connect(db)) as history, history:
        for label, ttft, tpot in [("old", 500, 20), ("new", 300, 30)]:
            for run in range(8):
                cursor = history.execute(
                    "INSERT INTO runs(created_unix_ms, kind, label, target, model, version, completed, failed, duration_s,"
                    " result_json) VALUES(1, 'load', ?, 't', 'm', 'v', 3, 0, 9, '{}')", [label])
                for index in range(3):
                    row = {"error_kind": "", "ttft_ms": ttft + run, "tpot_ms": tpot + run / 100, "output_tokens": 40,
                           "e2el_ms": ttft + run + 39 * (tpot + run / 100), "chunk_at_ms": [1, 2]}
                    history.execute("INSERT INTO requests VALUES(?, ?, ?)", [cursor.lastrowid, index, json.dumps(row)])
    run = twostroke("runs", "compare", "old", "new", "--runs-db", db, "--json")
    assert run.returncode == 4, run.stderr
    result = json.loads(run.stdout)
    assert result["blocks"] == 8 and abs(result["break_even"]["tokens"] - 21) < 0.2
    run = twostroke("runs", "compare", "2,3", "10,11", "--runs-db", db)
    assert run.returncode == 5 and "that takes 7" in run.stdout
    assert "neither" in twostroke("runs", "compare", "old", "nothing", "--runs-db", db).stderr
    assert "only load runs" in twostroke("runs", "compare", "1", "2", "--runs-db", db).stderr
