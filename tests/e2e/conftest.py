import pytest

from support import Server


@pytest.fixture(scope="module")
def server():
    """One server for a file; it must still be there, and leave in order, when the file is done."""
    it = Server()
    yield it
    assert it.process.poll() is None, it.log_text()
    assert it.terminate() == 0, it.log_text()
