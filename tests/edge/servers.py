"""Small servers on loopback that answer well, oddly, or not at all. No tests in here."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Heard(NamedTuple):
    """A request as it came: start line and headers in lower case, and the body."""

    start: bytes
    headers: dict[bytes, bytes]
    body: bytes


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def hear(self) -> Heard:
        """Read a whole request; IncompleteReadError when the client has gone."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        start, *lines = head[:-4].split(b"\r\n")
        pairs = (line.partition(b":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await self.reader.readexactly(int(headers.get(b"content-length", b"0")))
        return Heard(start, headers, body)

    async def say(self, data: bytes) -> None:
        """Write bytes and see them off."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Close with an RST: linger on, for no time."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Served:
    """A running server."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def serving(
    script: Callable[[Peer], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Served]:
    """A server that runs `script` for each connection and closes it afterwards."""
    served = Served()
    ended: list[asyncio.Task[None]] = []

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ended.append(task)
        served.connections += 1
        served.writers.append(writer)
        # A cancelled handler ends quietly: Python 3.11's streams log it as an error otherwise.
        quiet = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*quiet):
            await script(Peer(reader, writer))
        writer.close()

    server = await asyncio.start_server(run, "127.0.0.1", 0, ssl=tls)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in ended:
            task.cancel()
        for writer in served.writers:
            writer.transport.abort()
        if ended:
            await asyncio.wait(ended)
        for _ in range(3):  # aborted transports close their sockets in the next turns
            await asyncio.sleep(0)


async def polite(peer: Peer) -> None:
    """Answer each request with 200, for as long as they come."""
    while True:
        await peer.hear()
        await peer.say(OK)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
