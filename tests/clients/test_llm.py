"""The `llm` command line tool and library, told of the server by its own configuration file."""

import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def folder(server, model, tmp_path_factory):
    path = tmp_path_factory.mktemp("llm")
    (path / "extra-openai-models.yaml").write_text(
        f"- model_id: two\n  model_name: {model}\n  api_base: {server.url}/v1\n  supports_tools: true\n"
        f"  can_stream: true\n")
    return path


def run(folder, *arguments):
    command = [sys.executable, "-m", "llm", *arguments]
    environment = {**os.environ, "LLM_USER_PATH": str(folder), "OPENAI_API_KEY": "none"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_streams_what_it_answers_whole(folder):
    asked = ["-m", "two", "-o", "temperature", "0", "-o", "max_tokens", "20", "Name three colours."]
    whole = run(folder, *asked, "--no-stream")
    assert whole.strip()
    assert run(folder, *asked).strip() == whole.strip()


def test_a_tool_is_offered(folder):
    reply = run(folder, "-m", "two", "-o", "max_tokens", "20", "-T", "llm_time", "Say hello.")
    assert reply is not None
