"""How a pipeline stops: to the end, in time, and without pretending."""

from __future__ import annotations

import asyncio
import errno

import pytest

from tests.fakes.loop import run
from tests.fakes.pumping import Pump
from tests.fakes.tailing import ROOT
from tests.test_pipeline import SMALL, A, numbered


def test_a_stop_reads_to_the_end_delivers_and_commits() -> None:
    """Also what no scan has seen before the stop: grown and new files; nothing lingers."""
    pump = Pump(settings=SMALL)
    pump.fs.put(A, numbered(0, 5000))

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with pump.running() as task:
            await asyncio.sleep(0)
            pump.fs.append(A, numbered(5000, 5001))
            pump.fs.put(f"{ROOT}/b.log", numbered(9000, 9001))
            started = loop.time()
        assert task.result()
        assert loop.time() - started < 0.1

    run(scenario())
    assert sorted(pump.sent().splitlines()) == (numbered(0, 5001) + numbered(9000, 9001)).split()
    assert sorted(g.position.offset for g in pump.durable()) == [32, 5001 * 32]


def test_last_lines_go_out_and_the_cursor_stays() -> None:
    """What has no newline is sent, marked; it is no lag, and the whole line is sent next time."""
    pump = Pump()
    pump.fs.put(A, b"one\ntw")
    pump.fs.put(f"{ROOT}/b.log", b"half")

    async def scenario(pump: Pump) -> bool:
        async with pump.running() as task:
            await asyncio.sleep(3)
        return task.result()

    assert run(scenario(pump))
    assert sorted(pump.sent().split()) == [b"one", b"partialhalf", b"partialtw"]
    assert sorted(g.position.offset for g in pump.durable()) == [0, 4]
    again = Pump(pump.fs)
    pump.fs.append(A, b"o\n")
    assert run(scenario(again))
    assert sorted(again.sent().split()) == [b"partialhalf", b"two"]


def test_the_deadline_leaves_the_rest_unsettled() -> None:
    """A sink that takes one batch and no more: at the deadline that one is committed, the others
    aren't, the sends are cancelled, and the answer is that something is left."""
    pump = Pump(settings=SMALL, allowed=1)
    pump.fs.put(A, numbered(0, 2048 * 8))

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with pump.running(grace_s=10) as task:
            await asyncio.sleep(1)
            started = loop.time()
        assert not task.result()
        assert 9 <= loop.time() - started <= 10

    run(scenario())
    assert pump.settled() == 2048 * 32
    assert pump.ledger.open_rows > 0
    assert pump.pipeline.lag_bytes() == 7 * 2048 * 32


def test_the_next_start_sends_what_a_deadline_left() -> None:
    """Nothing between the last settled byte and the end is missing in the next life."""
    pump = Pump(settings=SMALL, allowed=3)
    pump.fs.put(A, numbered(0, 2048 * 6 + 7))

    async def scenario(pump: Pump, grace_s: float) -> None:
        async with pump.running(grace_s):
            await asyncio.sleep(1)

    run(scenario(pump, 3))
    assert pump.settled() == 3 * 2048 * 32
    again = Pump(pump.fs, SMALL)
    run(scenario(again, 25))
    assert again.sent() == numbered(3 * 2048, 2048 * 6 + 7)


def test_a_deadline_that_is_past_commits_what_is_settled() -> None:
    """With no time left at all the last commit is still made."""
    pump = Pump(settings=SMALL, allowed=1)
    pump.fs.put(A, numbered(0, 2048 * 4))

    async def scenario() -> None:
        async with pump.running(grace_s=0) as task:
            await asyncio.sleep(0.5)
        assert not task.result()

    run(scenario())
    assert pump.settled() == 2048 * 32


def test_a_second_stop_moves_the_deadline_forward() -> None:
    """Whoever asks again, with less time, is heard within a moment, while sends are waited for
    and while reading waits for a slot."""
    for batches in (1, 8):
        pump = Pump(settings=SMALL, allowed=0)
        pump.fs.put(A, numbered(0, 2048 * batches))

        async def scenario(pump: Pump) -> None:
            loop = asyncio.get_running_loop()
            async with pump.running(grace_s=0) as task:
                await asyncio.sleep(1)
                pump.stop(3600)
                await asyncio.sleep(60)
                assert not task.done()
                started = loop.time()
            assert not task.result()
            assert loop.time() - started <= 0.5

        run(scenario(pump))


def test_the_last_commit_may_fail() -> None:
    """A full disk at a stop is loud; the process ends all the same."""
    pump = Pump()
    pump.fs.put(A, b"one\n")

    async def scenario() -> None:
        async with pump.running() as task:
            await asyncio.sleep(3)
            pump.fs.append(A, b"two\n")
            pump.fs.slot_error = OSError(errno.ENOSPC, "No space left on device")
        assert task.done()

    run(scenario())
    assert pump.sent() == b"one\ntwo\n"
    assert pump.settled() == 4
    assert pump.pipeline.stuck
    assert pump.log.of("positions aren't durable")


def test_an_empty_pipeline_stops_at_once() -> None:
    """No file, no line: all that was there is settled."""
    pump = Pump()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with pump.running() as task:
            pass
        assert task.result()
        assert loop.time() - started <= 0.1

    run(scenario())


def test_a_bug_in_a_send_ends_the_pipeline() -> None:
    """An assertion isn't swallowed: `run` raises it, nothing is left running, nothing more is
    settled."""
    pump = Pump()
    pump.fs.put(A, b"one\n")

    def bug(_: object) -> None:
        raise AssertionError("our bug")

    pump.codec.script = bug  # type: ignore[assignment]  # it raises

    async def scenario() -> int:
        pump.pipeline.load()
        with pytest.raises(ExceptionGroup) as caught:
            await pump.pipeline.run()
        assert caught.group_contains(AssertionError, match="our bug")
        return len(asyncio.all_tasks())

    assert run(scenario()) == 1
    assert pump.settled() == 0
