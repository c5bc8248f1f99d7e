"""A rig that runs one output's whole pipeline in virtual time: files in memory, a scripted sink.

A test says when scans happen, how many requests the sink lets through, and when the disk of the
checkpoint answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from logagent.commits import Commits
from logagent.core.chunk import Mark, Rows
from logagent.core.retry import Concurrency
from logagent.delivery import Delivery, DeliverySettings
from logagent.follower import TailSettings
from logagent.held import Watch
from logagent.locate import Locator
from logagent.pipeline import Pipeline, PipelineSettings
from logagent.rejects import OnReject, Rejects, Undertaking
from logagent.source import Bound, Source
from logagent.tail import Tail
from tests.fakes.fs import MemoryFs
from tests.fakes.origin import ORIGIN
from tests.fakes.record import ListJournal
from tests.fakes.sink import ScriptedCodec, ScriptedSink
from tests.fakes.tailing import ROOT, SETTINGS, Rig, watch

PLAIN = PipelineSettings(
    output="out", batch_bytes=64 << 10, linger_s=1.0, slots=2, commit_interval_s=1.0
)


class Echo:
    """A renderer whose rows are the lines themselves, blank ones filtered; marks are written in
    front. More than `rows_max` rows are too many."""

    def __init__(self, rows_max: int = 1 << 30) -> None:
        self.rows_max = rows_max

    def render(self, data: bytes, start: int, now: float, mark: Mark = "") -> Rows | None:
        """See `pipeline.Renderer`."""
        parts = data.split(b"\n")
        lines = [mark.encode() + line for line in parts if line]
        if len(lines) > self.rows_max:
            return None
        blank = len(parts) - len(lines) - data.endswith(b"\n")
        return Rows(b"".join(line + b"\n" for line in lines), len(lines), filtered=blank)


class Pump(Rig):
    """One process with one output; `disk` cleared keeps commits waiting."""

    def __init__(
        self,
        fs: MemoryFs | None = None,
        settings: TailSettings = SETTINGS,
        watches: tuple[Watch, ...] = (),
        *,
        plain: PipelineSettings = PLAIN,
        on_reject: OnReject = "wrap",
        allowed: int = 1 << 30,
        rows_max: int = 1 << 30,
    ) -> None:
        super().__init__(fs, settings, watches)
        self.sink = ScriptedSink(allowed=allowed)
        self.codec = ScriptedCodec()
        self.disk = asyncio.Event()
        self.disk.set()
        self.concurrency = Concurrency(plain.slots)
        self.bound: list[bytes] = []
        self.commits = self._commits([self.tail])
        self.pipeline = self.build([self.tail], plain, on_reject, rows_max)

    @classmethod
    def with_inputs(cls, first: TailSettings, second: TailSettings) -> Pump:
        """A pump of two inputs in one root: `*.log` and `*.out`."""
        pump = cls(settings=first, watches=(watch(), watch(f"{ROOT}/*.out", input_id=second.input)))
        pump.settings = second
        tails = [pump.tail, pump.new_tail()]
        pump.commits = pump._commits(tails)
        pump.pipeline = pump.build(tails, PLAIN, "wrap", 1 << 30)
        return pump

    def build(
        self, tails: list[Tail], plain: PipelineSettings, on_reject: OnReject, rows_max: int
    ) -> Pipeline:
        """The pipeline over these tails."""
        rejects = Rejects(
            "out",
            on_reject,
            self.codec,
            Undertaking(ListJournal(), Locator(self.fs, self.ledger, [], lambda: 0.0)),
            wrapper=self.codec,
            retry_max_s=30.0,
            clock=lambda: 0.0,
            jitter=lambda: 0.5,
            log=self.log,
            metrics=self.metrics,
        )
        delivery = Delivery(
            self.sink,
            self.codec,
            self.ledger,
            rejects,
            DeliverySettings("out", retry_max_s=30.0, on_reject=on_reject),
            concurrency=self.concurrency,
            jitter=lambda: 0.5,
            log=self.log,
            metrics=self.metrics,
        )

        def bind(path: bytes, generation: int) -> Bound:
            self.bound.append(path)
            return Bound(Echo(rows_max), ORIGIN)

        return Pipeline(
            plain,
            sources=[Source(tail, bind) for tail in tails],
            descriptors=self.table,
            ledger=self.ledger,
            codec=self.codec,
            delivery=delivery,
            concurrency=self.concurrency,
            commits=self.commits,
            clock=lambda: 0.0,
            metrics=self.metrics,
        )

    def _commits(self, tails: list[Tail]) -> Commits:
        return Commits(
            "out",
            self.checkpoint,
            tails,
            self.ledger,
            offload=self._offload,
            log=self.log,
            metrics=self.metrics,
        )

    async def _offload(self, call: Callable[[], None]) -> None:
        await self.disk.wait()
        call()

    @asynccontextmanager
    async def running(self, grace_s: float = 25.0) -> AsyncIterator[asyncio.Task[bool]]:
        """Run the pipeline; at the end of the block it is stopped, and is waited for."""
        self.pipeline.load()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.pipeline.run())
            yield task
            self.stop(grace_s)

    def stop(self, grace_s: float) -> None:
        """Ask for a stop within so many seconds."""
        self.pipeline.stop(asyncio.get_running_loop().time() + grace_s)

    def look(self) -> None:
        """One scan, now."""
        self.table.scan(asyncio.get_running_loop().time(), 0.0)
        self.pipeline.scanned()

    def sent(self) -> bytes:
        """All bodies, joined."""
        return b"".join(self.sink.bodies)

    def settled(self) -> int:
        """The offset up to which a restart would find the only file settled."""
        (generation,) = self.durable()
        return generation.position.offset
