"""The journal of dead letters: segments that are filled, and dropped when they are too many.

Knows the cap and when a line is durable. How segments are named, and who else uses them, is in
`segments`. Must not know what is in a line.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from logagent.core.deadletter import Segment
from logagent.edge.file import Offload, whole_lines
from logagent.edge.fs import sync_directory
from logagent.edge.segments import count_lines, list_segments, locked, take_over

SEGMENT_BYTES: Final = 4 << 20
"""A segment's size; an eighth of the cap when that is less. The oldest one goes as a whole."""
_FLAGS: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LetterJournal:
    """`ports.Journal` over an output's segments: capped, the oldest segment goes first.

    bytes_max: of all segments, beside the one that is being replayed: that is never dropped. above:
    only segments with a higher number are appended to (a replay must not read its own letters);
    then nothing is dropped either: what a replay appends was there before, and what would go for
    it are letters that it hasn't come to.
    report: told after an append how many letters were dropped for it, and how many bytes there are.
    """

    def __init__(
        self,
        directory: str,
        *,
        offload: Offload,
        bytes_max: int,
        report: Callable[[int, int], None] = lambda dropped, size: None,  # noqa: ARG005
        above: int = -1,
    ) -> None:
        self.directory = directory
        self._offload = offload
        self._bytes_max = bytes_max
        self._segment_bytes = max(1, min(SEGMENT_BYTES, bytes_max // 8))
        self._report = report
        self._above = above
        self._capped = above < 0
        self._dropped = self._bytes = 0
        # A thread goes on when its caller is cancelled; the next append must wait for it.
        self._lock = threading.Lock()

    async def append(self, data: bytes) -> None:
        """See `ports.Journal.append`. `data` ends in a newline."""
        assert data.endswith(b"\n")
        try:
            await self._offload(lambda: self.write(data, capped=self._capped))
        finally:
            dropped, self._dropped = self._dropped, 0
            self._report(dropped, self._bytes)

    def write(self, data: bytes, *, capped: bool = True) -> None:
        """What `append` does, here and now. Not `capped`: lines that are only moved."""
        too_large = 0
        with self._lock:
            self._make_directory()
            with locked(self.directory):
                take_over(self.directory)
                undo: list[tuple[str, int]] = []
                try:
                    for piece in _pieces(data, self._segment_bytes):
                        if capped and len(piece) > self._bytes_max:
                            too_large += 1
                        else:
                            self._write_piece(piece, undo, capped=capped)
                except OSError as error:
                    self._undo(undo)
                    raise OSError(error.errno, error.strerror, self.directory) from error
                finally:
                    self._bytes = sum(each.size for each in list_segments(self.directory))
            self._dropped += too_large

    def _write_piece(self, piece: bytes, undo: list[tuple[str, int]], *, capped: bool) -> None:
        segments = list_segments(self.directory)
        if capped:
            self._make_room(segments, len(piece))
        path, size = self._target(segments, len(piece))
        fd, made = os.open(path, _FLAGS | (os.O_CREAT if size == 0 else 0), 0o600), size == 0
        try:
            size = whole_lines(fd, size)  # what a crash has left behind the last newline goes
            undo.append((path, size))
            os.ftruncate(fd, size)
            done = 0
            with memoryview(piece) as view:
                while done < len(piece):
                    done += os.pwrite(fd, view[done:], size + done)
            os.fsync(fd)
        finally:
            os.close(fd)
        if made:
            sync_directory(self.directory)

    def _make_room(self, segments: list[Segment], wanted: int) -> None:
        """Drop the oldest segments until `wanted` bytes more fit."""
        droppable = [segment for segment in segments if not segment.is_claimed]
        total = sum(segment.size for segment in droppable)
        for segment in droppable:
            if total + wanted <= self._bytes_max:
                break
            path = f"{self.directory}/{segment.name}"
            count = 1  # at least: one that can't be read must not be in the way of all that come
            with suppress(OSError):
                count = count_lines(path)
            os.unlink(path)
            self._dropped += count
            total -= segment.size
            segments.remove(segment)

    def _target(self, segments: list[Segment], wanted: int) -> tuple[str, int]:
        """The segment to append to, and its size: the newest one, or a new one."""
        newest = segments[-1] if segments else None
        number = max(newest.number if newest else 0, self._above)
        is_open = newest and newest.number > self._above and not newest.is_claimed
        if newest and is_open and newest.size + wanted <= self._segment_bytes:
            return f"{self.directory}/{newest.name}", newest.size
        return f"{self.directory}/{number + 1:010}.ndjson", 0

    def _undo(self, written: list[tuple[str, int]]) -> None:
        """Cut back what a failed append has left, in segments that nobody appends to any more:
        after a failed fsync the kernel may call pages clean that never reached the disk."""
        for path, size in reversed(written):
            with suppress(OSError):  # whole lines that stay are duplicates, not losses
                os.truncate(path, size)
                if size == 0:
                    os.unlink(path)
        segments = list_segments(self.directory)
        self._above = max(self._above, segments[-1].number if segments else 0)

    def _make_directory(self) -> None:
        if not os.path.isdir(self.directory):
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
            above = os.path.dirname(self.directory)
            sync_directory(above)
            sync_directory(os.path.dirname(above))


def _pieces(data: bytes, size_max: int) -> Iterator[bytes]:
    """Whole lines of at most so many bytes; a longer line is a piece of its own."""
    start = 0
    while start < len(data):
        end = start + size_max
        if end < len(data):
            end = data.rfind(b"\n", start, end) + 1 or data.index(b"\n", start) + 1
        yield data[start:end]
        start = end
