"""The port `Fs`: the real file system and the one in memory pass the same checks.

The app's side of both has the same methods, so a check is written once.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from logagent.core.chunk import Codec
from logagent.edge.fs import RealFs
from logagent.ports import Fault, Fs, Journal, Kind, Log, Sink
from tests.fakes.fs import MemoryFs
from tests.fakes.record import ListJournal, RecordingLog
from tests.fakes.sink import ScriptedCodec, ScriptedSink


class _App(Protocol):
    """What an app does to its files."""

    def put(self, path: str, data: bytes = b"") -> object: ...
    def append(self, path: str, data: bytes) -> None: ...
    def truncate(self, path: str, data: bytes = b"") -> None: ...
    def rename(self, source: str, target: str) -> None: ...
    def link(self, source: str, target: str) -> None: ...
    def remove(self, path: str) -> None: ...
    def mkdir(self, path: str) -> None: ...
    def symlink(self, path: str, target: str) -> None: ...
    def special(self, path: str, kind: Kind) -> None: ...


class _RealApp:
    """An app on a real disk."""

    def put(self, path: str, data: bytes = b"") -> None:
        Path(path).unlink(missing_ok=True)
        Path(path).write_bytes(data)

    def append(self, path: str, data: bytes) -> None:
        with Path(path).open("ab") as file:
            file.write(data)

    def truncate(self, path: str, data: bytes = b"") -> None:
        Path(path).write_bytes(data)

    def rename(self, source: str, target: str) -> None:
        Path(source).rename(target)

    def link(self, source: str, target: str) -> None:
        os.link(source, target)

    def remove(self, path: str) -> None:
        Path(path).unlink()

    def mkdir(self, path: str) -> None:
        Path(path).mkdir()

    def symlink(self, path: str, target: str) -> None:
        Path(path).symlink_to(target)

    def special(self, path: str, kind: Kind) -> None:
        if kind == "fifo":
            os.mkfifo(path)
        else:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(path)


class Disk:
    """A file system, an app that uses it, an input root, and a place for slots."""

    def __init__(self, fs: Fs, app: _App, place: str) -> None:
        self.fs = fs
        self.app = app
        self.root = f"{place}/logs"
        self.slot = f"{place}/state/slot-0"
        self.opened: list[int] = []
        app.mkdir(self.root)

    def kinds(self, depth: int) -> dict[bytes, str]:
        """What a walk finds."""
        entries = self.fs.walk(self.root, depth)
        assert not isinstance(entries, Fault)
        return {entry.path: entry.kind for entry in entries}

    def open(self, path: bytes) -> int:
        """Open a file that can be opened."""
        fd = self.fs.open(self.root, path, "beneath")
        assert not isinstance(fd, Fault)
        self.opened.append(fd)
        return fd

    def close(self) -> None:
        """Close what is still open."""
        for fd in self.opened:
            with contextlib.suppress(OSError):
                self.fs.close(fd)

    def refusal(self, call: object) -> str:
        """The code of a fault."""
        assert isinstance(call, Fault)
        return call.code


@pytest.fixture(params=["memory", "real"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """Each check runs over both."""
    memory = MemoryFs()
    real = request.param == "real"
    disk = Disk(RealFs(), _RealApp(), str(tmp_path)) if real else Disk(memory, memory, "")
    yield disk
    disk.close()


def test_the_fakes_have_the_ports_shapes() -> None:
    """The type checker compares each fake with its port here."""
    sink: Sink = ScriptedSink()
    journal: Journal = ListJournal()
    log: Log = RecordingLog()
    codec: Codec = ScriptedCodec()
    assert None not in (sink, journal, log, codec)


def test_walk_lists_what_is_below_the_root(disk: Disk) -> None:
    """Names relative to the root with their kinds, as deep as asked; links aren't followed."""
    disk.app.put(f"{disk.root}/a.log")
    disk.app.mkdir(f"{disk.root}/sub")
    disk.app.put(f"{disk.root}/sub/b.log")
    disk.app.mkdir(f"{disk.root}/sub/deep")
    disk.app.put(f"{disk.root}/sub/deep/c.log")
    disk.app.symlink(f"{disk.root}/link", "sub")
    disk.app.special(f"{disk.root}/fifo", "fifo")
    disk.app.special(f"{disk.root}/socket", "socket")
    top = {
        b"a.log": "file",
        b"sub": "directory",
        b"link": "symlink",
        b"fifo": "fifo",
        b"socket": "socket",
    }
    below = {b"sub/b.log": "file", b"sub/deep": "directory"}
    assert disk.kinds(0) == top
    assert disk.kinds(1) == top | below
    assert disk.kinds(2) == top | below | {b"sub/deep/c.log": "file"}


def test_what_is_not_there_is_a_fault(disk: Disk) -> None:
    """A missing root, file or target of a link is a value, not an exception."""
    disk.app.symlink(f"{disk.root}/dangling", "nowhere")
    assert disk.refusal(disk.fs.walk(f"{disk.root}/missing", 3)) == "ENOENT"
    assert disk.refusal(disk.fs.stat(disk.root, b"missing")) == "ENOENT"
    assert disk.refusal(disk.fs.open(disk.root, b"missing", "beneath")) == "ENOENT"
    assert disk.refusal(disk.fs.open(disk.root, b"dangling", "beneath")) == "ENOENT"
    assert disk.refusal(disk.fs.open(f"{disk.root}/missing", b"a", "beneath")) == "ENOENT"


def test_only_regular_files_open(disk: Disk) -> None:
    """What else has a name is refused by its kind."""
    disk.app.mkdir(f"{disk.root}/sub")
    disk.app.special(f"{disk.root}/fifo", "fifo")
    disk.app.special(f"{disk.root}/socket", "socket")
    for path, code in ((b"sub", "DIRECTORY"), (b"fifo", "FIFO"), (b"socket", "SOCKET")):
        assert disk.refusal(disk.fs.open(disk.root, path, "beneath")) == code


