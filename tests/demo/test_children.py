"""Children are measured, and none stays behind."""

import os
import sys
from pathlib import Path

import pytest

from logagent.demo.children import Child


def child(tmp_path: Path, code: str) -> Child:
    """A Python child that runs `code`."""
    return Child([sys.executable, "-c", code], log=str(tmp_path / "child.err"))


@pytest.mark.slow
def test_a_child_is_measured(tmp_path: Path) -> None:
    """CPU time and peak memory are the child's own; its words are kept."""
    code = "import sys; x = bytes(range(256)) * 400_000; sum(range(5_000_000))"
    process = child(tmp_path, code + "; sys.stderr.write('so\\n'); print(1, flush=True); input()")
    assert process.read_line() == b"1\n"
    process.sample()
    assert 100e6 < process.peak_rss_bytes < 400e6
    usage = process.stop(10)
    assert 0.01 < usage.cpu_s < 20
    assert process.last_words().startswith("so\n")


@pytest.mark.slow
def test_a_child_ends_when_asked_or_is_made_to(tmp_path: Path) -> None:
    """SIGTERM first, SIGKILL for one that doesn't listen; the exit status tells which."""
    ready = "print(1, flush=True); import time; time.sleep(60)"
    polite = child(tmp_path, ready)
    assert polite.read_line()
    assert polite.poll() is None
    assert polite.stop(10).status == -15
    deaf = child(tmp_path, "import signal; signal.signal(signal.SIGTERM, lambda *_: 0); " + ready)
    assert deaf.read_line()
    assert deaf.stop(0.1).status == -9
    assert deaf.stop(0.1).status == -9
    deaf.sample()
    with pytest.raises(ProcessLookupError):
        os.kill(deaf.pid, 0)
