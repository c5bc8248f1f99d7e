"""The table of open files: what a scan finds, holds, says, and gives back."""

from __future__ import annotations

import errno

from logagent.core.files import FileId
from logagent.ports import Fault
from tests.fakes.table import USER, Table
from tests.fakes.tailing import ROOT, watch


def test_a_scan_opens_what_matches() -> None:
    """Files of the globs, in the order of the listing, without excludes and other names."""
    t = Table(watch(f"{ROOT}/**/*.log", exclude=("*.tmp.log",)))
    for name in ("a.log", "b.txt", "c.tmp.log", "sub/d.log"):
        t.fs.put(f"{ROOT}/{name}", b"12")
    assert t.scan() == [b"a.log", b"sub/d.log"]
    assert t.held().full_path == b"/logs/a.log"
    assert len(t.fs.opened) == 2
    assert t.metrics.cell("files_open", "app").value == 2
    t.fs.put(f"{ROOT}/e.log")
    assert t.scan() == [b"a.log", b"sub/d.log", b"e.log"]


def test_a_missing_root_is_waited_for() -> None:
    """It is said once, the input isn't complete meanwhile, and all flows when it appears."""
    t = Table(root=False)
    assert (t.scan(), t.scan()) == ([], [])
    assert not t.table.complete("app")
    t.fs.mkdir(ROOT)
    t.fs.put(f"{ROOT}/a.log")
    assert t.scan() == [b"a.log"]
    assert t.table.complete("app")
    assert [line.message for line in t.log.lines] == [
        "input root can't be listed yet",
        "reading it now",
        "file found",
    ]


def test_a_renamed_file_is_the_same() -> None:
    """A new name within the root, in the glob or not, keeps the descriptor; the file that takes
    the old name is another."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log", b"old")
    t.scan()
    first = t.held()
    t.fs.rename(f"{ROOT}/a.log", f"{ROOT}/a.log.1")
    t.fs.put(f"{ROOT}/a.log", b"new")
    assert t.scan() == [b"a.log.1", b"a.log"]
    assert t.held() is first
    assert (first.rotated, first.linked, t.held(1).rotated) == (True, True, False)
    t.fs.rename(f"{ROOT}/a.log.1", f"{ROOT}/a.log.2")
    t.fs.rename(f"{ROOT}/a.log", f"{ROOT}/a.log.1")
    assert t.scan() == [b"a.log.2", b"a.log.1"]
    assert len(t.fs.opened) == 2


def test_two_files_that_swap_their_names() -> None:
    """Both stay, each under the name it has now."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log")
    t.fs.put(f"{ROOT}/b.log")
    t.scan()
    a, b = t.table.files(USER)
    t.fs.rename(f"{ROOT}/a.log", f"{ROOT}/x")
    t.fs.rename(f"{ROOT}/b.log", f"{ROOT}/a.log")
    t.fs.rename(f"{ROOT}/x", f"{ROOT}/b.log")
    t.scan()
    assert (a.path, b.path) == (b"b.log", b"a.log")
    assert t.table.files(USER) == [a, b]


def test_a_file_renamed_out_of_sight_is_rotated() -> None:
    """Moved to where no scan looks it is held on, and its end is taken for final."""
    t = Table()
    t.fs.mkdir("/elsewhere")
    t.fs.put(f"{ROOT}/a.log", b"data")
    t.scan()
    t.fs.rename(f"{ROOT}/a.log", "/elsewhere/a.log")
    assert t.scan() == [b"a.log"]
    assert (t.held().rotated, t.held().linked) == (True, True)
    assert t.held().changed_at == t.now


def test_a_root_that_cannot_be_listed_rotates_nothing() -> None:
    """A listing that failed says nothing about names: the files aren't taken for finished."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log", b"data")
    t.scan()
    t.fs.unlisted[ROOT] = Fault("EMFILE", "Too many open files")
    assert t.scan() == [b"a.log"]
    assert not t.held().rotated
    assert t.warned() == ["EMFILE"]


def test_a_deleted_file_is_held() -> None:
    """Without a name it can still be read; a new file of that name is another."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log", b"data")
    t.scan()
    t.fs.remove(f"{ROOT}/a.log")
    assert t.scan() == [b"a.log"]
    assert (t.held().linked, t.held().rotated) == (False, True)
    t.fs.put(f"{ROOT}/a.log")
    assert t.scan() == [b"a.log", b"a.log"]
    assert t.held(1).linked


