"""One output's pump: what is read arrives once, back-pressure stops reading to the chunk."""

from __future__ import annotations

import asyncio
import errno

from msgspec.structs import replace

from logagent.core.chunk import Reply, Verdict
from tests.fakes.loop import run
from tests.fakes.pumping import PLAIN, Pump
from tests.fakes.tailing import ROOT, SETTINGS

A = f"{ROOT}/a.log"
SMALL = replace(SETTINGS, chunk_bytes=16 << 10)
CHUNK = 16 << 10


def numbered(start: int, end: int) -> bytes:
    """Lines of 32 bytes: 512 of them are a chunk of SMALL, 2048 a batch of PLAIN."""
    return b"".join(b"%031d\n" % n for n in range(start, end))


def test_lines_arrive_once_and_in_order() -> None:
    """What is there, what is appended, what comes: all of it, settled and committed."""
    pump = Pump()
    pump.fs.put(A, numbered(0, 100))

    async def scenario() -> None:
        async with pump.running() as task:
            await asyncio.sleep(3)
            assert pump.sent() == numbered(0, 100)
            assert pump.settled() == 3200
            pump.fs.append(A, numbered(100, 101))
            await asyncio.sleep(3)
            assert pump.sent() == numbered(0, 101)
        assert task.result()

    run(scenario())
    assert pump.bound == [A.encode()]
    assert pump.metrics.cell("rendered_rows_total", "app", "out").value == 101


def test_a_batch_waits_for_more_lines_and_no_longer() -> None:
    """A few lines are sent when the linger is over; a full batch at once."""
    pump = Pump(settings=SMALL)
    pump.fs.put(A, numbered(0, 2048 + 10))

    async def scenario() -> None:
        start = asyncio.get_running_loop().time()
        async with pump.running():
            await asyncio.sleep(5)
        assert [request.rows for request in pump.sink.requests] == [2048, 10]
        first, second = (round(time - start, 2) for time in pump.sink.times)
        assert (first, second) == (0, 1)

    run(scenario())


def test_back_pressure_stops_reading_at_an_exact_count() -> None:
    """The sink takes nothing: as many batches as there are slots are in flight, one more is filled,
    and not a chunk more is read, for hours; each batch that it takes lets one more be read."""
    pump = Pump(settings=SMALL, allowed=0)
    pump.fs.put(A, numbered(0, 2048 * 8))
    read = pump.metrics.cell("read_bytes_total", "app", "out")
    seen: list[tuple[int, float]] = []

    async def scenario() -> None:
        async with pump.running():
            for _ in range(3):
                await asyncio.sleep(7200)
                seen.append((len(pump.sink.requests), read.value / CHUNK))
                await pump.sink.allow(1)
            assert pump.pipeline.status()["batches_in_flight"] == 2
            await pump.sink.allow(99)

    run(scenario())
    assert seen == [(2, 12), (3, 16), (4, 20)]
    assert pump.metrics.cell("backpressure_seconds_total", "out").value == 3 * 7200
    assert pump.sent() == numbered(0, 2048 * 8)


def test_congestion_takes_slots_away() -> None:
    """While replies say "too busy", fewer batches are in flight than there are slots."""
    pump = Pump(settings=SMALL, plain=replace(PLAIN, slots=4), allowed=0)
    pump.fs.put(A, numbered(0, 2048 * 16))
    pump.sink.replies.extend([Reply(429)] * 4)
    pump.codec.verdicts.extend([Verdict("again", why="busy")] * 4)

    async def scenario() -> None:
        async with pump.running():
            await asyncio.sleep(1)
            assert len(pump.sink.requests) == 4
            await pump.sink.allow(4)
            await asyncio.sleep(60)
            assert pump.concurrency.limit == 1
            await pump.sink.allow(3)
            await asyncio.sleep(60)
            in_flight = pump.pipeline.status()["batches_in_flight"]
            assert isinstance(in_flight, int)
            assert in_flight <= 2
            await pump.sink.allow(999)

    run(scenario())
    assert pump.pipeline.lag_bytes() == 0


