"""Files of lines that are durable once an append returns: dead letters and the `file` output.

Knows how to append, sync and repair. Must not know what a line means.
"""

import errno
import os
import stat as st
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

from logagent.core.chunk import Reply, Request
from logagent.edge.fs import sync_directory

Offload = Callable[[Callable[[], None]], Awaitable[None]]
"""Runs a blocking call elsewhere and waits for it: `asyncio.to_thread`, or directly in tests."""

_BLOCK: Final = 64 << 10
_FLAGS: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Rotation(NamedTuple):
    """A file that would grow above `size` is renamed to name.1, that one to name.2, and so on; what
    was name.`keep` goes."""

    size: int
    keep: int


class FileJournal:
    """`ports.Journal` over one file. It is opened at the first append, and again when somebody has
    moved it away (log rotation) or its disk has failed.

    `bytes_max` bounds the file's size, None doesn't; `rotation` starts a new one. `mode` is for a
    new file; missing directories are made with mode 0700. `durable=False` leaves it to the kernel
    when lines reach the disk: then a crash of the machine can lose what `append` has taken.
    """

    def __init__(
        self,
        path: str,
        *,
        offload: Offload,
        bytes_max: int | None = None,
        rotation: Rotation | None = None,
        durable: bool = True,
        mode: int = 0o600,
    ) -> None:
        self.path = path
        self.cut_bytes = 0
        """Bytes of torn last lines that were cut off when opening: what a crash had left."""
        self._offload = offload
        self._bytes_max = bytes_max
        self._rotation = rotation
        self._durable = durable
        self._mode = mode
        self._fd = -1
        self._size = 0
        # A thread goes on when its caller is cancelled; the next append must wait for it.
        self._lock = threading.Lock()

    async def append(self, data: bytes) -> None:
        """See `ports.Journal.append`. `data` ends in a newline."""
        assert data.endswith(b"\n")
        await self._offload(lambda: self.write(data))

    def close(self) -> None:
        """Give the descriptor back; another append would open it again."""
        with self._lock:
            self._close()

    def write(self, data: bytes) -> None:
        """What `append` does, here and now."""
        with self._lock:
            if self._fd < 0 or self._moved():
                self._open()
            if self._rotation and self._size > 0 and self._size + len(data) > self._rotation.size:
                self._rotate(self._rotation.keep)
            if self._bytes_max is not None and self._size + len(data) > self._bytes_max:
                text = f"it holds {self._size} of at most {self._bytes_max} bytes"
                raise OSError(errno.ENOSPC, text, self.path)
            try:
                with memoryview(data) as view:
                    done = 0
                    while done < len(data):
                        done += os.pwrite(self._fd, view[done:], self._size + done)
                if self._durable:
                    os.fsync(self._fd)
            except OSError as error:
                self._undo()
                raise OSError(error.errno, error.strerror, self.path) from error
            self._size += len(data)

    def _undo(self) -> None:
        """Cut back what a failed append has left. The descriptor isn't used again: after a failed
        fsync the kernel may call pages clean that never reached the disk."""
        try:
            os.ftruncate(self._fd, self._size)
        except OSError:
            pass  # opening it again cuts a torn line; whole ones are duplicates, not losses
        finally:
            self._close()

    def _rotate(self, keep: int) -> None:
        """Give the file its first number and start a new one. Raises OSError; whatever was done
        until then, the next rotation goes on from there.

        The lines of a file are durable before it is renamed (each append was), the names before
        anything is appended to the new file: no crash lets a later line be there without those
        before it.
        """
        for number in range(keep, 0, -1):
            older = f"{self.path}.{number}"
            newer = f"{self.path}.{number - 1}" if number > 1 else self.path
            with suppress(FileNotFoundError):  # a number that a crash or a person left out
                os.rename(newer, older)
        self._open()

    def _moved(self) -> bool:
        try:
            there = os.lstat(self.path)
        except OSError:
            return True
        here = os.fstat(self._fd)
        same = (there.st_ino, there.st_dev) == (here.st_ino, here.st_dev)
        return not same or here.st_size != self._size

    def _open(self) -> None:
        """Open or make the file and cut it back to its last newline. Raises OSError."""
        self._close()
        directory = os.path.dirname(os.path.abspath(self.path))
        try:
            fd, made = os.open(self.path, _FLAGS), False
        except FileNotFoundError:
            os.makedirs(directory, mode=0o700, exist_ok=True)
            fd, made = os.open(self.path, _FLAGS | os.O_CREAT, self._mode), True
        try:
            self._size = self._repair(fd)
            if made and self._durable:
                sync_directory(directory)  # which makes a rotation's renames durable too
        except OSError:
            os.close(fd)
            raise
        self._fd = fd

    def _repair(self, fd: int) -> int:
        """Cut a file back to its last newline; the new size."""
        stat = os.fstat(fd)
        if not st.S_ISREG(stat.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", self.path)
        size = whole_lines(fd, stat.st_size)
        if size < stat.st_size:
            os.ftruncate(fd, size)
            self.cut_bytes += stat.st_size - size
        return size

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class FileSink:
    """`ports.Sink` that appends bodies to a journal: 200, or a fault and nothing written.
    `disk_full` is what the fault begins with when there is no room."""

    def __init__(self, journal: FileJournal, *, disk_full: str = "disk full") -> None:
        self._journal = journal
        self._disk_full = disk_full

    async def send(self, request: Request) -> Reply:
        """See `ports.Sink.send`."""
        assert not request.gzipped  # a torn gzip member can't be cut back to a line
        try:
            await self._journal.append(request.body)
        except OSError as error:
            full = f"{self._disk_full}: " if error.errno in _FULL else ""
            return Reply(0, fault=f"{full}writing {self._journal.path}: {error.strerror}")
        return Reply(200, sent=True)

    async def refresh(self) -> None:
        """Nothing to read again."""

    async def close(self) -> None:
        """See `ports.Sink.close`."""
        self._journal.close()


def whole_lines(fd: int, size: int) -> int:
    """The length of a file's whole lines: where the last newline before `size` ends."""
    while size > 0:
        start = max(0, size - _BLOCK)
        found = os.pread(fd, size - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0
