"""A proxy in front of a server that can fail: refuse, swallow everything, trickle.

Knows TCP connections and nothing of what travels on them. It runs on a thread of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal

Mode = Literal["pass", "refuse", "hole", "trickle"]
"""pass: as if it weren't there. refuse: nobody listens. hole: connections are taken, and what they
bring is read and never answered. trickle: one byte a second, each way."""

PIECE: Final = 64 << 10


class Proxy:
    """A port that leads to another one, in some mode."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._mode: Mode = "pass"
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        """Listen, on a free port."""
        self._thread.start()
        self._call(self._listen())

    def become(self, mode: Mode) -> None:
        """Change the mode. Connections that are open break."""
        self._call(self._become(mode))

    def stop(self) -> None:
        """Break all connections and listen no longer."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, what: object) -> None:
        assert asyncio.iscoroutine(what)
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self._server = server
        self.port = server.sockets[0].getsockname()[1]

    async def _become(self, mode: Mode) -> None:
        await self._close()
        self._mode = mode
        if mode != "refuse":
            await self._listen()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            self._connections.discard(task)
            # At once, and with what is unsent thrown away: a server that died says no good-bye.
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "hole":
            while await reader.read(PIECE):
                pass
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, back))
                group.create_task(self._copy(there, writer))
        except* OSError:
            pass
        finally:
            back.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        slow = self._mode == "trickle"
        while data := await source.read(1 if slow else PIECE):
            target.write(data)
            await target.drain()
            if slow:
                await asyncio.sleep(1)
        target.write_eof()


@contextmanager
def proxied(target: int) -> Iterator[Proxy]:
    """A proxy to a port of this machine, for as long as the block lasts."""
    proxy = Proxy(target)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
