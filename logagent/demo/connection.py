"""One HTTP/1.1 connection of the receiver: bytes in, requests out, answers back, and the faults
that happen to bytes.

Knows framing by Content-Length, keep-alive and pipelining. Must not know routes, bulk bodies or
indices. Written by hand because it sits beside the agent in benchmarks: a body is received straight
into its own buffer, with a handful of system calls a megabyte.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple, Protocol
from urllib.parse import parse_qsl, unquote

from logagent.demo.faults import Fault

HEAD_BYTES_MAX: Final = 64 * 1024
"""Request line and headers. Elasticsearch allows 4 + 16 KiB; what is more gets 431."""

CHUNK_BYTES: Final = 64 * 1024
"""Size of a piece of a chunked reply."""


class Head(NamedTuple):
    """A request without its body. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    length: int


@dataclass(frozen=True)
class Answer:
    """A reply before framing. `close` ends the connection after it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False


class Handler(Protocol):
    """What a connection asks of the receiver."""

    chunked: bool
    """Frame replies in chunks, as Elasticsearch does, instead of by Content-Length."""

    def connected(self, connection: "Connection") -> None:
        """A client is there."""

    def disconnected(self, connection: "Connection") -> None:
        """It is gone."""

    def plan(self, head: Head) -> Fault | None:
        """The fault for this request, None for none."""

    def refuse_early(self, head: Head, fault: Fault | None) -> Answer | None:
        """An answer that needs no body (it is read and thrown away), None for the usual way."""

    def answer(self, head: Head, body: memoryview, fault: Fault | None) -> Answer:
        """Apply a request. `body` is only valid during the call."""


class HttpError(Exception):
    """A request that can't be understood: status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def parse_head(raw: bytes) -> Head:
    """Request line and headers, without the empty line. Raises HttpError."""
    lines = raw.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise HttpError(400, "malformed request line")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise HttpError(400, "malformed header")
        headers[name.lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise HttpError(411, "a Content-Length is needed")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise HttpError(400, "malformed Content-Length")
    path, _, query = words[1].partition("?")
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    return Head(words[0], unquote(path), pairs, headers, int(length))


def frame(answer: Answer, *, chunked: bool) -> tuple[bytes, bytes]:
    """The head of a reply, and its body as it goes over the wire."""
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    body = answer.body
    if chunked and body:
        lines.append("transfer-encoding: chunked")
        pieces = [body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        lines.append(f"content-length: {len(body)}")
    if answer.close:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body


class Connection(asyncio.BufferedProtocol):
    """One client. Requests are answered in order; while an answer is late nothing is read."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(HEAD_BYTES_MAX)
        self._buffered = 0
        self._body = bytearray()
        self._got = 0
        self._skip = 0
        """Bytes of a body that is answered already: they are thrown away as they come."""
        self._head: Head | None = None
        self._fault: Fault | None = None
        self._busy = False
        """An answer is owed (or never to come): incoming bytes wait."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._handler.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """See asyncio."""
        self._transport = None
        self._handler.disconnected(self)

    def abort(self) -> None:
        """Reset the connection."""
        if self._transport is not None:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (asyncio's signature)
        """Where the next bytes go: straight into the body when one is being received."""
        if self._skip:
            return memoryview(self._buffer)[: self._skip]
        if self._head is not None and not self._busy:
            return memoryview(self._body)[self._got : self._head.length]
        return memoryview(self._buffer)[self._buffered :]

    def buffer_updated(self, nbytes: int) -> None:
        """See asyncio."""
        if self._skip:
            self._skip -= nbytes
            if not self._skip:
                self._next()
        elif self._head is not None and not self._busy:
            self._got += nbytes
            self._received()
        else:
            self._buffered += nbytes
            if not self._busy:
                self._parse()

    def _parse(self) -> None:
        """Take one request from the buffer, if its head is complete."""
        end = self._buffer.find(b"\r\n\r\n", 0, self._buffered)
        if end < 0:
            if self._buffered == len(self._buffer):
                self._write(Answer(431, b"request head too large", close=True))
            return
        try:
            head = parse_head(bytes(self._buffer[:end]))
        except HttpError as error:
            self._write(Answer(error.status, error.reason.encode(), close=True))
            return
        surplus = bytes(self._buffer[end + 4 : self._buffered])
        mine, rest = surplus[: head.length], surplus[head.length :]
        # Same length on both sides: the loop still holds a view, which forbids resizing.
        self._buffer[: len(rest)] = rest
        self._buffered = len(rest)
        self._head, self._got = head, len(mine)
        self._begin(head, mine)

    def _begin(self, head: Head, mine: bytes) -> None:
        """A head is there, and `mine`, the start of its body."""
        self._fault = self._handler.plan(head)
        early = self._handler.refuse_early(head, self._fault)
        if early is not None:
            self._skip = head.length - len(mine)
            self._write(early)
            return
        if self._fault is not None and self._fault.do == "black_hole":
            self._wait()
            return
        if self._fault is not None and self._fault.do == "refuse":
            return  # the receiver resets every connection
        if len(self._body) < head.length:
            self._body = bytearray(head.length)
        self._body[: len(mine)] = mine
        if head.headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._received()

    def _received(self) -> None:
        """Some of the body is there."""
        head, fault = self._head, self._fault
        assert head is not None
        if fault is not None and fault.do == "cut_request":
            if self._got >= min(fault.bytes, head.length):
                self.abort()
            return
        if self._got < head.length:
            return
        with memoryview(self._body)[: head.length] as body:
            answer = self._handler.answer(head, body, fault)
        if head.headers.get("connection", "").lower() == "close":
            answer = Answer(answer.status, answer.body, answer.headers, close=True)
        if fault is None or fault.do not in {"delay", "lose_reply", "truncate_reply", "drip"}:
            self._write(answer)
        else:
            self._write_badly(answer, fault)

    def _write(self, answer: Answer) -> None:
        """Send an answer and go on with the next request."""
        if self._transport is None:
            return
        head, body = frame(answer, chunked=self._handler.chunked)
        if self._head is not None and self._head.method == "HEAD":
            body = b""
        self._transport.write(head + body)
        if answer.close:
            self._transport.close()
        elif not self._skip:
            self._next()

    def _write_badly(self, answer: Answer, fault: Fault) -> None:
        """Send an answer as the fault wants it."""
        assert self._transport is not None
        head, body = frame(answer, chunked=self._handler.chunked)
        if fault.do == "lose_reply":
            self.abort()
        elif fault.do == "truncate_reply":
            self._transport.write(head + body[: fault.bytes])
            self._transport.close()
        elif fault.do == "drip":
            self._wait()
            self._transport.write(head)
            self._drip(body, 0, fault.seconds or 1.0)
        else:
            self._wait()
            asyncio.get_running_loop().call_later(fault.seconds, self._write, answer)

    def _drip(self, body: bytes, at: int, pause_s: float) -> None:
        """Send byte `at`, and the next one later."""
        if self._transport is None:
            return
        self._transport.write(body[at : at + 1])
        if at + 1 < len(body):
            asyncio.get_running_loop().call_later(pause_s, self._drip, body, at + 1, pause_s)
        else:
            self._next()

    def _wait(self) -> None:
        """Read no further until the answer is out."""
        assert self._transport is not None
        self._busy = True
        self._transport.pause_reading()

    def _next(self) -> None:
        """The request is answered: read the next one."""
        self._head = self._fault = None
        if self._busy and self._transport is not None:
            self._busy = False
            self._transport.resume_reading()
        if self._buffered:
            self._parse()
