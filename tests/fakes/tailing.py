"""A rig that drives one output's tail of one input by hand: scan, commit, read, settle.

Time is the rig's `now`; a restart builds everything anew over the same file system and slots.
"""

from __future__ import annotations

from itertools import count
from typing import Final

from msgspec.structs import replace

from logagent.checkpoint import Checkpoint, decode_slot
from logagent.core.chunk import Chunk
from logagent.core.files import Generation
from logagent.core.ledger import Ledger
from logagent.core.metrics import Registry
from logagent.core.patterns import compile_exclude, compile_pattern
from logagent.descriptors import Descriptors
from logagent.follower import TailSettings
from logagent.held import Watch
from logagent.report import TailReport
from logagent.tail import Tail
from tests.fakes.fs import MemoryFs
from tests.fakes.record import RecordingLog

ROOT: Final = "/logs"
SETTINGS: Final = TailSettings(
    input="app",
    output="out",
    chunk_bytes=64 << 10,
    line_bytes_max=16 << 10,
    rotate_wait_s=10.0,
    poll_s=0.1,
)


def watch(
    *globs: str, exclude: tuple[str, ...] = (), input_id: str = "app", **changes: object
) -> Watch:
    """A watch of globs below the root of the first; `changes` are fields of Watch."""
    globs = globs or (f"{ROOT}/*.log",)
    patterns = [compile_pattern(glob, (compile_pattern(globs[0]).root,)) for glob in globs]
    plain = Watch(
        input=input_id,
        root=patterns[0].root,
        depth=max(pattern.depth for pattern in patterns),
        includes=tuple(pattern.match for pattern in patterns),
        excludes=tuple(compile_exclude(glob) for glob in exclude),
        symlinks="beneath",
        files_max=100,
        ignore_older_s=0.0,
        outputs=frozenset({"out"}),
    )
    return replace(plain, **changes)


class Rig:
    """One process with one pipeline's reading half."""

    def __init__(
        self,
        fs: MemoryFs | None = None,
        settings: TailSettings = SETTINGS,
        watches: tuple[Watch, ...] = (),
    ) -> None:
        self.fs = fs or MemoryFs()
        if fs is None:
            self.fs.mkdir(ROOT)
        self.settings = settings
        self.watches = watches or (watch(),)
        self.ids = count(1)
        self.now = 1000.0
        self.log = RecordingLog()
        self.metrics = Registry()
        self.start()

    def start(self) -> None:
        """Begin as a new process: load the checkpoint, know nothing else."""
        self.fs.opened.clear()
        self.ledger = Ledger()
        self.table = Descriptors(self.fs, self.watches, self.log, self.metrics)
        self.tail = self.new_tail()
        self.checkpoint = Checkpoint(self.fs, "/state")
        loaded = self.checkpoint.load()
        self.table.want(self.settings.user, self.tail.resume(loaded.generations))

    def new_tail(self) -> Tail:
        """A tail without any memory."""
        report = TailReport(self.settings.input, self.settings.output, self.log, self.metrics)
        return Tail(
            self.fs,
            self.table,
            self.ledger,
            self.settings,
            new_id=lambda: next(self.ids),
            report=report,
        )

    def scan(self, after_s: float = 1.0) -> None:
        """One scan, `after_s` later."""
        self.now += after_s
        self.table.scan(self.now, self.now)
        self.tail.sync(self.now)

    def commit(self) -> list[Generation]:
        """Make all positions durable."""
        generations = self.tail.generations()
        self.checkpoint.save(generations)
        self.tail.committed(generations)
        return generations

    def next_chunk(self) -> Chunk | None:
        """The next chunk, taken but not settled (one row a line)."""
        self.now += 0.6  # whatever waits for its poll is due
        if self.tail.waits_for_commit(self.now):
            self.commit()
        chunk = self.tail.read(self.now)
        if chunk is not None:
            self.take(chunk)
        return chunk

    def take(self, chunk: Chunk, *, settle: bool = True) -> int:
        """Take a chunk as one row, and settle that."""
        rows = 1 if chunk.data else 0
        key = self.tail.take(chunk, rows)
        if settle:
            self.ledger.settle(key, rows)
        return key

    def read_all(self) -> list[Chunk]:
        """Scan, then read, take and settle whatever there is, also after a truncation."""
        self.scan()
        chunks: list[Chunk] = []
        empty = 0
        while empty < 2:
            chunk = self.next_chunk()
            empty = 0 if chunk else empty + 1
            chunks += [chunk] if chunk else []
        return chunks

    def lost(self, reason: str = "truncated") -> float:
        """The loss counter."""
        cell = self.metrics.cell("lost_bytes_total", "app", "out", reason)
        return cell.value

    def durable(self) -> list[Generation]:
        """What a restart would find."""
        slots = [decode_slot(data) for data in self.fs.slots.values()]
        best = max((s for s in slots if s), key=lambda s: s.sequence, default=None)
        return best.generations if best else []


def lines(chunks: list[Chunk]) -> bytes:
    """What chunks hold, joined."""
    return b"".join(chunk.data for chunk in chunks)
