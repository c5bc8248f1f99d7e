"""A sink that sends each part of a request alone."""

from __future__ import annotations

import asyncio

from logagent.core.chunk import Reply, Request
from logagent.edge.parts import PartsSink


class Scripted:
    """A sink with replies to give, that remembers what it was asked."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.sent: list[bytes] = []
        self.calls: list[str] = []

    async def send(self, request: Request) -> Reply:
        """See ports.Sink."""
        self.sent.append(request.body)
        return Reply(self.statuses.pop(0))

    async def refresh(self) -> None:
        """See ports.Sink."""
        self.calls.append("refresh")

    async def close(self) -> None:
        """See ports.Sink."""
        self.calls.append("close")


def letters(request: Request) -> list[Request]:
    """A request for each byte."""
    return [Request(bytes([code]), 1, 1, gzipped=False) for code in request.body]


def send(inner: Scripted, body: bytes) -> Reply:
    """The reply to a request of these letters."""
    sink = PartsSink(inner, letters, lambda _, reply: reply.status == 204)
    return asyncio.run(sink.send(Request(body, len(body), len(body), gzipped=False)))


def test_all_taken_is_the_last_reply() -> None:
    """Each part is sent once, in order."""
    inner = Scripted(204, 204, 204)
    assert send(inner, b"abc") == Reply(204)
    assert inner.sent == [b"a", b"b", b"c"]
    alone = Scripted(429)
    assert send(alone, b"a") == Reply(429)


def test_the_first_refusal_is_the_reply() -> None:
    """Nothing behind it is sent."""
    inner = Scripted(204, 429)
    assert send(inner, b"abc") == Reply(429)
    assert inner.sent == [b"a", b"b"]


def test_the_rest_is_passed_on() -> None:
    """Secrets and connections are the other sink's."""
    inner = Scripted()
    sink = PartsSink(inner, letters, lambda _, __: True)
    asyncio.run(sink.refresh())
    asyncio.run(sink.close())
    assert inner.calls == ["refresh", "close"]
