"""A plain HTTP client for the receiver's tests: one connection, one request at a time."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Self

import orjson
from isal import isal_zlib

from logagent.demo.server import Receiver

FILTER = (
    "filter_path=errors,took,items.*.status,items.*.error.type,items.*.error.reason,"
    "items.*.failure_store"
)
NDJSON = {"content-type": "application/x-ndjson"}


class Got(NamedTuple):
    """A reply. `status` 0 = the connection ended before a whole one was there."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """The decoded body."""
        value = orjson.loads(self.body)
        assert isinstance(value, dict)
        return value

    def item_statuses(self) -> list[int]:
        """The status of each item of a bulk reply."""
        return [item["create"]["status"] for item in orjson.loads(self.body)["items"]]


class Client:
    """A connection to a receiver; use it inside `async with`."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._tls = tls

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=self._tls
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Got:
        """Send one request and read its reply."""
        lines = [f"{method} {path} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        return await self.read()

    async def bulk(
        self, body: bytes, *, path: str = f"/app/_bulk?{FILTER}", gzip: bool = False
    ) -> Got:
        """Send a bulk body."""
        if not gzip:
            return await self.ask("POST", path, body, NDJSON)
        headers = {**NDJSON, "content-encoding": "gzip"}
        return await self.ask("POST", path, isal_zlib.compress(body, 1, 31), headers)

    async def read(self) -> Got:
        """Read one reply."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {}
            for line in head[1:-2]:
                name, _, value = line.partition(": ")
                headers[name.lower()] = value
            status = int(head[0].split()[1])
            if headers.get("transfer-encoding") == "chunked":
                body = b""
                while size := int(await self.reader.readline(), 16):
                    body += await self.reader.readexactly(size)
                    await self.reader.readline()
                await self.reader.readline()
                return Got(status, headers, body)
            return Got(
                status, headers, await self.reader.readexactly(int(headers["content-length"]))
            )
        except (asyncio.IncompleteReadError, ConnectionError):
            return Got(0, {}, b"")


def rows(*documents: str | bytes, ids: Sequence[str] = ()) -> bytes:
    """A bulk body of `create` rows."""
    lines = []
    for at, document in enumerate(documents):
        lines.append(orjson.dumps({"create": {"_id": ids[at]} if ids else {}}))
        lines.append(document.encode() if isinstance(document, str) else document)
    return b"".join(line + b"\n" for line in lines)


def play(receiver: Receiver, scenario: Callable[[Receiver, Client], Awaitable[None]]) -> None:
    """Run a scenario against a listening receiver, within 20 s."""

    async def run() -> None:
        async with asyncio.timeout(20), receiver, Client(receiver.port) as client:
            await scenario(receiver, client)

    asyncio.run(run())
