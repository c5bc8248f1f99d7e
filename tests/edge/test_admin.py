"""The admin endpoint: its routes, and its limits against whoever shares the network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from logagent.edge import admin
from logagent.edge.admin import CONNECTIONS_MAX, HEADER_BYTES_MAX, AdminServer, Answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

calls: list[str] = []


def live() -> Answer:
    """Say that it lives."""
    return 200, "text/plain", b"ok\n"


def reload() -> Answer:
    """Note that it was called."""
    calls.append("reload")
    return 202, "text/plain", b"soon\n"


def serve(check: Callable[[int], Awaitable[None]]) -> None:
    """Run `check` against a server on a free port."""

    async def main() -> None:
        server = AdminServer(get={"/livez": live}, post={"/-/reload": reload})
        port = await server.start("127.0.0.1", 0)
        try:
            await check(port)
        finally:
            await server.close()
            await asyncio.sleep(0.01)  # aborted sockets close in the next turns

    asyncio.run(main())


async def say(port: int, data: bytes) -> bytes:
    """Everything the server answers to these bytes until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_routes() -> None:
    """GET, HEAD and POST reach their routes, queries are ignored, the rest is 404 or 405."""

    async def check(port: int) -> None:
        for start, status, ends in (
            (b"GET /livez", b"200", b"ok\n"),
            (b"GET /livez?verbose=1", b"200", b"ok\n"),
            (b"HEAD /livez", b"200", b"\r\n\r\n"),
            (b"POST /-/reload", b"202", b"soon\n"),
            (b"GET /-/reload", b"405", b"not allowed\n"),
            (b"POST /livez", b"405", b"not allowed\n"),
            (b"DELETE /livez", b"405", b"not allowed\n"),
            (b"GET /nowhere", b"404", b"not found\n"),
            (b"GET /livez/../livez", b"404", b"not found\n"),
        ):
            reply = await say(port, start + b" HTTP/1.1\r\nhost: x\r\n\r\n")
            assert reply.split(b" ")[1] == status
            assert reply.endswith(ends)
            assert b"connection: close" in reply.lower()

    calls.clear()
    serve(check)
    assert calls == ["reload"]


def test_what_is_not_http_is_refused() -> None:
    """Rubbish, a body, and endless headers get an error and no more."""

    async def check(port: int) -> None:
        assert b" 400 " in await say(port, b"rubbish\r\n\r\n")
        long = b"GET /livez HTTP/1.1\r\nhost: x\r\nx: " + b"y" * (HEADER_BYTES_MAX + 10)
        assert b" 431 " in await say(port, long)
        body = b"POST /-/reload HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n"
        assert b" 413 " in await say(port, body)

    calls.clear()
    serve(check)
    assert calls == []


def test_a_slow_request_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever doesn't finish a request in time loses the connection."""
    monkeypatch.setattr(admin, "READ_S", 0.1)

    async def check(port: int) -> None:
        assert await say(port, b"GET /livez HTT") == b""

    serve(check)


def test_connections_are_bounded() -> None:
    """One connection too many is cut at once; when others have gone, new ones are served."""

    async def check(port: int) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS_MAX)]
        request = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
        held[0][1].write(request)
        assert (await held[0][0].read()).endswith(b"ok\n")
        held.append(await asyncio.open_connection("127.0.0.1", port))
        assert await say(port, request) == b""
        for _, writer in held:
            writer.close()
        for _ in range(1000):
            if (await say(port, request)).endswith(b"ok\n"):
                return
        pytest.fail("no connection was given back")

    serve(check)


def test_a_taken_port_is_an_oserror() -> None:
    """A port that somebody has is for the caller to be loud about."""

    async def check(port: int) -> None:
        second = AdminServer(get={}, post={})
        with pytest.raises(OSError, match="in use"):
            await second.start("127.0.0.1", port)
        await second.close()

    serve(check)
