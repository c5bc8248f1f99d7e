"""One output's commits: what is settled becomes durable, each second and before new generations.

Knows the checkpoint, the tails and the ledger. Must not read a log file or send anything.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final, Protocol

from logagent.checkpoint import Checkpoint, CheckpointError
from logagent.core.ledger import Ledger
from logagent.core.metrics import Registry
from logagent.descriptors import Descriptors
from logagent.ports import Log
from logagent.tail import Tail

RETRY_S: Final = 1.0
"""After a commit that the disk refused, generations that are new wait so long for the next try."""


class Offload(Protocol):
    """Runs a blocking call elsewhere: in a thread, or (the simulator) at once."""

    def __call__(self, call: "Save", /) -> Awaitable[None]:
        """Await the call's end; what it raises is raised here."""


class Save(Protocol):
    """A blocking call without arguments."""

    def __call__(self) -> None:
        """Do it."""


class Commits:
    """Commits one output's positions. One commit at a time; each takes what is settled then."""

    def __init__(
        self,
        output: str,
        checkpoint: Checkpoint,
        tails: Sequence[Tail],
        ledger: Ledger,
        *,
        offload: Offload,
        log: Log,
        metrics: Registry,
    ) -> None:
        self._output = output
        self._checkpoint = checkpoint
        self._tails = tails
        self._ledger = ledger
        self._offload = offload
        self._log = log
        self._failures = metrics.cell("checkpoint_failures_total", output)
        self._count = metrics.cell("commits_total", output)
        self._age = metrics.cell("checkpoint_age_seconds", output)
        self._lock = asyncio.Lock()
        self._ended = asyncio.Event()
        self._durable_at = 0.0
        self.failing = False
        """Whether the last commit failed."""
        self.retry_at = 0.0
        """Loop time before which it makes no sense to try again."""

    def load(self, descriptors: Descriptors) -> None:
        """Resume the tails from the checkpoint. Called once, before the first scan."""
        loaded = self._checkpoint.load()
        if loaded.damage and loaded.generations:
            text = "checkpoint was damaged, the other slot is used"
            self._log.warning(text, output=self._output, why=loaded.damage)
        elif loaded.damage:
            text = "checkpoint is lost, all files are read from their start"
            self._log.error(text, output=self._output, why=loaded.damage)
        for tail in self._tails:
            descriptors.want(tail.settings.user, tail.resume(loaded.generations))

    async def run(self, interval_s: float) -> None:
        """Commit each `interval_s` when something is settled, until `end`."""
        loop = asyncio.get_running_loop()
        self._durable_at = loop.time()
        while not self._ended.is_set():
            try:
                async with asyncio.timeout(interval_s):
                    await self._ended.wait()
            except TimeoutError:
                if self._ledger.changed:
                    await self.commit()

    def end(self) -> None:
        """Let `run` return. By value: cancelling it could leave a write behind in a thread."""
        self._ended.set()

    def measure(self, now: float) -> None:
        """Set the gauge of the checkpoint's age: how long settled positions aren't durable."""
        if not self._ledger.changed:
            self._durable_at = now
        self._age.value = now - self._durable_at

    async def commit(self) -> bool:
        """Make the settled positions durable. False, loudly, when the disk refuses; then the
        last commit still holds, known generations go on and new ones wait."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            generations = [g for tail in self._tails for g in tail.generations()]
            self._ledger.changed = False
            try:
                await self._offload(lambda: self._checkpoint.save(generations))
            except CheckpointError as error:
                self._ledger.changed = self.failing = True
                self.retry_at = loop.time() + RETRY_S
                self._failures.value += 1
                self._log.error("positions aren't durable", output=self._output, why=str(error))
                return False
            self.failing = False
            self._durable_at = loop.time()
            self._count.value += 1
            for tail in self._tails:
                tail.committed(generations)
        return True
