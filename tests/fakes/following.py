"""One file and who follows it, driven by hand."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from logagent.core.chunk import Chunk, Mark
from logagent.core.files import GUARD_BYTES, FileId, Generation, Position, guard_of
from logagent.follower import Follower
from logagent.held import Held
from tests.fakes.fs import MemoryFs
from tests.fakes.tailing import SETTINGS

PATH: Final = "/logs/a.log"


class File:
    """A file, and who follows it."""

    def __init__(self, data: bytes, *, chunk_bytes: int = 64, line_bytes_max: int = 32) -> None:
        self.fs = MemoryFs()
        self.fs.put(PATH, data)
        fd = self.fs.open("/logs", b"a.log", "deny")
        assert isinstance(fd, int)
        self.held = Held(FileId("/logs", 1, 2), fd, b"a.log", set(), len(data), 0.0)
        self.held.peaks.append(len(data))
        settings = replace(SETTINGS, chunk_bytes=chunk_bytes, line_bytes_max=line_bytes_max)
        self.follower = Follower(self.held, 7, settings, 0)

    def ready(self) -> File:
        """Guard the head, so that reading may begin."""
        assert self.follower.prepare(self.fs, final=True)
        return self

    def read(self) -> Chunk:
        """Read and take a chunk that is there."""
        chunk = self.follower.read(self.fs)
        assert isinstance(chunk, Chunk)
        self.follower.take(chunk)
        return chunk

    def read_all(self) -> tuple[list[tuple[bytes, Mark]], str]:
        """Read and take to the end: each event with its chunk's mark, and why there is no more."""
        events: list[tuple[bytes, Mark]] = []
        while isinstance(chunk := self.follower.read(self.fs), Chunk):
            assert chunk.start == self.follower.position.offset
            self.follower.take(chunk)
            before = self.fs.names[PATH].data[: chunk.end.offset][-GUARD_BYTES:]
            assert chunk.anchor == guard_of(bytes(before)) == self.follower.anchor()
            whole = chunk.data.split(b"\n")
            events += [(line + b"\n", chunk.mark) for line in whole[:-1]]
            events += [(whole[-1], chunk.mark)] if whole[-1] else []
        return events, chunk


def known(data: bytes, offset: int, **changes: object) -> Generation:
    """What a checkpoint says of a file with this content, settled to `offset`."""
    generation = Generation(
        id=7,
        file=FileId("/logs", 1, 2),
        input="app",
        path=b"a.log",
        prefix=guard_of(data[:4]),
        anchor=guard_of(data[:offset][-GUARD_BYTES:]),
        position=Position(offset),
        seen=len(data),
    )
    return replace(generation, **changes)
