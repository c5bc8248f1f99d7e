"""What is watched of a production sink in the simulator: its requests, and what became of them.

Knows attempts: a request from when the pipeline hands it over until the sink has answered. Models
of wires ask which attempt they work for (`current`) and tell what they did to its rows; whatever
the agent wasn't told in its reply may be sent once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logagent.core.chunk import Codec, Reply, Request
from logagent.ports import Sink
from tests.sim.accounts import Key
from tests.sim.outputs import OutputPlan
from tests.sim.rows import Seen

if TYPE_CHECKING:
    from tests.sim.world import World


@dataclass
class Attempt:
    """One request on its way."""

    number: int
    request: Request
    applied: list[Seen] = field(default_factory=list)
    """What was done to its rows, as far as the agent doesn't know of it yet."""
    refused: list[Seen] = field(default_factory=list)
    """Rows that were rejected for what is in them."""
    is_open: bool = True


Heard = Callable[[Attempt, Reply], "set[Key] | None"]
"""Which rows the agent was told are delivered, by a reply; None = all of them."""

_CURRENT: ContextVar[Attempt] = ContextVar("attempt")


def current() -> Attempt:
    """The attempt that the running task works for."""
    return _CURRENT.get()


class Faults:
    """What goes wrong at a server, by its plan."""

    def __init__(self, world: World, plan: OutputPlan) -> None:
        self.world = world
        self.plan = plan

    def outage(self) -> str:
        """How the server is down just now, or ""."""
        if self.world.calm:
            return ""
        for start, end, how in self.plan.outages:
            if start <= self.world.clock.now < end:
                self.world.mark("outage")
                return how
        return ""

    def roll(self, fault: str) -> bool:
        """Whether a fault happens."""
        rate = self.plan.rates.get(fault, 0.0)
        return rate > 0 and not self.world.calm and self.world.rng.random() < rate


class Model(Faults):
    """What models of servers have that are behind a production sink. They outlive the agent's
    processes."""

    def __init__(self, world: World, plan: OutputPlan) -> None:
        super().__init__(world, plan)
        self.flying: dict[int, Attempt] = {}
        self.count = 0

    def latency(self) -> float:
        """How long a request and its answer take together."""
        most = 0.001 if self.world.calm else self.plan.latency_s
        return most * (self.world.rng.random() + 0.05)

    def applied(self, attempt: Attempt, seen: Seen) -> None:
        """A row is where it belongs."""
        if attempt.is_open:
            attempt.applied.append(seen)
        self.world.oracle.applied(self.plan.name, seen, lost=not attempt.is_open)

    def crash(self) -> None:
        """The agent is gone. What is on the wire may still arrive."""
        flying, self.flying = list(self.flying.values()), {}
        for attempt in flying:
            attempt.is_open = False
            if attempt.applied:
                self.world.mark("kill_in_send")
                self.world.oracle.unanswered(self.plan.name, attempt.applied)


class Watched:
    """`ports.Sink` between the pipeline and a production sink."""

    def __init__(self, model: Model, inner: Sink, codec: Codec, heard: Heard) -> None:
        self._model = model
        self._inner = inner
        self._codec = codec
        self._heard = heard

    async def send(self, request: Request) -> Reply:
        """See `ports.Sink.send`."""
        model, world = self._model, self._model.world
        model.count += 1
        attempt = Attempt(model.count, request)
        model.flying[attempt.number] = attempt
        first = self._codec.document(self._codec.split(request)[0])
        world.oracle.sending(
            model.plan, request.raw_bytes, first, rows=request.rows, flying=len(model.flying)
        )
        world.note("send", model.plan.name, attempt.number, request.rows)
        _CURRENT.set(attempt)
        process = world.process
        try:
            reply = await self._inner.send(request)
        except asyncio.CancelledError:
            if world.lives(process):
                self._close(attempt, set())
            raise
        if world.lives(process):
            world.note("reply", model.plan.name, attempt.number, reply.status, reply.fault)
            self._close(attempt, self._heard(attempt, reply))
            for seen in attempt.refused:
                world.oracle.rejected(model.plan.name, seen)
        return reply

    async def refresh(self) -> None:
        """See `ports.Sink.refresh`."""
        await self._inner.refresh()

    async def close(self) -> None:
        """See `ports.Sink.close`."""
        await self._inner.close()

    def _close(self, attempt: Attempt, heard: set[Key] | None) -> None:
        """An attempt is over."""
        model, oracle = self._model, self._model.world.oracle
        attempt.is_open = False
        del model.flying[attempt.number]
        known = [seen for seen in attempt.applied if heard is None or seen.key in heard]
        oracle.answered(model.plan.name, known)
        if heard is not None:
            unknown = [seen for seen in attempt.applied if seen.key not in heard]
            oracle.unanswered(model.plan.name, unknown)
