"""Runs seeds: `python -m tests.sim.run --seeds 0:500`, or `--seed 17 --verbose` to look at one.

A run is: processes that end as the plan says, then one that is left alone. When the app has written
everything the faults stop, and within a minute all must be there.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from typing import Final

from tests.sim.agent import Process
from tests.sim.loop import Deadlock, SimTask, VirtualClock
from tests.sim.outputs import KINDS, Kind
from tests.sim.plan import draw
from tests.sim.rows import Broken
from tests.sim.world import World

DRAIN_S: Final = 60.0
"""So long after the last fault everything must have arrived."""
IDLE_S: Final = 5.0
WAKEUPS_PER_S: Final = 50


@dataclass(frozen=True)
class Result:
    """What one seed came to. `failure` is "" when all invariants held."""

    seed: int
    failure: str
    marks: frozenset[str]
    moved: int
    """Lines that arrived at the output that got fewest."""
    digest: str
    virtual_s: float
    trace: list[str]
    kind: str = ""

    @property
    def command(self) -> str:
        """How to see this run again."""
        kind = f" --kind {self.kind}" if self.kind else ""
        return f"python -m tests.sim.run --seed {self.seed}{kind} --verbose"


def run_seed(seed: int, *, kind: Kind | None = None, verbose: bool = False) -> Result:
    """Run one seed. Never raises for what the agent does wrong. kind: see `plan.draw`."""
    SimTask.numbers = count()
    world = World(draw(seed, kind), VirtualClock(), verbose=verbose)
    failure = ""
    try:
        _run(world)
    except Exception as error:  # noqa: BLE001  whatever it is, it belongs to the seed
        failure = "\n".join(_leaves(error, verbose=verbose))
    if world.processes:
        world.processes[-1].bury()
    digest = blake2b("\n".join(world.trace).encode(), digest_size=16).hexdigest()
    return Result(
        seed=seed,
        failure=failure,
        marks=frozenset(world.marks),
        moved=world.oracle.moved(),
        digest=digest,
        virtual_s=world.clock.now,
        trace=world.trace,
        kind=kind or "",
    )


def _run(world: World) -> None:
    for ending in world.plan.endings:
        world.live(ending)
        process = Process(world)
        until = world.clock.now + ending.after_s
        steps = ending.at if ending.how == "step" else sys.maxsize
        process.live(lambda: world.clock.now >= until or process.loop.steps >= steps)  # noqa: B023
        stop = ending.how in {"stop", "short_stop"}
        if stop and not world.is_dead:
            process.stop(ending.grace_s)
            process.live(lambda: False)
            _check_stop(process, world, full=ending.how == "stop")
        elif not world.is_dead:
            world.kill("step" if ending.how == "step" else "time")
        process.end()
        world.clock.pass_to(world.clock.now + ending.down_s)
    _last_life(world)


def _last_life(world: World) -> None:
    world.live(None)
    process = Process(world)
    process.live(lambda: world.is_written)
    world.calm = True
    world.note("calm")
    found, until = world.clock.now + 2 * world.plan.scan_s, world.clock.now + DRAIN_S
    process.live(lambda: world.clock.now >= found)  # what faults kept from being opened
    process.live(lambda: world.clock.now >= until or _is_drained(process))
    if not _is_drained(process):
        left = {name: each.lag_bytes() for name, each in process.pipelines.items()}
        raise Broken(f"not drained {DRAIN_S} s after the last fault: {left} bytes left")
    sleeps, until = process.loop.sleeps, world.clock.now + IDLE_S
    process.live(lambda: world.clock.now >= until)
    wakeups = process.loop.sleeps - sleeps
    if wakeups > WAKEUPS_PER_S * IDLE_S * len(process.pipelines):
        raise Broken(f"{wakeups} wake-ups in {IDLE_S} idle seconds")
    process.stop(30.0)
    process.live(lambda: False)
    _check_stop(process, world, full=True)
    world.oracle.final_check()
    process.end()


def _is_drained(process: Process) -> bool:
    """Whether nothing is open and what isn't settled is last lines without newline."""
    tails = [tail for each in process.pipelines.values() for tail in each._sources]
    for pipeline in process.pipelines.values():
        if pipeline._ledger.open_rows or pipeline._open.rows or pipeline._sends:
            return False
    for source in tails:
        for follower in source.tail._followers.values():
            life = process.fs.fds[follower.held.fd].life
            if follower.committed.offset < (life.ends[-1] if life.ends else 0):
                return False
    return True


def _check_stop(process: Process, world: World, *, full: bool) -> None:
    """After an orderly stop: what it says about itself is true."""
    if world.is_dead:
        return
    world.mark("stopped")
    for name, settled in process.settled.items():
        if not settled:
            world.mark("stopped_with_rest")
        rest = [life for life in world.disk.lives if life.fragment and not life.gone]
        if full and world.calm and not settled and not rest:
            raise Broken(f"{name}: a stop without faults and with time left something behind")


def _leaves(error: BaseException, *, verbose: bool) -> Iterable[str]:
    """The exceptions in a group, as text."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each, verbose=verbose)
        return
    if isinstance(error, Broken | Deadlock) and not verbose:
        yield f"{type(error).__name__}: {error}"
    else:
        yield "".join(traceback.format_exception(error))


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", default="0:500")
    parser.add_argument("--kind", choices=[kind for kind, _ in KINDS], help="of all outputs")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--first", action="store_true", help="end at the first that fails")
    options = parser.parse_args()
    low, high = map(int, options.seeds.split(":"))
    seeds = range(low, high) if options.seed is None else [options.seed]
    started = time.process_time()
    marks: Counter[str] = Counter()
    failures = 0
    for seed in seeds:
        result = run_seed(seed, kind=options.kind, verbose=options.verbose)
        marks.update(result.marks)
        if result.failure:
            failures += 1
            print(f"seed {seed}: {result.failure}\n  to see it: {result.command}")
            if options.first:
                return 1
    took = time.process_time() - started
    for name, number in sorted(marks.items(), key=lambda item: item[1]):
        print(f"{100 * number / len(seeds):6.1f} %  {name}")
    print(f"{len(seeds)} seeds in {took:.1f} s of CPU time, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    gc.set_threshold(100_000, 50, 50)
    sys.exit(main())
