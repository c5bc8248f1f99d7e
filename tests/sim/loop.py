"""Virtual time: a clock with the world's events, and an asyncio loop that never blocks.

Modelled: time that passes only when nothing is ready (and a few microseconds a step), events of the
world (an app that writes, a server that applies late) between any two steps of the agent, any order
of ready callbacks. Not modelled: threads, executors, sockets, signals; using one is an
error. Connections are those of `wire.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final, NoReturn, TypeVar

T = TypeVar("T")

STEP_S: Final = 20e-6
"""What one turn of the loop takes: work isn't free, so the world goes on meanwhile."""


Dial = Callable[
    [asyncio.AbstractEventLoop, Callable[[], asyncio.Protocol], str],
    Coroutine[object, object, tuple[asyncio.Transport, asyncio.Protocol]],
]
"""Connects to a server by its name. Raises OSError."""


class Deadlock(Exception):
    """Nothing is ready, no timer is set and the world has no plans: nobody will ever wake up."""


class VirtualClock:
    """Seconds since the world began, and what the world has planned."""

    def __init__(self) -> None:
        self.now = 0.0
        self._plans: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Plan `do` for a time; one that is past means as soon as possible."""
        heappush(self._plans, (when, next(self._numbers), do))

    def next_at(self) -> float:
        """When the next plan is due; infinity without one."""
        return self._plans[0][0] if self._plans else float("inf")

    def run_due(self) -> None:
        """Carry out what is due."""
        while self._plans and self._plans[0][0] <= self.now:
            heappop(self._plans)[2]()

    def pass_to(self, when: float) -> None:
        """Let the world go on alone until `when`."""
        while self.next_at() <= when:
            self.now = max(self.now, self.next_at())
            self.run_due()
        self.now = max(self.now, when)


class SimTask(asyncio.Task[T]):
    """A task whose hash is its number: sets of tasks have the same order in each run."""

    numbers = count()

    def __init__(
        self,
        coroutine: Coroutine[object, object, T],
        *,
        loop: asyncio.AbstractEventLoop,
        name: str | None = None,
        context: Context | None = None,
    ) -> None:
        self._number = next(SimTask.numbers)
        super().__init__(coroutine, loop=loop, name=name or f"task-{self._number}", context=context)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class _Selector:
    """Where a real loop would sleep."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[NoReturn]:
        """Let time pass to the next timer or plan, whichever comes first."""
        self._loop.rest(timeout)
        return []


class SimLoop(asyncio.BaseEventLoop):
    """One process's loop. `rng` (or None) shuffles what is ready; `dial` connects to models."""

    def __init__(self, clock: VirtualClock, rng: Random | None, dial: Dial | None = None) -> None:
        super().__init__()
        self._dial = dial
        self.clock = clock
        self.steps = 0
        self.sleeps = 0
        """How often nothing was ready, so that a real loop would have slept and woken up."""
        self.faults: list[str] = []
        """What asyncio would have logged: exceptions that nobody looked at."""
        self._rng = rng
        self._selector = _Selector(self)
        self._clock_resolution = 1e-9
        self.set_debug(enabled=False)
        self.set_task_factory(_make_task)  # type: ignore[arg-type]  # typeshed wants a Future
        self.set_exception_handler(lambda _, context: self.faults.append(str(context)))

    def time(self) -> float:
        """See asyncio."""
        return self.clock.now

    def rest(self, timeout: float | None) -> None:
        """Advance the clock by at most `timeout` (None: until somebody has a plan)."""
        clock = self.clock
        until = float("inf") if timeout is None else clock.now + timeout
        self.sleeps += timeout is None or timeout > 0
        upcoming = min(until, clock.next_at())
        if upcoming == float("inf"):
            raise Deadlock("nothing is ready, no timer is set")
        clock.now = max(clock.now + STEP_S, upcoming)
        clock.run_due()
        ready = self._ready  # type: ignore[attr-defined]  # asyncio's own, stable since 3.4
        if self._rng is not None and len(ready) > 1:
            handles = list(ready)
            self._rng.shuffle(handles)
            ready.clear()
            ready.extend(handles)

    def drive(self, until: Callable[[], bool]) -> None:
        """Run step by step until `until` says so, which is asked between any two steps."""
        asyncio._set_running_loop(self)
        self._thread_id = 1
        try:
            while not until():
                self._run_once()  # type: ignore[attr-defined]  # what run_forever does
                self.steps += 1
        finally:
            self._thread_id = None  # type: ignore[assignment]  # as run_forever does
            asyncio._set_running_loop(None)

    def run_in_executor(self, *args: object, **kwargs: object) -> NoReturn:
        """No threads here."""
        raise AssertionError("the simulator has no threads")

    async def create_connection(  # type: ignore[override]  # the part of it that is used
        self, protocol_factory: Callable[[], asyncio.Protocol], host: str, port: int, **_: object
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """See asyncio: a connection to a model of a server."""
        assert self._dial is not None, "there is no network here"
        return await self._dial(self, protocol_factory, host)

    def _process_events(self, event_list: list[NoReturn]) -> None:
        """There are none: nothing here has a descriptor."""

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody has to be woken."""


def _make_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[object, object, T],
    *,
    name: str | None = None,
    context: Context | None = None,
) -> SimTask[T]:
    return SimTask(coroutine, loop=loop, name=name, context=context)
