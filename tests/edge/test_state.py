"""The state directory: private, writable, and one agent's at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from logagent.edge.state import StateInUseError, lock_state, make_state_dir

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_directory_is_private(tmp_path: Path) -> None:
    """What is made has mode 0700; making it again changes nothing, nor does it change another's."""
    path = tmp_path / "var" / "state"
    make_state_dir(str(path))
    assert path.stat().st_mode & 0o7777 == 0o700
    path.chmod(0o2770)
    make_state_dir(str(path))
    assert path.stat().st_mode & 0o7777 == 0o2770


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    """Something that isn't a directory is an OSError that names it."""
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="state"):
        make_state_dir(str(tmp_path / "state"))


def test_one_lock_at_a_time(tmp_path: Path) -> None:
    """A second holder is refused, in this process and in another, until the first lets go."""
    code = "import sys; from logagent.edge.state import *; lock_state(sys.argv[1])"
    child = [sys.executable, "-c", code, str(tmp_path)]

    def other() -> str:
        done = subprocess.run(child, capture_output=True, text=True, timeout=60, check=False)
        return done.stderr

    with lock_state(str(tmp_path)) as lock:
        with pytest.raises(StateInUseError, match=str(tmp_path)):
            lock_state(str(tmp_path))
        assert "another logagent is using it" in other()
        assert os.get_inheritable(lock._fd) is False
    assert other() == ""
    lock.close()


def test_nothing_to_lock(tmp_path: Path) -> None:
    """A directory that isn't there is an OSError, not a lock."""
    with pytest.raises(FileNotFoundError):
        lock_state(str(tmp_path / "no"))
