"""A file system in memory: `ports.Fs` for the logic, and the app's side of it for tests.

Knows inodes, names, links and kinds, as much as the port shows of them. tests/test_ports.py holds
it to the same checks as the real one. Paths of the app's side are absolute, of one directory tree.
"""

from __future__ import annotations

import errno
import os
import posixpath
from collections import Counter, deque
from collections.abc import Callable
from itertools import count
from typing import Final

from msgspec import Struct

from logagent.ports import Entry, Fault, Kind, Probe, Stat, Symlinks

MISSING: Final = Fault("ENOENT", "No such file or directory")


class Node(Struct, eq=False):
    """An inode."""

    ino: int
    birth_ns: int
    kind: Kind
    data: bytearray
    target: str = ""
    nlink: int = 1
    mtime_ns: int = 0


class MemoryFs:
    """Files and slots. The knobs below its app's side make calls fail, or race them."""

    def __init__(self) -> None:
        self.names: dict[str, Node] = {}
        self.opened: dict[int, Node] = {}
        self._numbers = count(100)
        self._fds = count(10)
        self.denied: dict[str, Fault] = {}
        """What `open` answers for these paths."""
        self.unstatted: dict[str, Fault] = {}
        """What `stat` answers for these paths."""
        self.unlisted: dict[str, Fault] = {}
        """What `walk` answers for these roots."""
        self.broken: dict[str, OSError] = {}
        """What these methods raise (pread, probe, fstat)."""
        self.read_bytes_max = 1 << 30
        """A pread gives no more than this."""
        self.after_pread: deque[Callable[[], None]] = deque()
        """What the app does after each of the next reads."""
        self.calls: Counter[str] = Counter()
        """How often names were asked for (walk, stat, open)."""
        self.reads: list[tuple[int, int]] = []
        """Size and offset of each pread."""
        self.slots: dict[str, bytes] = {}
        self.slot_error: OSError | None = None
        """What `write_slot` raises, after `slot_torn_at` bytes have been written."""
        self.slot_torn_at = 0
        self.slot_writes: list[tuple[str, bool]] = []
        """Path and `fresh` of each `write_slot`."""

    # the app's side

    def put(self, path: str, data: bytes = b"", *, ino: int = 0, birth_ns: int = 0) -> Node:
        """Create a file; what had the name loses it."""
        node = self._make(path, "file", ino=ino, birth_ns=birth_ns)
        node.data += data
        return node

    def append(self, path: str, data: bytes) -> None:
        """Append to a file."""
        self.names[path].data += data

    def truncate(self, path: str, data: bytes = b"") -> None:
        """Truncate a file in place and write `data` into it."""
        self.names[path].data[:] = data

    def rename(self, source: str, target: str) -> None:
        """Rename; what had the target's name loses it."""
        self._drop(target)
        self.names[target] = self.names.pop(source)

    def link(self, source: str, target: str) -> None:
        """A second name of a file."""
        self.names[target] = self.names[source]
        self.names[target].nlink += 1

    def remove(self, path: str) -> None:
        """Take a name away."""
        self._drop(path)

    def mkdir(self, path: str) -> None:
        """Create a directory."""
        self._make(path, "directory")

    def symlink(self, path: str, target: str) -> None:
        """Create a symbolic link, with a target as `ln -s` takes it."""
        self._make(path, "symlink").target = target

    def special(self, path: str, kind: Kind) -> None:
        """Create a FIFO or a socket."""
        self._make(path, kind)

    # ports.Fs

    def walk(self, root: str, depth: int) -> list[Entry] | Fault:
        """See `ports.Fs.walk`."""
        self.calls["walk"] += 1
        if root in self.unlisted:
            return self.unlisted[root]
        if root not in self.names:
            return MISSING
        below = f"{root}/"
        return [
            Entry(os.fsencode(path.removeprefix(below)), node.ino, node.kind)
            for path, node in self.names.items()
            if path.startswith(below) and path.removeprefix(below).count("/") <= depth
        ]

    def stat(self, root: str, path: bytes) -> Stat | Fault:
        """See `ports.Fs.stat`."""
        self.calls["stat"] += 1
        name = f"{root}/{os.fsdecode(path)}"
        if name in self.unstatted:
            return self.unstatted[name]
        return _stat(self.names[name]) if name in self.names else MISSING

    def open(self, root: str, path: bytes, symlinks: Symlinks) -> int | Fault:
        """See `ports.Fs.open`."""
        self.calls["open"] += 1
        name = f"{root}/{os.fsdecode(path)}"
        if name in self.denied:
            return self.denied[name]
        node = self.names.get(name)
        if node is not None and node.kind == "symlink":
            if symlinks == "deny":
                return Fault("SYMLINK", "a symlink is not followed here")
            name = posixpath.normpath(posixpath.join(posixpath.dirname(name), node.target))
            outside = node.target.startswith("/") or not name.startswith(f"{root}/")
            if outside and symlinks == "beneath":
                return Fault("OUTSIDE", "a symlink leads out of the root")
            node = self.names.get(name)
        if node is None:
            return MISSING
        if node.kind != "file":
            return Fault(node.kind.upper(), "only regular files are read")
        fd = next(self._fds)
        self.opened[fd] = node
        return fd

    def fstat(self, fd: int) -> Stat:
        """See `ports.Fs.fstat`."""
        return _stat(self._node(fd, "fstat"))

    def probe(self, fd: int) -> Probe:
        """See `ports.Fs.probe`."""
        node = self._node(fd, "probe")
        return Probe(len(node.data), node.nlink)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """See `ports.Fs.pread`."""
        node = self._node(fd, "pread")
        self.reads.append((size, offset))
        data = bytes(node.data[offset : offset + min(size, self.read_bytes_max)])
        if self.after_pread:
            self.after_pread.popleft()()
        return data

    def close(self, fd: int) -> None:
        """See `ports.Fs.close`."""
        if self.opened.pop(fd, None) is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def read_slot(self, path: str) -> bytes:
        """See `ports.Fs.read_slot`."""
        return self.slots.get(path, b"")

    def write_slot(self, path: str, data: bytes, *, fresh: bool) -> None:
        """See `ports.Fs.write_slot`. As on a disk, what was longer before stays behind."""
        self.slot_writes.append((path, fresh))
        before = b"" if fresh else self.slots.get(path, b"")
        if self.slot_error is not None:
            data = data[: self.slot_torn_at]
        self.slots[path] = data + before[len(data) :]
        if self.slot_error is not None:
            raise self.slot_error

    def _node(self, fd: int, call: str) -> Node:
        if call in self.broken:
            raise self.broken[call]
        if fd not in self.opened:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self.opened[fd]

    def _make(self, path: str, kind: Kind, *, ino: int = 0, birth_ns: int = 0) -> Node:
        self._drop(path)
        number = next(self._numbers)
        node = Node(ino or number, birth_ns or number * 1000, kind, bytearray())
        self.names[path] = node
        return node

    def _drop(self, path: str) -> None:
        node = self.names.pop(path, None)
        if node is not None:
            node.nlink -= 1


def _stat(node: Node) -> Stat:
    size = len(node.data)
    return Stat(node.ino, node.birth_ns, size, node.nlink, node.mtime_ns, 1000, 1000, 0o644)
