"""A sink with a script and a gate, and a codec that judges as it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from logagent.codecs.ndjson import NdjsonCodec
from logagent.codecs.wrapping import bare_document, unwrap_document, wrap_document
from logagent.core.chunk import Reply, Request, Verdict
from logagent.core.deadletter import DeadLetter, encode


class ScriptedSink:
    """`ports.Sink` that answers 200, or what `replies` says next, to as many requests as it lets
    through."""

    def __init__(self, *, allowed: int = 1 << 30) -> None:
        self.requests: list[Request] = []
        """All that arrived, let through or not."""
        self.times: list[float] = []
        """The loop's time at each arrival."""
        self.replies: deque[Reply] = deque()
        self.refreshes = 0
        self.closed = False
        self._allowed = allowed
        self._opened = asyncio.Condition()

    async def allow(self, count: int) -> None:
        """Let `count` requests more through."""
        async with self._opened:
            self._allowed += count
            self._opened.notify_all()

    async def send(self, request: Request) -> Reply:
        """See `ports.Sink.send`."""
        self.requests.append(request)
        self.times.append(asyncio.get_running_loop().time())
        async with self._opened:
            await self._opened.wait_for(lambda: self._allowed > 0)
            self._allowed -= 1
        return self.replies.popleft() if self.replies else Reply(200)

    async def refresh(self) -> None:
        """See `ports.Sink.refresh`."""
        self.refreshes += 1

    async def close(self) -> None:
        """See `ports.Sink.close`."""
        self.closed = True

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of all requests."""
        return [request.body for request in self.requests]


def take_all(request: Request) -> Verdict:
    """Every row is delivered."""
    return Verdict("done", delivered=request.rows)


class ScriptedCodec(NdjsonCodec):
    """Plain NDJSON whose verdicts are those of `verdicts`, then what `script` says."""

    def __init__(self) -> None:
        super().__init__()
        self.verdicts: deque[Verdict] = deque()
        self.script: Callable[[Request], Verdict] = take_all

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """The next verdict."""
        return self.verdicts.popleft() if self.verdicts else self.script(request)

    def wrap(self, row: bytes, metadata: bytes, *, kind: str, now: str) -> bytes:
        """See `Wrapper.wrap`."""
        return wrap_document(self.document(row), metadata, kind=kind, now=now) + b"\n"

    def bare(self, row: bytes) -> bytes:
        """See `Wrapper.bare`."""
        return bare_document(self.document(row)) + b"\n"

    def unwrap(self, row: bytes) -> bytes:
        """See `Wrapper.unwrap`."""
        return unwrap_document(self.document(row))

    def to_dead(self, letter: DeadLetter) -> bytes:
        """See `Burier.to_dead`."""
        return encode([letter])
