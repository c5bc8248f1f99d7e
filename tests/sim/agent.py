"""One process of the agent: production parts over the models, on a loop of its own.

The composition is `logagent.build`'s; this module takes `app.py`'s place: it loads, scans, stops. A
kill leaves every task where it is and referenced, so that no `finally` helps the agent; afterwards
the dead are cancelled in a limbo where nothing they do has an effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from logagent import build
from logagent.core.budget import Wish
from logagent.core.chunk import Ticket
from logagent.core.files import Generation
from logagent.core.ledger import Ledger
from logagent.core.metrics import Registry
from logagent.descriptors import Descriptors
from logagent.edges import Edges, Ends
from logagent.held import Held
from logagent.locate import Locator
from logagent.pipeline import Pipeline
from logagent.ports import Sink
from logagent.report import TailReport
from tests.sim.agentfs import AgentFs
from tests.sim.configure import configure
from tests.sim.letters import Letters
from tests.sim.loop import SimLoop
from tests.sim.models import ends_of
from tests.sim.outputs import OutputPlan
from tests.sim.rows import Broken

if TYPE_CHECKING:
    from tests.sim.world import World

LIMBO_STEPS: Final = 1000
LIFE_MAX_S: Final = 600.0


class SilentLog:
    """`ports.Log`: events become notes of the run."""

    def __init__(self, world: World) -> None:
        self._world = world

    def info(self, message: str, **facts: object) -> None:
        """See `ports.Log`."""

    def warning(self, message: str, **facts: object) -> None:
        """See `ports.Log`."""
        self._world.note("log", message, *facts.values())

    def error(self, message: str, **facts: object) -> None:
        """See `ports.Log`."""
        self._world.note("log", message, *facts.values())


class Report(TailReport):
    """The production report, which tells the oracle what was counted as lost, and of which file."""

    def __init__(self, output: str, world: World, metrics: Registry) -> None:
        super().__init__("app", output, SilentLog(world), metrics)
        self._output = output
        self._world = world

    def resumed(self, held: Held, offset: int) -> None:
        """See TailReport."""
        super().resumed(held, offset)
        self._world.mark("resume_renamed" if held.rotated else "resume")

    def truncated(self, held: Held, offset: int, lost: int) -> None:
        """See TailReport."""
        super().truncated(held, offset, lost)
        self._world.mark("reset")
        self._world.oracle.lost(self._output, (held.file.ino, held.file.birth_ns), lost)

    def finished(self, held: Held, offset: int) -> None:
        """See TailReport."""
        super().finished(held, offset)
        self._world.mark("finished")
        account = self._world.oracle.accounts[self._output]
        account.owed.finished((held.file.ino, held.file.birth_ns))

    def vanished(self, generation: Generation, lost: int) -> None:
        """See TailReport."""
        super().vanished(generation, lost)
        file = generation.file
        self._world.oracle.lost(self._output, (file.ino, file.birth_ns), lost)


class WatchedLedger(Ledger):
    """The production ledger, which tells the oracle what is on its way."""

    def __init__(self, output: str, world: World) -> None:
        super().__init__()
        self._output = output
        self._world = world

    def open(self, ticket: Ticket) -> int:
        """See Ledger."""
        self._world.oracle.taken(self._output, ticket)
        return super().open(ticket)


class Process:
    """One life."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.loop = SimLoop(
            world.clock, world.rng if world.plan.shuffle else None, world.network.dial
        )
        self.metrics = Registry()
        self.fs = AgentFs(world)
        self.config = configure(world.plan)
        watches = build.watches(self.config)
        log = SilentLog(world)
        self.descriptors = Descriptors(self.fs, watches, log, self.metrics)
        self.sinks: list[Sink] = []
        self.pipelines = {each.name: self.build(each) for each in world.plan.outputs}
        self.settled: dict[str, bool] = {}
        self.main: asyncio.Task[None] | None = None
        world.processes.append(self)

    def build(self, plan: OutputPlan) -> Pipeline:
        """One output, as production builds it."""
        world = self.world
        edges = Edges(
            fs=AgentFs(world, self.fs, plan.name),
            offload=self.offload,
            clock=world.wall,
            random=world.rng,
            env={},
            log=SilentLog(world),
            metrics=self.metrics,
        )
        codec, sink = ends_of(world, self.config.outputs[plan.name], plan)
        self.sinks.append(sink)
        ends = Ends(codec, sink, Letters(world, plan.name))
        wish = Wish(plan.batch_bytes, plan.slots)
        pipeline = build.pipeline(self.config, plan.name, wish, ends, self.descriptors, edges=edges)
        ledger = WatchedLedger(plan.name, world)
        pipeline._ledger = pipeline._delivery._ledger = pipeline._commits._ledger = ledger
        locator = pipeline._delivery._rejects._undertaking.locate
        assert isinstance(locator, Locator)
        locator._ledger = ledger
        for source in pipeline._sources:
            source.tail._ledger = ledger
            source.tail._report = Report(plan.name, world, self.metrics)
        return pipeline

    async def offload(self, call: Callable[[], None]) -> None:
        """Run a blocking call: at once, or between two waits, as a thread would."""
        world = self.world
        if world.chance("slow_commit"):
            await asyncio.sleep(world.rng.uniform(0.0, 0.3))
        call()
        if world.chance("slow_commit"):
            await asyncio.sleep(world.rng.uniform(0.0, 0.3))

    async def run(self) -> None:
        """From the first scan to the last commit."""
        now, wall = self.loop.time(), self.world.wall
        if self.world.plan.scan_first:
            self.descriptors.scan(now, wall())
        for pipeline in self.pipelines.values():
            pipeline.load()
        if not self.world.plan.scan_first:
            self.descriptors.scan(now, wall())
        async with asyncio.TaskGroup() as group:
            for name in self.pipelines:
                group.create_task(self.run_one(name))
            group.create_task(self.scan())
        for sink in self.sinks:
            await sink.close()

    async def run_one(self, name: str) -> None:
        """Run one output to its stop."""
        self.settled[name] = await self.pipelines[name].run()

    async def scan(self) -> None:
        """Scan regularly, whatever the sinks do."""
        while len(self.settled) < len(self.pipelines):
            await asyncio.sleep(self.world.plan.scan_s)
            self.descriptors.scan(self.loop.time(), self.world.wall())
            for pipeline in self.pipelines.values():
                pipeline.scanned()

    def stop(self, grace_s: float) -> None:
        """What a signal does."""
        self.world.oracle.stops += 1
        for pipeline in self.pipelines.values():
            pipeline.stop(self.loop.time() + grace_s)

    def live(self, is_over: Callable[[], bool]) -> None:
        """Run until `is_over`, until the process is killed or until it ends by itself."""
        world = self.world
        if self.main is None:
            self.main = self.loop.create_task(self.run())
        main, limit = self.main, world.clock.now + LIFE_MAX_S

        def until() -> bool:
            world.oracle.step()
            return main.done() or world.is_dead or is_over() or world.clock.now > limit

        self.loop.drive(until)
        if main.done() and not world.is_dead:
            main.result()
        if self.loop.faults:
            raise Broken(f"a task ended unseen: {self.loop.faults}")
        if world.clock.now > limit:
            raise Broken("a process never ended")

    def end(self) -> None:
        """The process is gone: what it had in memory, on the wire and half written."""
        world = self.world
        world.is_dead = True
        for sink in world.sinks.values():
            sink.crash()
        world.network.crash()
        self.fs.settle_crash()
        self.fs.crash()
        world.oracle.ended()
        self.bury()

    def bury(self) -> None:
        """Take the dead process's tasks apart, where nothing has an effect any more."""
        if self.loop.is_closed():
            return
        self.world.is_dead = True
        clock = self.loop.clock
        now, plans = clock.now, clock._plans
        clock._plans = []
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        steps = self.loop.steps + LIMBO_STEPS
        self.loop.drive(lambda: all(t.done() for t in tasks) or self.loop.steps > steps)
        if not all(task.done() for task in tasks):
            raise Broken(f"tasks that can't be cancelled: {[t for t in tasks if not t.done()]}")
        for task in tasks:
            if not task.cancelled():
                task.exception()
        self.loop.close()
        clock.now, clock._plans = now, plans
