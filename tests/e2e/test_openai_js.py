"""The official JavaScript client (js/client.mjs) against the real server."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from support import PATIENCE_S

MODULES = os.environ.get("TWOSTROKE_NODE_MODULES", "")
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(not NODE, reason="there is no node on the PATH"),
    pytest.mark.skipif(not os.path.isdir(os.path.join(MODULES, "openai")),
                       reason="TWOSTROKE_NODE_MODULES has no openai (make test installs it)"),
]


@pytest.fixture(scope="module")
def seen(server):
    script = pathlib.Path(__file__).parent / "js" / "client.mjs"
    done = subprocess.run([NODE, script, server.url], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_chat_streams_what_it_answers_whole(seen):
    content = seen["whole"]["choices"][0]["message"]["content"]
    assert content
    chunks = seen["chunks"]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"]) == content
    assert chunks[-2]["choices"][0]["finish_reason"] == seen["whole"]["choices"][0]["finish_reason"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == seen["whole"]["usage"]["completion_tokens"]
    assert len(chunks) == chunks[-1]["usage"]["completion_tokens"] + 2


def test_completions(seen):
    assert "Paris" in seen["completionText"]
    assert seen["completion"]["choices"][0]["text"] == seen["completionText"]


def test_models(seen):
    assert len(seen["models"]) == 1


def test_errors_are_typed(seen):
    assert seen["error"] == {"name": "BadRequestError", "status": 400, "param": "top_p",
                             "type": "invalid_request_error"}


def test_leaving_ends_the_work(seen, server):
    server.wait_until_idle()
    server.expect_healthy()
