"""Whom the table holds files for: limits of an input, wishes of a checkpoint, several outputs."""

from __future__ import annotations

import pytest

from logagent.core.files import FileId
from logagent.held import User
from logagent.ports import Fault
from tests.fakes.table import USER, Table
from tests.fakes.tailing import ROOT, watch

OTHER = User("other", "app")
BOTH = frozenset({"out", "other"})


def test_a_file_is_open_until_all_have_finished_it() -> None:
    """Two outputs share one descriptor; it is closed when the second gives it back."""
    t = Table(watch(outputs=BOTH))
    t.fs.put(f"{ROOT}/a.log")
    t.scan()
    held = t.held()
    assert t.held(user=OTHER) is held
    t.table.release(held, USER)
    assert (t.table.files(USER), len(t.fs.opened)) == ([], 1)
    t.table.release(held, USER)
    assert len(t.fs.opened) == 1
    t.table.release(held, OTHER)
    assert (t.table.files(OTHER), t.fs.opened) == ([], {})


def test_a_finished_file_is_not_found_again_for_the_others_sake() -> None:
    """While one output still reads a deleted file, the other, done with it, isn't given it."""
    t = Table(watch(outputs=BOTH))
    t.fs.put(f"{ROOT}/a.log")
    t.scan()
    t.fs.remove(f"{ROOT}/a.log")
    t.scan()
    t.table.release(t.held(), USER)
    assert (t.scan(), len(t.table.files(OTHER))) == ([], 1)


def test_two_inputs_may_share_a_root() -> None:
    """One listing serves both; a file belongs to those whose globs match it."""
    second = watch(f"{ROOT}/*.out", f"{ROOT}/both*", input_id="second")
    t = Table(watch(f"{ROOT}/*.log"), second)
    for name in ("a.log", "b.out", "both.log"):
        t.fs.put(f"{ROOT}/{name}")
    assert t.scan() == [b"a.log", b"both.log"]
    found = t.table.files(User("out", "second"))
    assert [held.path for held in found] == [b"b.out", b"both.log"]
    assert len(t.fs.opened) == 3
    assert t.metrics.cell("files_open", "second").value == 2


def test_files_max_leaves_the_rest_with_a_word() -> None:
    """No more than the limit are held; each further one is named once, and gets its turn later."""
    t = Table(watch(files_max=2))
    for name in ("a", "b", "c"):
        t.fs.put(f"{ROOT}/{name}.log")
    assert t.scan() == t.scan() == [b"a.log", b"b.log"]
    assert t.warned() == ["FILES_MAX"]
    t.fs.remove(f"{ROOT}/a.log")
    t.scan()
    t.table.release(t.held(), USER)
    assert t.scan() == [b"b.log", b"c.log"]
    assert (ROOT, b"c.log") not in t.table.faults


def test_ignore_older_goes_by_the_last_write() -> None:
    """A file that is too old isn't held; one that is written again is, and stays when it ages."""
    t = Table(watch(ignore_older_s=60.0))
    node = t.fs.put(f"{ROOT}/old.log")
    node.mtime_ns = 100 * 10**9
    t.fs.put(f"{ROOT}/edge.log").mtime_ns = 140 * 10**9
    assert t.scan(wall=200.0) == [b"edge.log"]
    node.mtime_ns = 200 * 10**9
    assert t.scan(wall=201.0) == [b"edge.log", b"old.log"]
    assert t.scan(wall=9999.0) == [b"edge.log", b"old.log"]
    assert t.warned() == []


def test_what_a_checkpoint_wants_is_found_under_any_name() -> None:
    """A file that was renamed out of the glob while the agent was down, is too old, or one too
    many, is held all the same."""
    t = Table(watch(files_max=1, ignore_older_s=1.0))
    node = t.fs.put(f"{ROOT}/a.log.1")
    t.fs.put(f"{ROOT}/unrelated.log.1")
    t.fs.put(f"{ROOT}/b.log").mtime_ns = 500 * 10**9
    t.table.want(USER, [FileId(ROOT, node.ino, node.birth_ns)])
    assert t.scan(wall=500.0) == [b"a.log.1"]
    assert not t.held().rotated
    assert t.warned() == ["FILES_MAX"]


def test_an_inode_number_alone_is_not_wanted() -> None:
    """Outside the globs, a file that only has the number of a wanted one is left alone."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log.1", ino=5, birth_ns=2)
    t.table.want(USER, [FileId(ROOT, 5, 1)])
    assert (t.scan(), t.fs.opened) == ([], {})
    assert not t.table.blocked(FileId(ROOT, 5, 1))


def test_wanting_a_held_file_adds_a_user() -> None:
    """An output that starts later joins those who hold the file."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log")
    t.scan()
    t.table.want(OTHER, [t.held().file])
    assert t.held(user=OTHER) is t.held()


@pytest.mark.parametrize("where", ["open", "stat"])
def test_a_wanted_file_that_cannot_be_had_is_blocked(where: str) -> None:
    """It is there, so it isn't gone: nobody may count it as lost. It is until it can be opened."""
    t = Table()
    node = t.fs.put(f"{ROOT}/a.log")
    file = FileId(ROOT, node.ino, node.birth_ns)
    t.table.want(USER, [file])
    denied = Fault("EACCES", "denied")
    if where == "open":
        t.fs.denied[f"{ROOT}/a.log"] = denied
    else:
        t.fs.unstatted[f"{ROOT}/a.log"] = denied
    t.scan()
    assert t.table.blocked(file)
    t.fs.denied.clear()
    t.fs.unstatted.clear()
    assert t.scan() == [b"a.log"]
    assert not t.table.blocked(file)
    t.fs.remove(f"{ROOT}/a.log")
    t.scan()
    assert not t.table.blocked(file)


def test_each_file_is_looked_at_once() -> None:
    """A scan costs no stat and no open for files that are held and haven't moved."""
    t = Table()
    for number in range(5):
        t.fs.put(f"{ROOT}/{number}.log")
    t.scan()
    assert t.fs.calls == {"walk": 1, "stat": 5, "open": 5}
    t.scan()
    assert t.fs.calls == {"walk": 2, "stat": 5, "open": 5}


def test_closing_gives_all_descriptors_back() -> None:
    """At the end of the process nothing is left open."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log")
    t.fs.put(f"{ROOT}/b.log")
    t.scan()
    t.fs.remove(f"{ROOT}/a.log")
    t.scan()
    t.table.close()
    assert (t.fs.opened, t.table.files(USER)) == ({}, [])
