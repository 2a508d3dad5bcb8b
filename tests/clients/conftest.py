import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))
from support import Server  # noqa: E402


@pytest.fixture(scope="module")
def server():
    """One server for a file; it must still be there, and leave in order, when the file is done."""
    it = Server()
    yield it
    assert it.process.poll() is None, it.log_text()
    assert it.terminate() == 0, it.log_text()


@pytest.fixture(scope="module")
def model(server):
    return server.get("/v1/models")["data"][0]["id"]