def test_nothing_is_sent_before_the_first_commit() -> None:
    """As long as the disk doesn't answer, a new file's lines stay here; then they go."""
    pump = Pump()
    pump.fs.put(A, b"line\n")

    async def scenario() -> None:
        pump.disk.clear()
        async with pump.running():
            await asyncio.sleep(3600)
            assert pump.sink.requests == []
            pump.disk.set()
            await asyncio.sleep(2)
            assert pump.sent() == b"line\n"

    run(scenario())


def test_a_full_disk_holds_new_files_and_no_others() -> None:
    """A file that a commit knows is delivered on; a new one waits, without hammering the disk, and
    flows when there is room."""
    pump = Pump()
    pump.fs.put(A, b"one\n")

    async def scenario() -> None:
        async with pump.running():
            await asyncio.sleep(3)
            pump.fs.slot_error = OSError(errno.ENOSPC, "No space left on device")
            pump.fs.append(A, b"two\n")
            pump.fs.put(f"{ROOT}/b.log", b"new\n")
            pump.look()
            before = len(pump.fs.slot_writes)
            await asyncio.sleep(60)
            assert pump.sent() == b"one\ntwo\n"
            assert pump.pipeline.stuck
            assert len(pump.fs.slot_writes) - before <= 2 * 60 + 2
            pump.fs.slot_error = None
            await asyncio.sleep(3)
            assert pump.sent() == b"one\ntwo\nnew\n"
            assert not pump.pipeline.stuck

    run(scenario())


def test_blank_lines_are_no_rows() -> None:
    """A chunk without rows settles by itself; nothing is sent for it, and the cursor moves."""
    pump = Pump()
    pump.fs.put(A, b"\n\n\n")

    async def scenario() -> None:
        async with pump.running():
            await asyncio.sleep(3)
            assert pump.settled() == 3

    run(scenario())
    assert pump.sink.requests == []
    assert pump.metrics.cell("filtered_rows_total", "app", "out").value == 3


def test_a_chunk_that_is_too_dense_goes_in_parts() -> None:
    """A renderer that can't take a whole chunk gets less of it, and every line arrives once."""
    pump = Pump(settings=SMALL, rows_max=100)
    pump.fs.put(A, numbered(0, 1000))

    async def scenario() -> None:
        async with pump.running():
            await asyncio.sleep(5)

    run(scenario())
    assert pump.sent() == numbered(0, 1000)
    assert pump.settled() == 32_000


def test_gauges_and_status() -> None:
    """What is behind, what is in flight, and why, as metrics and as the status page."""
    pump = Pump(settings=SMALL, allowed=0)
    pump.fs.put(A, numbered(0, 2048))

    async def scenario() -> None:
        async with pump.running():
            await asyncio.sleep(2)
            pump.pipeline.measure(asyncio.get_running_loop().time())
            status = pump.pipeline.status()
            assert (status["rows_unsettled"], status["lag_bytes"]) == (2048, 65_536)
            assert (status["slots"], status["trouble"]) == (2, "")
            await pump.sink.allow(9)

    run(scenario())
    cell = pump.metrics.cell
    assert cell("lag_bytes", "app", "out").value == 65_536
    assert cell("batches_in_flight", "out").value == 1
    assert cell("slots", "out").value == 2


def test_inputs_take_turns() -> None:
    """One input's backlog doesn't keep another input's lines waiting for its end."""
    second = replace(SMALL, input="second")
    pump = Pump.with_inputs(SMALL, second)
    pump.fs.put(A, numbered(0, 2048 * 4))
    pump.fs.put(f"{ROOT}/b.out", b"x" * 31 + b"\n")

    async def scenario() -> None:
        async with pump.running():
            await asyncio.sleep(3)

    run(scenario())
    assert b"x" * 31 in pump.sink.bodies[0]
