"""Which paths belong to an input, and what a held file is called."""

from __future__ import annotations

from logagent.core.files import FileId
from logagent.held import Held
from tests.fakes.tailing import watch


def test_a_path_belongs_by_its_globs_and_excludes() -> None:
    """Includes match below the root, excludes the whole path; one of several is enough."""
    w = watch("/logs/*.log", "/logs/sub/*.out", exclude=("*.tmp.log", "/logs/old.log"))
    paths = [b"a.log", b"sub/a.out", b"sub/a.log", b"a.tmp.log", b"old.log"]
    assert [w.matches(path) for path in paths] == [True, True, False, False, False]


def test_a_name_is_safe_to_log() -> None:
    """For documents the path is bytes, for people it is escaped."""
    held = Held(FileId("/logs", 1, 2), 3, b"a\n.log", set(), 0, 0.0)
    assert held.full_path == b"/logs/a\n.log"
    assert held.name == "/logs/a\\n.log"
    assert (held.linked, held.rotated) == (True, False)


def test_held_files_share_nothing() -> None:
    """Each has its own peaks, and is equal to itself alone: a table holds them by identity."""
    one = Held(FileId("/logs", 1, 2), 3, b"a", set(), 0, 0.0)
    two = Held(FileId("/logs", 1, 2), 3, b"a", set(), 0, 0.0)
    one.peaks.append(5)
    assert two.peaks == []
    assert one != two
