"""One output: its pump (read, cut, render, pack), its sends, its commits, and how it stops.

Knows the order of the steps and when each may happen. Must not know a format, a protocol or a
file system. Outputs share nothing but the table of descriptors: one that is stuck delays nobody.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from logagent.commits import Commits
from logagent.core.batch import OpenBatch
from logagent.core.chunk import Chunk, Codec, Rows
from logagent.core.ledger import Ledger
from logagent.core.metrics import Registry
from logagent.core.retry import Concurrency
from logagent.delivery import Delivery
from logagent.descriptors import Descriptors
from logagent.ports import Clock
from logagent.source import Bound, Source, render_fitting
from logagent.tail import Tail

MARGIN_S: Final = 0.5
"""Kept of the grace period for the last commit."""
SLICE_S: Final = 0.25
"""How long a wait may overlook that the deadline has moved (a second signal)."""


class PipelineSettings(Struct, frozen=True):
    """What an output's options come to for its pipeline."""

    output: str
    batch_bytes: int
    linger_s: float
    slots: int
    commit_interval_s: float


class Pipeline:
    """Runs one output from its checkpoint to its stop."""

    def __init__(
        self,
        settings: PipelineSettings,
        *,
        sources: Sequence[Source],
        descriptors: Descriptors,
        ledger: Ledger,
        codec: Codec,
        delivery: Delivery,
        concurrency: Concurrency,
        commits: Commits,
        clock: Clock,
        metrics: Registry,
    ) -> None:
        self.settings = settings
        self._sources = deque(sources)
        self._descriptors = descriptors
        self._ledger = ledger
        self._codec = codec
        self._delivery = delivery
        self._concurrency = concurrency
        self._commits = commits
        self._clock = clock
        self._metrics = metrics
        self._bound: dict[int, Bound] = {}
        self._sends: set[asyncio.Task[None]] = set()
        self._open = self._new_batch()
        self._wake = asyncio.Event()
        self._scanned = True
        self._stopping = False
        self._deadline = float("inf")

    def scanned(self) -> None:
        """The table of descriptors has changed: look at it."""
        self._scanned = True
        self._wake.set()

    def stop(self, deadline: float) -> None:
        """Read to the end, deliver, commit, and return from `run` at `deadline` (loop time) at the
        latest. May be called again with an earlier one."""
        self._stopping = True
        self._deadline = deadline
        self._wake.set()

    def load(self) -> None:
        """Read the checkpoint. Called once, before `run`."""
        self._commits.load(self._descriptors)

    async def run(self) -> bool:
        """Run until stopped. Returns whether all that was there is settled."""
        loop = asyncio.get_running_loop()
        # After load: only now does the table know which files the checkpoint wants, wherever they
        # stand. What neither this scan nor the next one finds is counted as vanished; with `--once`
        # the next one is that of the stop.
        self._descriptors.scan(loop.time(), self._clock())
        self._sync(loop.time())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._commits.run(self.settings.commit_interval_s))
            while not self._stopping:
                if not await self._turn(group):
                    await self._rest(loop)
            await self._drain(group)
            self._commits.end()
        await self._commits.commit()
        return not self._ledger.open_rows and not self._open.rows and not self.lag_bytes()

    def lag_bytes(self) -> int:
        """Bytes in the files that aren't settled."""
        return sum(source.tail.lag_bytes() for source in self._sources)

    def measure(self, now: float) -> None:
        """Set the gauges."""
        output = self.settings.output
        for source in self._sources:
            cell = self._metrics.cell("lag_bytes", source.tail.settings.input, output)
            cell.value = source.tail.lag_bytes()
        self._metrics.cell("batches_in_flight", output).value = len(self._sends)
        self._metrics.cell("slots", output).value = self._limit()
        self._commits.measure(now)

    @property
    def stuck(self) -> bool:
        """Whether the last commit failed."""
        return self._commits.failing

    def status(self) -> dict[str, object]:
        """What is under way, for the status page."""
        return {
            "batches_in_flight": len(self._sends),
            "slots": self._limit(),
            "rows_unsettled": self._ledger.open_rows,
            "lag_bytes": self.lag_bytes(),
            "trouble": self._delivery.trouble,
            "files": [state for source in self._sources for state in source.tail.states()],
        }

    async def _turn(self, group: asyncio.TaskGroup, *, final: bool = False) -> bool:
        """One chunk on its way. False when there is none, or no time left."""
        now = asyncio.get_running_loop().time()
        if self._scanned:
            self._sync(now)
        fresh = [s.tail.waits_for_commit(now, final=final) for s in self._sources]
        if any(fresh) and now >= self._commits.retry_at:
            await self._commits.commit()
        if self._open.rows and now >= self._open.due_at:
            await self._ship(group)
        for source in self._sources:
            chunk = source.tail.read(now)
            if chunk is not None:
                self._sources.rotate(-1)  # so that a busy input doesn't starve the next
                taken = await self._add(group, source, chunk)
                await asyncio.sleep(0)
                return taken
        return False

    def _sync(self, now: float) -> None:
        """Take over what the last scan saw."""
        self._scanned = False
        for source in self._sources:
            source.tail.sync(now)

    async def _add(self, group: asyncio.TaskGroup, source: Source, chunk: Chunk) -> bool:
        """Render a chunk, take it and put its rows into the open batch; send that when full."""
        tail = source.tail
        bound = self._bind(source, chunk.generation)
        follower = tail.follower(chunk.generation)
        chunk, rows = render_fitting(bound.renderer, follower, chunk, self._clock)
        if not self._open.fits(rows) and not await self._ship(group):
            return False
        key = tail.take(chunk, rows.count)
        self._count(tail, rows)
        if rows.count:
            follower.expanded(len(chunk.data), len(rows.wire), self.settings.batch_bytes)
            now = asyncio.get_running_loop().time()
            self._open.add(key, rows, bound.origin, now=now)
            if self._open.full:
                return await self._ship(group)
        return True

    async def _ship(self, group: asyncio.TaskGroup) -> bool:
        """Close the open batch and send it as soon as a slot is free: this is the back-pressure.

        False when the deadline comes first; the batch stays open then.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        while len(self._sends) >= self._limit():
            left = self._left_s()
            if left <= 0:
                return False
            wait = asyncio.FIRST_COMPLETED
            await asyncio.wait(self._sends, timeout=min(left, SLICE_S), return_when=wait)
        waited = self._metrics.cell("backpressure_seconds_total", self.settings.output)
        waited.value += loop.time() - started
        batch = self._open.close()
        self._open = self._new_batch()
        task = group.create_task(self._delivery.deliver(batch))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)
        return True

    async def _rest(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until a file is due, the open batch is due, a scan has ended, or a stop."""
        due = min(source.tail.due_at() for source in self._sources)
        if self._open.rows:
            due = min(due, self._open.due_at)
        wait = min(max(due - loop.time(), 0.001), 1.0)
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    async def _drain(self, group: asyncio.TaskGroup) -> None:
        """The order of a stop: scan, read to the end, last lines, deliver, leave the rest."""
        self._descriptors.scan(asyncio.get_running_loop().time(), self._clock())
        self._scanned = True
        for source in self._sources:
            source.tail.wake()
        while await self._turn(group) and self._left_s() > 0:
            pass
        while await self._turn(group, final=True) and self._left_s() > 0:
            pass
        for source in list(self._sources):
            for chunk in source.tail.last_lines():
                if not await self._add(group, source, chunk):
                    break
        if self._open.rows:
            await self._ship(group)
        while self._sends and (left := self._left_s()) > 0:
            await asyncio.wait(self._sends, timeout=min(left, SLICE_S))
        for task in self._sends:
            task.cancel()

    def _left_s(self) -> float:
        """Seconds until only the last commit may still be made."""
        return self._deadline - MARGIN_S - asyncio.get_running_loop().time()

    def _limit(self) -> int:
        return min(self.settings.slots, self._concurrency.limit)

    def _new_batch(self) -> OpenBatch:
        packer = self._codec.packer()
        return OpenBatch(packer, self.settings.batch_bytes, self.settings.linger_s)

    def _bind(self, source: Source, generation: int) -> Bound:
        bound = self._bound.get(generation)
        if bound is None:
            held = source.tail.follower(generation).held
            live = source.tail.live
            self._bound = {g: b for g, b in self._bound.items() if live(g)}
            bound = self._bound[generation] = source.bind(held.full_path, generation)
        return bound

    def _count(self, tail: Tail, rows: Rows) -> None:
        labels = (tail.settings.input, self.settings.output)
        for name, count in (
            ("rendered_rows_total", rows.count),
            ("filtered_rows_total", rows.filtered),
            ("malformed_rows_total", rows.malformed),
            ("shadowed_rows_total", rows.shadowed),
        ):
            if count:
                self._metrics.cell(name, *labels).value += count
