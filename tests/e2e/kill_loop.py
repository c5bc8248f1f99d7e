"""kill -9, again and again, under load, with rotation: `python -m tests.e2e.kill_loop --kills 40`.

Then each line is counted by the number inside its document against the app's own account: none may
be lost, and none doubled. Each kill freezes the agent first, for a moment: what a frozen process
is in the middle of can be looked at from outside, and to the process there is no difference.

Knows when to kill and what a kill has met. Must not know the agent's inside but for the names of
its checkpoint's files.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from logagent.demo.connection import Answer, Head
from logagent.demo.faults import Fault
from logagent.demo.server import Options as ReceiverOptions
from logagent.demo.server import Receiver
from tests.e2e.agent import Installation, installed
from tests.e2e.apps import config_for
from tests.e2e.inotify import watching
from tests.e2e.kill_account import AIMS, Aim, Kill, Result
from tests.e2e.kill_app import NAME, App

AIMED_EACH: Final = 0.1
"""Share of the kills for each aim; at least one. The rest comes at random moments."""

LATENCY: Final = Fault("delay", seconds=0.05, times=0)
BUSY: Final = Fault("status", status=503, times=0)
STARVE_EACH: Final = 6
"""After so many kills the receiver is busy until a file was deleted that nobody had read."""

RANDOM_S: Final = 2.0
"""A random moment is at most so long after the agent's start."""

SLOT: Final = "/slot-"
WAIT_S: Final = 40.0
POLL_S: Final = 0.01
TRIES_MAX: Final = 200
"""Aiming is freezing at a sign, and looking: so often before the agent is killed anyway."""


@dataclass(frozen=True)
class Options:
    """How many kills, and of what. `rate`: lines a second."""

    kills: int = 40
    seed: int = 1
    rate: float = 6000.0
    rotate_bytes: int = 1 << 20
    ids: bool = True


class WatchedReceiver(Receiver):
    """A receiver that says when it has applied rows, and whose replies are still owed."""

    def __init__(self) -> None:
        super().__init__(ReceiverOptions(mode="ledger"), [LATENCY])
        self._applied = asyncio.Event()

    def answer(self, head: Head, body: memoryview, fault: Fault | None) -> Answer:
        """See Receiver."""
        answer = super().answer(head, body, fault)
        if answer.status == 200 and head.path.endswith("/_bulk"):
            self._applied.set()
        return answer

    async def applies(self) -> None:
        """Return when rows have been applied."""
        self._applied.clear()
        await self._applied.wait()

    def owes(self) -> bool:
        """Whether rows are applied whose reply isn't written."""
        return any(connection._busy for connection in self._connections)

    def delivered(self, first: int, next_: int) -> bool:
        """Whether all these lines have come. May be called from any thread."""
        return not self.ledger.compare(NAME, first, next_).lost