def test_growth_and_shrinking_are_noted() -> None:
    """Size and the time of the last change are of the last scan; each truncation starts a peak."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log", b"12345")
    t.scan()
    held = t.held()
    assert (held.size, held.changed_at, held.peaks) == (5, 1.0, [5])
    t.scan()
    assert held.changed_at == 1.0
    t.fs.append(f"{ROOT}/a.log", b"678")
    t.scan()
    assert (held.size, held.changed_at, held.peaks) == (8, 3.0, [8])
    t.fs.truncate(f"{ROOT}/a.log", b"12")
    t.scan()
    assert (held.size, held.changed_at, held.peaks) == (2, 4.0, [8, 2])
    t.fs.append(f"{ROOT}/a.log", b"345")
    t.scan()
    t.fs.truncate(f"{ROOT}/a.log")
    t.scan()
    assert held.peaks == [8, 5, 0]


def test_a_hard_link_is_no_second_file() -> None:
    """The first name stays the file's name, and it isn't taken for renamed."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log")
    t.fs.link(f"{ROOT}/a.log", f"{ROOT}/b.log")
    assert t.scan() == t.scan() == [b"a.log"]
    assert not t.held().rotated
    t.fs.remove(f"{ROOT}/a.log")
    assert t.scan() == [b"b.log"]
    assert (len(t.fs.opened), t.held().linked) == (1, True)


def test_symlinks_are_opened_by_the_policy() -> None:
    """A link inside the root is a file, one to a held file isn't a second one, one that leads out
    is reported once."""
    t = Table(watch(f"{ROOT}/**/*.log"))
    t.fs.put(f"{ROOT}/data/0", b"inside")
    t.fs.symlink(f"{ROOT}/current.log", "data/0")
    t.fs.put("/secret", b"outside")
    t.fs.symlink(f"{ROOT}/out.log", "../secret")
    assert t.scan() == t.scan() == [b"current.log"]
    assert (t.warned(), t.held().rotated) == (["OUTSIDE"], False)
    t.fs.symlink(f"{ROOT}/again.log", "data/0")
    assert t.scan() == [b"current.log"]
    assert len(t.fs.opened) == 1
    t.fs.symlink(f"{ROOT}/current.log", "data/1")
    t.fs.put(f"{ROOT}/data/1", b"next")
    assert t.scan() == [b"data/0", b"current.log"]
    assert (t.held().rotated, t.held(1).rotated) == (True, False)


def test_an_inode_number_that_is_used_again() -> None:
    """The same number with another birth time is another file; with no birth times it takes the
    guards, which are the tail's business."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log", b"old", ino=5, birth_ns=1)
    t.scan()
    first = t.held()
    t.fs.remove(f"{ROOT}/a.log")
    t.table.release(first, USER)
    t.fs.put(f"{ROOT}/a.log", b"new", ino=5, birth_ns=2)
    assert t.scan() == [b"a.log"]
    assert t.held() is not first
    assert t.held().file == FileId(ROOT, 5, 2)


def test_what_is_no_file_is_reported_once() -> None:
    """A FIFO, a socket and a directory that match the glob: one warning each; files flow."""
    t = Table()
    t.fs.special(f"{ROOT}/fifo.log", "fifo")
    t.fs.special(f"{ROOT}/socket.log", "socket")
    t.fs.mkdir(f"{ROOT}/dir.log")
    t.fs.mkdir(f"{ROOT}/not-matched")
    t.fs.put(f"{ROOT}/a.log")
    assert t.scan() == t.scan() == [b"a.log"]
    assert sorted(map(str, t.warned())) == ["DIRECTORY", "FIFO", "SOCKET"]
    t.fs.remove(f"{ROOT}/fifo.log")
    t.scan()
    assert set(t.table.faults) == {(ROOT, b"socket.log"), (ROOT, b"dir.log")}


def test_an_unreadable_file_flows_when_it_can() -> None:
    """One warning while it can't be opened, a word when it can, and its metric falls again."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log")
    t.fs.denied[f"{ROOT}/a.log"] = Fault("EACCES", "mode 0600, uid 1000")
    unreadable = t.metrics.cell("files_unreadable", "app")
    assert (t.scan(), t.scan()) == ([], [])
    assert (t.warned(), unreadable.value) == (["EACCES"], 1)
    t.fs.denied.clear()
    assert t.scan() == [b"a.log"]
    assert (len(t.log.of("reading it now")), unreadable.value) == (1, 0)


def test_a_fault_of_a_moment_is_not_worth_a_word() -> None:
    """A file that goes between listing and opening is nobody's mistake."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log")
    t.fs.denied[f"{ROOT}/a.log"] = Fault("ENOENT", "No such file or directory")
    assert (t.scan(), t.warned(), t.table.faults) == ([], [], {})


def test_a_size_that_cannot_be_read_keeps_the_file() -> None:
    """EIO is said; the file is tried again at the next scan, and no descriptor leaks."""
    t = Table()
    t.fs.put(f"{ROOT}/a.log", b"12")
    t.fs.broken["fstat"] = OSError(errno.EIO, "Input/output error")
    assert (t.scan(), t.fs.opened, t.warned()) == ([], {}, ["EIO"])
    t.fs.broken.clear()
    assert t.scan() == [b"a.log"]
    t.fs.broken["probe"] = OSError(errno.EIO, "Input/output error")
    t.fs.append(f"{ROOT}/a.log", b"34")
    assert (t.scan(), t.held().size) == ([b"a.log"], 2)
    t.fs.broken.clear()
    t.scan()
    assert t.held().size == 4