def test_symlinks_are_followed_as_far_as_allowed(disk: Disk) -> None:
    """`deny` follows none, `beneath` those that stay inside, `follow` all."""
    disk.app.put(f"{disk.root}/a.log", b"inside")
    disk.app.put(f"{disk.root}.txt", b"outside")
    disk.app.symlink(f"{disk.root}/in", "a.log")
    disk.app.symlink(f"{disk.root}/up", "../logs.txt")
    disk.app.symlink(f"{disk.root}/absolute", f"{disk.root}.txt")
    fs, root = disk.fs, disk.root
    assert disk.refusal(fs.open(root, b"in", "deny")) == "SYMLINK"
    assert disk.refusal(fs.open(root, b"up", "beneath")) == "OUTSIDE"
    assert disk.refusal(fs.open(root, b"absolute", "beneath")) == "OUTSIDE"
    fd = fs.open(root, b"absolute", "follow")
    assert not isinstance(fd, Fault)
    disk.opened.append(fd)
    assert fs.pread(fd, 99, 0) == b"outside"
    assert fs.pread(disk.open(b"in"), 99, 0) == b"inside"


def test_stat_and_fstat_agree_on_the_identity(disk: Disk) -> None:
    """The same inode and birth time by name, by descriptor and, the inode, by listing; a link has
    an identity of its own."""
    disk.app.put(f"{disk.root}/a.log", b"12345")
    disk.app.put(f"{disk.root}/b.log", b"12345")
    disk.app.symlink(f"{disk.root}/link", "a.log")
    by_name = disk.fs.stat(disk.root, b"a.log")
    assert not isinstance(by_name, Fault)
    by_fd = disk.fs.fstat(disk.open(b"a.log"))
    assert (by_fd.ino, by_fd.birth_ns) == (by_name.ino, by_name.birth_ns)
    assert (by_fd.size, by_fd.nlink) == (by_name.size, by_name.nlink) == (5, 1)
    entries = disk.fs.walk(disk.root, 0)
    assert not isinstance(entries, Fault)
    numbers = {entry.path: entry.ino for entry in entries}
    assert numbers[b"a.log"] == by_name.ino
    assert len(set(numbers.values())) == 3
    through = disk.fs.stat(disk.root, b"link")
    assert not isinstance(through, Fault)
    assert through.ino == numbers[b"link"]


def test_pread_reads_what_is_there(disk: Disk) -> None:
    """At most as much as asked for, at the offset; nothing at the end and behind it."""
    disk.app.put(f"{disk.root}/a.log", b"0123456789")
    fd = disk.open(b"a.log")
    pread = disk.fs.pread
    assert (pread(fd, 4, 0), pread(fd, 4, 8), pread(fd, 4, 10)) == (b"0123", b"89", b"")
    assert pread(fd, 4, 99) == b""
    disk.app.append(f"{disk.root}/a.log", b"ab")
    assert pread(fd, 9, 8) == b"89ab"


def test_an_open_file_survives_its_name(disk: Disk) -> None:
    """Renamed, linked, deleted: the descriptor stays with the file, the links are counted."""
    name, other = f"{disk.root}/a.log", f"{disk.root}/b.log"
    disk.app.put(name, b"data")
    fd = disk.open(b"a.log")
    before = disk.fs.fstat(fd)
    disk.app.rename(name, other)
    disk.app.link(other, name)
    assert disk.fs.probe(fd) == (4, 2)
    linked = disk.fs.stat(disk.root, b"a.log")
    assert not isinstance(linked, Fault)
    assert linked.ino == before.ino
    disk.app.remove(name)
    disk.app.remove(other)
    assert disk.fs.probe(fd) == (4, 0)
    assert disk.fs.pread(fd, 99, 0) == b"data"
    disk.app.put(name, b"another")
    new = disk.fs.fstat(disk.open(b"a.log"))
    assert (new.ino, new.birth_ns) != (before.ino, before.birth_ns)


def test_a_truncated_file_keeps_its_identity(disk: Disk) -> None:
    """Truncated and written again it is the same file with other content."""
    disk.app.put(f"{disk.root}/a.log", b"0123456789")
    fd = disk.open(b"a.log")
    before = disk.fs.fstat(fd)
    disk.app.truncate(f"{disk.root}/a.log", b"new")
    after = disk.fs.fstat(fd)
    assert (after.ino, after.birth_ns, after.size) == (before.ino, before.birth_ns, 3)
    assert disk.fs.pread(fd, 99, 0) == b"new"


def test_a_closed_descriptor_is_an_error(disk: Disk) -> None:
    """Whoever uses one has a bug, and hears of it."""
    disk.app.put(f"{disk.root}/a.log")
    fd = disk.open(b"a.log")
    disk.close()
    for call in (disk.fs.probe, disk.fs.fstat):
        with pytest.raises(OSError, match="Bad file descriptor"):
            call(fd)


def test_slots_come_back(disk: Disk) -> None:
    """Nothing before the first write; then what was written, in front of what was longer; a fresh
    one is that alone."""
    assert disk.fs.read_slot(disk.slot) == b""
    disk.fs.write_slot(disk.slot, b"0123456789", fresh=False)
    assert disk.fs.read_slot(disk.slot) == b"0123456789"
    disk.fs.write_slot(disk.slot, b"abc", fresh=False)
    assert disk.fs.read_slot(disk.slot).startswith(b"abc")
    disk.fs.write_slot(disk.slot, b"xy", fresh=True)
    assert disk.fs.read_slot(disk.slot) == b"xy"