class Campaign:
    """One app, one receiver, and agents that don't live long."""

    def __init__(
        self, options: Options, installation: Installation, receiver: WatchedReceiver, logs: Path
    ) -> None:
        self._options = options
        self._installation = installation
        self._receiver = receiver
        self._chance = random.Random(options.seed)
        self._agent = installation.start()
        self._app = App(
            logs,
            rate=options.rate,
            rotate_bytes=options.rotate_bytes,
            seed=options.seed,
            delivered=receiver.delivered,
            held=self._held,
        )

    async def run(self) -> Result:
        """Play it. Raises AssertionError when something doesn't come to pass."""
        app, result = self._app, Result()
        app.start()
        try:
            slots = self._installation.state / "main"
            await self._until("the first commit", slots.exists)
            for number, aim in enumerate(self._aims()):
                if number % STARVE_EACH == 1:
                    await self._starve()
                result.kills.append(await self._kill(aim, slots))
                self._agent = self._installation.start()
        finally:
            app.go_on()
            app.stop()
        await self._until("the rest", lambda: self._receiver.delivered(0, app.next))
        await self._until("the last agent", lambda: bool(self._agent.events("logagent started")))
        status = await asyncio.to_thread(self._agent.stop)
        assert status == 0, f"the last agent ended with {status}"
        compared = self._receiver.ledger.compare(NAME, 0, app.next)
        result.written, result.lost, result.doubled = (
            compared.written,
            compared.lost,
            compared.doubled,
        )
        result.rotations, result.deleted_unread = app.rotations, len(app.deleted_unread)
        result.seconds = app.seconds
        result.refused_copies = self._receiver.stats.duplicates_by_id
        text = "output ended by a fault of its own, starting it again"
        result.own_faults = len(self._installation.events(text))
        return result

    def _held(self, inode: int) -> bool:
        """Whether the agent that lives now has it open. Called from the app's thread."""
        return self._agent.holds(inode)

    def _aims(self) -> list[Aim]:
        """What each kill is aimed at."""
        each = max(1, int(self._options.kills * AIMED_EACH))
        aims: list[Aim] = [aim for aim in AIMS for _ in range(each)]
        aims += ["random"] * (self._options.kills - len(aims))
        self._chance.shuffle(aims)
        return aims[: self._options.kills]

    async def _starve(self) -> None:
        """Keep the receiver busy while the app rotates, until a file is deleted unread; then let
        all that is deleted be delivered: a kill before would destroy it."""
        app = self._app
        before = len(app.deleted_unread)
        self._receiver.faults.load([BUSY])
        app.may_delete_held(allowed=True)
        await self._until(
            "a deletion", lambda: len(app.deleted_unread) > before or not app.is_alive()
        )
        app.may_delete_held(allowed=False)
        self._receiver.faults.load([LATENCY])
        last = app.deleted_unread[-1]
        await self._until("what was deleted", lambda: self._receiver.delivered(0, last.next))

    async def _kill(self, aim: Aim, slots: Path) -> Kill:
        """Freeze the agent at the right moment, look, and kill it."""
        agent, app = self._agent, self._app
        if aim == "random":
            await asyncio.sleep(self._chance.uniform(0.05, RANDOM_S))
            agent.freeze()
        elif aim == "send":
            await self._freeze_at(self._receiver.applies, self._receiver.owes)
        elif aim == "commit":
            with watching(slots) as changed:
                await self._freeze_at(changed, lambda: agent.writes(SLOT))
        else:
            app.wait_in_gap()
            await self._until("a rotation", app.in_gap.is_set)
            agent.freeze()
        met = Kill(aim, self._receiver.owes(), agent.writes(SLOT), app.rotating)
        agent.kill()
        app.go_on()
        return met

    async def _until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for something. Raises AssertionError, with the lines that are missing: a loss shows
        here first, because no rotation deletes a file that isn't delivered."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_S
        while not condition():
            if loop.time() > deadline:
                account = self._receiver.ledger.compare(NAME, 0, self._app.next)
                text = f"waiting for {what}: not after {WAIT_S} s; missing {account.lost_ranges}"
                raise AssertionError(text)
            await asyncio.sleep(POLL_S)

    async def _freeze_at(
        self, sign: Callable[[], Awaitable[None]], met: Callable[[], bool]
    ) -> None:
        """Freeze the agent at a sign; if it was too late for what was meant, at the next one."""
        for _ in range(TRIES_MAX):
            async with asyncio.timeout(WAIT_S):
                await sign()
            self._agent.freeze()
            if met():
                return
            self._agent.thaw()
        self._agent.freeze()


async def campaign(options: Options, folder: Path) -> Result:
    """Play it in an empty folder on a disk, not in memory: there a commit takes no time."""
    logs = folder / "logs"
    logs.mkdir()
    async with WatchedReceiver() as receiver:
        config = config_for(logs, receiver.url, ids=options.ids, linger_s=0.1, retry_max_s=0.5)
        with installed({**config, "agent": {"admin": ""}}, folder) as installation:
            return await Campaign(options, installation, receiver, logs).run()


def play(options: Options, folder: Path) -> Result:
    """`campaign`, for callers without a loop."""
    return asyncio.run(campaign(options, folder))


def main() -> int:
    """Play one, print the account; 1 when something is wrong with it."""
    parser = argparse.ArgumentParser(prog="tests.e2e.kill_loop", description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    options = Options(kills=chosen.kills, seed=chosen.seed)
    with tempfile.TemporaryDirectory(prefix="logagent-kill-") as folder:
        result = play(options, Path(folder))
    print("\n".join([f"seed {options.seed}", *result.lines()]))
    faults = result.faults(ids=options.ids)
    for fault in faults:
        print(f"FAILED: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
