"""Segments of dead letters: how they are named, claimed by a replay, and emptied.

Knows the files of one output's directory of letters. Must not know what is in a line.

    0000000007.ndjson                a segment; the newest one is appended to
    0000000006.000000081920.replay   one that a replay has claimed; so many bytes are delivered
    letters.ndjson                   what earlier versions wrote; taken over as segment 0
    unreadable.txt                   lines that a replay couldn't read

All that changes a name or a size happens under a lock of the directory (flock on itself), so agent
and replay can work side by side. How far a replay is stands in the segment's name: a rename is the
one thing that a crash can't leave half done.
"""

import errno
import fcntl
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from logagent.core.deadletter import Segment
from logagent.edge.fs import sync_directory

LOCK_WAIT_S: Final = 5.0
"""How long another process may hold the directory: for an append and its fsync, or a rename."""
LOCK_POLL_S: Final = 0.005
OLD_NAME: Final = "letters.ndjson"
UNREADABLE: Final = "unreadable.txt"
_BLOCK: Final = 1 << 20
_NAME: Final = re.compile(r"([0-9]{10})(?:\.ndjson|\.([0-9]{12})\.replay)")
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def list_segments(directory: str) -> list[Segment]:
    """All segments, oldest first; [] when there is no such directory. Raises OSError."""
    found = []
    with suppress(FileNotFoundError), os.scandir(directory) as listing:
        for entry in listing:
            match = _NAME.fullmatch(entry.name)
            if match is None and entry.name != OLD_NAME:
                continue
            with suppress(FileNotFoundError):
                size = entry.stat(follow_symlinks=False).st_size
                number = int(match[1]) if match else 0
                done = int(match[2]) if match and match[2] else -1
                found.append(Segment(number, entry.name, size, done))
    return sorted(found)


@contextmanager
def locked(directory: str) -> Iterator[None]:
    """Have the directory for oneself. Raises OSError, also when another process keeps it."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    text = "another process keeps the dead letters locked"
                    raise OSError(errno.EAGAIN, text, directory) from None
                threading.Event().wait(LOCK_POLL_S)
        yield
    finally:
        os.close(fd)


def take_over(directory: str) -> None:
    """Make the file of earlier versions a segment. The caller has the lock. Raises OSError."""
    path = f"{directory}/{OLD_NAME}"
    if os.path.lexists(path) and not os.path.lexists(f"{directory}/{0:010}.ndjson"):
        os.rename(path, f"{directory}/{0:010}.ndjson")
        sync_directory(directory)


def count_lines(path: str) -> int:
    """How many whole lines a file has. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))


def count_letters(directory: str) -> int:
    """How many letters there are that no replay has delivered. Raises OSError."""
    count = 0
    for segment in list_segments(directory):
        at = max(segment.done, 0)
        with suppress(FileNotFoundError):
            while lines := read_lines(directory, segment, at, _BLOCK):
                count += lines.count(b"\n")
                at += len(lines)
    return count


def read_lines(directory: str, segment: Segment, offset: int, size: int) -> bytes:
    """Whole lines at `offset`, at most `size` bytes of them unless the first line is longer; b"" at
    the end: a line that a crash has torn isn't one. Raises OSError."""
    fd = os.open(f"{directory}/{segment.name}", _READ)
    try:
        while True:
            data = os.pread(fd, size, offset)
            whole = data.rfind(b"\n") + 1
            if whole or len(data) < size:
                return data[:whole]
            size *= 2
    finally:
        os.close(fd)


class Claims:
    """What a replay does to one output's segments. All of it is durable when it returns, and
    raises OSError."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def segments(self) -> list[Segment]:
        """All segments as they are now, those that a replay has begun with first."""
        if not os.path.isdir(self.directory):
            return []
        with locked(self.directory):
            take_over(self.directory)
            return sorted(list_segments(self.directory), key=lambda each: not each.is_claimed)

    def claim(self, segment: Segment) -> Segment | None:
        """Take a segment, so that nobody appends to it or drops it; None when it is gone."""
        return segment if segment.is_claimed else self.advance(segment, 0)

    def read(self, segment: Segment, offset: int, size: int) -> bytes:
        """See `read_lines`; b"" too when the segment is gone."""
        try:
            return read_lines(self.directory, segment, offset, size)
        except FileNotFoundError:
            return b""

    def advance(self, segment: Segment, done: int) -> Segment | None:
        """So many bytes of a segment are delivered; None when it is gone."""
        name = f"{segment.number:010}.{done:012}.replay"
        with locked(self.directory):
            try:
                os.rename(f"{self.directory}/{segment.name}", f"{self.directory}/{name}")
            except FileNotFoundError:
                return None
            sync_directory(self.directory)
        return segment._replace(name=name, done=done)

    def remove(self, segment: Segment) -> None:
        """All of a segment is delivered."""
        with locked(self.directory):
            os.unlink(f"{self.directory}/{segment.name}")
            sync_directory(self.directory)
