"""The stdout sink on a pipe: whole bodies, no stall for others, no crash without a reader."""

from __future__ import annotations

import asyncio
import os

from logagent.core.chunk import Request
from logagent.edge.stdout import StdoutSink


def request(body: bytes) -> Request:
    """One body."""
    return Request(body, 1, len(body), gzipped=False)


def test_bodies_are_written_in_order() -> None:
    """What is sent at once arrives whole and one after the other."""
    source, target = os.pipe()
    sink = StdoutSink(target)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(sink.send(request(b"%d\n" % n))) for n in range(9)]
        assert [task.result().status for task in tasks] == [200] * 9
        await sink.refresh()
        await sink.close()

    asyncio.run(main())
    os.close(target)
    assert os.read(source, 999) == b"".join(b"%d\n" % n for n in range(9))
    os.close(source)


def test_a_full_pipe_stalls_only_its_own_send() -> None:
    """While nobody reads, `send` waits and the loop runs on; once somebody does, all arrives, also
    through a pipe that somebody has made non-blocking."""
    for blocking in (True, False):
        source, target = os.pipe()
        os.set_blocking(target, blocking)
        sink = StdoutSink(target)
        body = b"x" * 300_000 + b"\n"

        async def main(sink: StdoutSink, source: int, body: bytes) -> None:
            task = asyncio.create_task(sink.send(request(body)))
            done, _ = await asyncio.wait([task], timeout=0.1)
            assert not done
            received = b""
            while len(received) < len(body):
                received += await asyncio.to_thread(os.read, source, 1 << 16)
            assert received == body
            assert (await task).status == 200
            await sink.close()

        asyncio.run(main(sink, source, body))
        os.close(source)
        os.close(target)


def test_a_reader_that_left_is_a_fault() -> None:
    """A broken pipe is a value, for each send, and the thread lives on."""
    source, target = os.pipe()
    os.close(source)
    sink = StdoutSink(target)

    async def main() -> None:
        for _ in range(2):
            reply = await sink.send(request(b"x\n"))
            assert (reply.status, reply.sent) == (0, False)
            assert reply.fault == "writing stdout: Broken pipe"
        await sink.close()

    asyncio.run(main())
    os.close(target)


def test_a_cancelled_send_harms_nobody() -> None:
    """A send cancelled while it waits is forgotten; the next one is answered."""
    source, target = os.pipe()
    sink = StdoutSink(target)

    async def main() -> None:
        task = asyncio.create_task(sink.send(request(b"a" * 100_000 + b"\n")))
        await asyncio.wait([task], timeout=0.05)
        task.cancel()
        await asyncio.wait([task])
        second = asyncio.create_task(sink.send(request(b"end\n")))
        received = b""
        while not received.endswith(b"end\n"):
            received += await asyncio.to_thread(os.read, source, 1 << 16)
        assert (await second).status == 200
        await sink.close()

    asyncio.run(main())
    os.close(source)
    os.close(target)
