"""The stdout sink: a thread of its own writes, so a reader that stops reading stops nothing else.

Knows a descriptor. Must not know what the bytes mean.
"""

import asyncio
import os
import select
import threading
from queue import SimpleQueue
from typing import NamedTuple

from logagent.core.chunk import Reply, Request


class _Job(NamedTuple):
    body: bytes
    loop: asyncio.AbstractEventLoop
    waiter: "asyncio.Future[Reply]"


class StdoutSink:
    """`ports.Sink` that writes bodies to a descriptor, one after the other.

    A full pipe makes `send` wait for as long as it is full. A cancelled `send` is still written
    if its turn comes. A reader that is gone is a fault.
    """

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def send(self, request: Request) -> Reply:
        """See `ports.Sink.send`."""
        assert not request.gzipped  # people and other programs read this
        if self._thread is None:
            # A daemon: a pipe that nobody reads must not keep the process alive.
            self._thread = threading.Thread(target=self._run, name="stdout", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Reply] = loop.create_future()
        self._jobs.put(_Job(request.body, loop, waiter))
        return await waiter

    async def refresh(self) -> None:
        """Nothing to read again."""

    async def close(self) -> None:
        """End the thread when it is done with what it has; nobody waits for it."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread = None

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            reply = self._write(job.body)
            try:
                job.loop.call_soon_threadsafe(_answer, job.waiter, reply)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

    def _write(self, body: bytes) -> Reply:
        done = 0
        with memoryview(body) as view:
            while done < len(body):
                try:
                    done += os.write(self._fd, view[done:])
                except BlockingIOError:
                    # Somebody who shares our pipe made it non-blocking.
                    poll = select.poll()
                    poll.register(self._fd, select.POLLOUT)
                    poll.poll()
                except OSError as error:
                    return Reply(0, fault=f"writing stdout: {error.strerror}", sent=done > 0)
        return Reply(200, sent=True)


def _answer(waiter: "asyncio.Future[Reply]", reply: Reply) -> None:
    if not waiter.done():
        waiter.set_result(reply)
