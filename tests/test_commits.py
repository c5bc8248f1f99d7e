"""Commits: when they are made, what a failed one leaves, what a start makes of damage."""

from __future__ import annotations

import asyncio
import errno

from tests.fakes.loop import run
from tests.fakes.pumping import Pump
from tests.fakes.tailing import ROOT

A = f"{ROOT}/a.log"
FULL = OSError(errno.ENOSPC, "No space left on device")


def ready(count: int = 1) -> Pump:
    """A pump whose file has been found, with its first event guarded."""
    pump = Pump()
    pump.fs.put(A, b"line\n" * count)
    pump.scan()
    assert pump.tail.waits_for_commit(pump.now)
    return pump


def settle_one(pump: Pump) -> None:
    """Read, take and settle one chunk."""
    chunk = pump.next_chunk()
    assert chunk is not None


def test_a_commit_makes_positions_durable() -> None:
    """What a restart finds is what was settled; generations become readable by it."""
    pump = ready()

    async def scenario() -> None:
        assert await pump.commits.commit()

    run(scenario())
    assert pump.settled() == 0
    settle_one(pump)
    assert pump.settled() == 0
    run(scenario())
    assert pump.settled() == 5
    assert pump.metrics.cell("commits_total", "out").value == 2


def test_it_commits_each_interval_when_something_moved() -> None:
    """Nothing settled, nothing written; then once, at the next interval's end."""
    pump = ready()
    writes: list[int] = []

    async def scenario() -> None:
        await pump.commits.commit()
        async with asyncio.TaskGroup() as group:
            group.create_task(pump.commits.run(1.0))
            await asyncio.sleep(10)
            writes.append(len(pump.fs.slot_writes))
            settle_one(pump)
            await asyncio.sleep(10)
            writes.append(len(pump.fs.slot_writes))
            pump.commits.end()

    run(scenario())
    assert writes == [1, 2]
    assert pump.settled() == 5


def test_ending_waits_for_a_commit_under_way() -> None:
    """A write that has begun is never left behind: `run` returns after it."""
    pump = ready()

    async def scenario() -> None:
        await pump.commits.commit()
        settle_one(pump)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(pump.commits.run(1.0))
            pump.disk.clear()
            await asyncio.sleep(5)
            pump.commits.end()
            await asyncio.sleep(5)
            assert not task.done()
            assert pump.settled() == 0
            pump.disk.set()

    run(scenario())
    assert pump.settled() == 5


def test_commits_do_not_overlap() -> None:
    """A second one waits for the first, and takes what is settled by then."""
    pump = ready()

    async def scenario() -> None:
        await pump.commits.commit()
        pump.disk.clear()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(pump.commits.commit())
            await asyncio.sleep(1)
            settle_one(pump)
            second = group.create_task(pump.commits.commit())
            await asyncio.sleep(1)
            assert not first.done()
            assert not second.done()
            pump.disk.set()

    run(scenario())
    assert len(pump.fs.slot_writes) == 3
    assert pump.settled() == 5
    assert not pump.ledger.changed


def test_what_settles_during_a_commit_is_for_the_next() -> None:
    """It isn't in this one, so the ledger is still marked as changed afterwards."""
    pump = ready()

    async def scenario() -> None:
        await pump.commits.commit()
        pump.disk.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(pump.commits.commit())
            await asyncio.sleep(1)
            settle_one(pump)
            pump.disk.set()

    run(scenario())
    assert pump.settled() == 0
    assert pump.ledger.changed
    assert pump.tail.follower(1).committed.offset == 0


def test_a_full_disk_is_loud_and_loses_nothing() -> None:
    """False, an error with slot and reason, a counter; the last state holds; with room again all
    is made up for."""
    pump = ready()

    async def scenario() -> list[bool]:
        results = [await pump.commits.commit()]
        settle_one(pump)
        pump.fs.slot_error = FULL
        results.append(await pump.commits.commit())
        assert pump.commits.failing
        assert pump.commits.retry_at == asyncio.get_running_loop().time() + 1.0
        assert pump.ledger.changed
        assert pump.settled() == 0
        pump.fs.slot_error = None
        results.append(await pump.commits.commit())
        return results

    assert run(scenario()) == [True, False, True]
    assert not pump.commits.failing
    assert pump.settled() == 5
    assert pump.metrics.cell("checkpoint_failures_total", "out").value == 1
    (line,) = pump.log.of("positions aren't durable")
    assert (line.level, line.facts["why"]) == (
        "error",
        "writing /state/slot-1: No space left on device",
    )


def test_after_a_full_disk_it_commits_by_itself() -> None:
    """The interval goes on trying: two seconds after there is room again nothing is open."""
    pump = ready()

    async def scenario() -> None:
        await pump.commits.commit()
        settle_one(pump)
        pump.fs.slot_error = FULL
        async with asyncio.TaskGroup() as group:
            group.create_task(pump.commits.run(1.0))
            await asyncio.sleep(60.5)
            assert pump.commits.failing
            pump.fs.slot_error = None
            await asyncio.sleep(2)
            assert pump.settled() == 5
            pump.commits.end()

    run(scenario())


def test_the_age_of_the_checkpoint() -> None:
    """Zero while nothing is settled that isn't durable; else the time since it last was so."""
    pump = ready()
    ages: list[float] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        await pump.commits.commit()
        for seconds in (0, 30, 5):
            if seconds == 30:
                pump.commits.measure(loop.time())
                settle_one(pump)
            await asyncio.sleep(seconds)
            pump.commits.measure(loop.time())
            ages.append(pump.metrics.cell("checkpoint_age_seconds", "out").value)
        await pump.commits.commit()
        pump.commits.measure(loop.time())
        ages.append(pump.metrics.cell("checkpoint_age_seconds", "out").value)

    run(scenario())
    assert ages == [0, 30, 35, 0]


def test_a_start_says_what_was_damaged() -> None:
    """One bad slot is a warning and the other is used; two are an error, and all is read from its
    start: duplicates, no loss."""

    def start(damage: dict[str, bytes]) -> Pump:
        pump = ready()
        for _ in range(2):
            pump.commit()
        settle_one(pump)
        pump.commit()
        pump.fs.slots |= damage
        again = Pump(pump.fs)
        again.commits.load(again.table)
        return again

    pump = start({})
    assert pump.read_all() == []
    assert [line for line in pump.log.lines if line.level != "info"] == []
    pump = start({"/state/slot-1": b"bad"})
    assert pump.read_all() == []
    (line,) = pump.log.of("checkpoint was damaged, the other slot is used")
    assert line.facts["why"] == "/state/slot-1 is damaged"
    pump = start({"/state/slot-0": b"bad", "/state/slot-1": b"bad"})
    assert [chunk.data for chunk in pump.read_all()] == [b"line\n"]
    (line,) = pump.log.of("checkpoint is lost, all files are read from their start")
    assert line.level == "error"
