"""The real file system: listing, looking, reading, and slots that survive."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from logagent.edge import fs as module
from logagent.edge.fs import RealFs
from logagent.ports import Fault, Fs

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_the_port() -> None:
    """RealFs has the shape that the logic asks for."""
    port: Fs = RealFs()
    assert isinstance(port, RealFs)


def test_walk_gives_names_kinds_and_inodes(tmp_path: Path) -> None:
    """Everything comes back, relative to the root, with its kind; symlinks to directories are
    entries and aren't followed."""
    (tmp_path / "a.log").write_bytes(b"x")
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "sub" / "b.log").write_bytes(b"x")
    (tmp_path / "sub" / "deep" / "c.log").write_bytes(b"x")
    (tmp_path / "link").symlink_to("sub")
    os.mkfifo(tmp_path / "fifo")
    bad = os.fsencode(tmp_path) + b"/\xff\n\x1b.log"
    os.close(os.open(bad, os.O_CREAT, 0o600))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "sock"))
    entries = RealFs().walk(str(tmp_path), 9)
    assert not isinstance(entries, Fault)
    assert {entry.path: entry.kind for entry in entries} == {
        b"a.log": "file",
        b"sub": "directory",
        b"sub/b.log": "file",
        b"sub/deep": "directory",
        b"sub/deep/c.log": "file",
        b"link": "symlink",
        b"fifo": "fifo",
        b"sock": "socket",
        b"\xff\n\x1b.log": "file",
    }
    inodes = {entry.path: entry.ino for entry in entries}
    assert inodes[b"sub/deep/c.log"] == (tmp_path / "sub" / "deep" / "c.log").stat().st_ino


def test_walk_goes_as_deep_as_asked(tmp_path: Path) -> None:
    """Depth 0 is the root alone; each level more is one directory deeper."""
    (tmp_path / "d1" / "d2").mkdir(parents=True)
    for place in (".", "d1", "d1/d2"):
        (tmp_path / place / "x").write_bytes(b"")
    for depth, count in ((0, 2), (1, 4), (2, 5), (3, 5)):
        entries = RealFs().walk(str(tmp_path), depth)
        assert len(entries) == count


def test_walk_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk ends at its limit of names, directories included."""
    for number in range(4):
        (tmp_path / f"d{number}").mkdir()
        (tmp_path / f"d{number}" / "x").write_bytes(b"")
    assert len(RealFs().walk(str(tmp_path), 1)) == 8
    monkeypatch.setattr(module, "WALK_ENTRIES_MAX", 5)
    assert len(RealFs().walk(str(tmp_path), 1)) == 5


def test_a_root_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    """A missing root and one that isn't a directory are values that say so."""
    missing = RealFs().walk(str(tmp_path / "no"), 1)
    assert isinstance(missing, Fault)
    assert missing.code == "ENOENT"
    (tmp_path / "file").write_bytes(b"")
    wrong = RealFs().walk(str(tmp_path / "file"), 1)
    assert isinstance(wrong, Fault)
    assert wrong.code == "ENOTDIR"


def test_stat_looks_at_the_link_itself(tmp_path: Path) -> None:
    """`stat` doesn't follow a last symlink and agrees with `fstat` on a file, birth time too."""
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "l").symlink_to("a")
    fs = RealFs()
    there = fs.stat(str(tmp_path), b"a")
    fd = fs.open(str(tmp_path), b"a", "beneath")
    assert isinstance(fd, int)
    assert fs.fstat(fd) == there
    fs.close(fd)
    assert not isinstance(there, Fault)
    plain = (tmp_path / "a").stat()
    assert (there.ino, there.size, there.nlink, there.mode, there.uid, there.gid) == (
        plain.st_ino,
        5,
        1,
        plain.st_mode,
        plain.st_uid,
        plain.st_gid,
    )
    assert there.mtime_ns == plain.st_mtime_ns
    link = fs.stat(str(tmp_path), b"l")
    assert not isinstance(link, Fault)
    assert link.ino != there.ino
    gone = fs.stat(str(tmp_path), b"no\n")
    assert isinstance(gone, Fault)
    assert gone.code == "ENOENT"
    assert "\n" not in gone.text


def test_pread_ends_quietly(tmp_path: Path) -> None:
    """Reading at and behind the end gives nothing; what is there comes from where it was asked."""
    (tmp_path / "a").write_bytes(b"0123456789")
    fs = RealFs()
    fd = fs.open(str(tmp_path), b"a", "deny")
    assert isinstance(fd, int)
    assert [fs.pread(fd, 4, at) for at in (0, 8, 10, 99)] == [b"0123", b"89", b"", b""]
    fs.close(fd)


def test_slots_hold_what_was_written(tmp_path: Path) -> None:
    """What was written last is what a slot begins with; it is private, and so is a directory that
    had to be made for it."""
    fs = RealFs()
    path = str(tmp_path / "output" / "slot")
    assert fs.read_slot(path) == b""
    for data in (b"first", b"x" * 200_000, b"short"):
        fs.write_slot(path, data, fresh=False)
        assert fs.read_slot(path).startswith(data)
    fs.write_slot(path, b"new", fresh=True)
    assert fs.read_slot(path) == b"new"
    assert (tmp_path / "output" / "slot").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "output").stat().st_mode & 0o777 == 0o700


def test_a_probe_is_part_of_the_stat(tmp_path: Path) -> None:
    """Size and links, as `fstat` says them."""
    (tmp_path / "a").write_bytes(b"12345")
    os.link(tmp_path / "a", tmp_path / "b")
    fs = RealFs()
    fd = fs.open(str(tmp_path), b"a", "deny")
    assert isinstance(fd, int)
    assert fs.probe(fd) == (5, 2)
    assert fs.probe(fd) == fs.fstat(fd)[2:4]
    fs.close(fd)


def test_a_fresh_slot_is_another_file(tmp_path: Path) -> None:
    """`fresh` makes a new inode, whatever was there, and `fresh=False` keeps it."""
    fs = RealFs()
    path = str(tmp_path / "slot")
    fs.write_slot(path, b"one", fresh=True)
    held = os.open(path, os.O_RDONLY)
    fs.write_slot(path, b"two", fresh=False)
    assert os.pread(held, 9, 0) == b"two"
    fs.write_slot(path, b"six", fresh=True)
    assert os.pread(held, 9, 0) == b"two"
    assert os.fstat(held).st_nlink == 0
    assert fs.read_slot(path) == b"six"
    os.close(held)


def test_odd_slots_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A symlink, a FIFO and a file over the limit are OSErrors: never followed, never awaited."""
    fs = RealFs()
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "fifo"):
        with pytest.raises(OSError, match=name):
            fs.read_slot(str(tmp_path / name))
        with pytest.raises(OSError, match=name):
            fs.write_slot(str(tmp_path / name), b"y", fresh=False)
    assert (tmp_path / "real").read_bytes() == b"x"
    monkeypatch.setattr(module, "SLOT_BYTES_MAX", 0)
    with pytest.raises(OSError, match="real"):
        fs.read_slot(str(tmp_path / "real"))
