"""The HTTP sink: several hosts, a pool of kept connections, one attempt a call.

Knows how to get a request to one of its hosts and a reply back. Must not retry (but for
connections that went stale) nor know what a status means for rows: the codec and the pipeline do.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import h11
from msgspec.structs import replace

from logagent.core.chunk import Reply, Request
from logagent.edge.connection import Connection
from logagent.edge.dial import dial, parse_host
from logagent.edge.nodes import HostState, Node, choose, close_idle, close_oldest
from logagent.ports import Clock

if TYPE_CHECKING:
    import ssl

IDLE_S: Final = 60.0
"""How long an unused connection is kept; servers and balancers close theirs after 60 s or more."""

STALE_S: Final = 1.0
"""A connection that idled this long, and that is closed within as much of being used again, was
closed for idling. One that was busy until now may have died with our request applied."""

RETRY_AFTER_MAX_S: Final = 86_400.0

NO_HEADERS: Final[Mapping[str, str]] = {}
_ALL: Final = float("inf")


class Sign(Protocol):
    """Makes the headers that prove who sends, for each attempt: they hold a time and a hash."""

    async def __call__(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Headers to add. headers: all others. Raises OSError or ValueError for a secret."""

    def forget(self) -> None:
        """Read secrets again at the next call."""


class _Job(NamedTuple):
    """What one call has to do, until when (loop time)."""

    head: h11.Request
    body: bytes
    deadline: float


class HttpSink:
    """`ports.Sink` that sends to `path` (with its query) below each of `hosts`.

    `auth` returns the Authorization value, `tls` a context; both are asked when first needed and
    again after `refresh`. `sign` is asked for headers at each attempt. Their OSError or ValueError
    becomes a fault. `timeout_s` bounds a whole exchange, connecting included, whatever the peer
    does. `connections` bounds how many are open at once, kept ones included. Raises ValueError for
    a bad host.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        path: str,
        *,
        headers: Mapping[str, str],
        auth: Callable[[], str] | None = None,
        sign: Sign | None = None,
        tls: "Callable[[], ssl.SSLContext] | None" = None,
        timeout_s: float = 60.0,
        connect_timeout_s: float = 10.0,
        connections: int = 2,
        method: str = "POST",
        clock: Clock = time.time,
    ) -> None:
        if not hosts:
            raise ValueError("hosts: at least one is needed")
        fixed = [(k.lower().encode("ascii"), v.encode("latin-1")) for k, v in headers.items()]
        self._nodes = [Node(parse_host(url), fixed) for url in hosts]
        self._path = path
        self._method = method
        self._auth = auth
        self._sign = sign
        self._tls = tls
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._connections = connections
        self._free = asyncio.Semaphore(connections)
        self._busy = 0
        self._clock = clock
        self._turn = 0
        self._authorization = ""
        self._context: ssl.SSLContext | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    async def send(
        self, request: Request, path: str | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> Reply:
        """See `ports.Sink.send`. Waits for a free connection, then at most `timeout_s`. path: for
        this request, in place of the sink's; headers: for this request, besides the sink's, in
        lower case."""
        async with self._free:
            self._busy += 1
            try:
                return await self._send(request, self._path if path is None else path, headers)
            finally:
                self._busy -= 1

    async def refresh(self) -> None:
        """See `ports.Sink.refresh`. The next request reads them; connections that know an old
        certificate are not used again."""
        self._authorization = ""
        self._context = None
        if self._sign is not None:
            self._sign.forget()
        close_idle(self._nodes, before=_ALL)

    async def close(self) -> None:
        """See `ports.Sink.close`. An exchange under way ends by itself."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        close_idle(self._nodes, before=_ALL)

    def states(self) -> list[HostState]:
        """Each host, in the configured order."""
        return [node.state() for node in self._nodes]

    async def _send(self, request: Request, path: str, headers: Mapping[str, str]) -> Reply:
        now = _now()
        index = choose(self._nodes, self._turn, now)
        node = self._nodes[index]
        self._turn = (index + 1) % len(self._nodes)
        try:
            async with asyncio.timeout(self._timeout_s):
                head = await self._head(node, request, path, headers)
        except TimeoutError:
            return Reply(0, fault="secret: time-out")
        except (OSError, ValueError) as error:
            return Reply(0, fault=f"secret: {_say(error)}")
        if node.host.secure and self._context is None:
            try:
                self._context = self._make_context()
            except (OSError, ValueError) as error:
                return Reply(0, fault=f"tls: {_say(error)}")
        reply = await self._attempt(node, _Job(head, request.body, now + self._timeout_s))
        # A proxy without its server, or a node without its master: another host may do better.
        bad = f"status {reply.status}" if 502 <= reply.status <= 504 else ""
        if reply.fault or bad:
            node.failed(reply.fault or bad, _now())
        else:
            node.worked()
        return reply

    async def _head(
        self, node: Node, request: Request, path: str, more: Mapping[str, str]
    ) -> h11.Request:
        """Start line and headers. Raises what `auth` and `sign` raise."""
        headers = [*node.headers, (b"content-length", b"%d" % len(request.body))]
        headers += [(name.encode("ascii"), v.encode("latin-1")) for name, v in more.items()]
        if request.gzipped:
            headers.append((b"content-encoding", b"gzip"))
        if self._auth is not None:
            self._authorization = self._authorization or self._auth()
            headers.append((b"authorization", self._authorization.encode("latin-1")))
        target = node.host.prefix + path
        if self._sign is not None:
            url = f"{'https' if node.host.secure else 'http'}://{node.host.header}{target}"
            known = {name.decode("ascii"): value.decode("latin-1") for name, value in headers}
            proof = await self._sign(self._method, url, request.body, known)
            headers += [(name.encode("ascii"), v.encode("latin-1")) for name, v in proof.items()]
        return h11.Request(method=self._method, target=target, headers=headers)

    async def _attempt(self, node: Node, job: _Job) -> Reply:
        """One exchange on a kept connection or on a new one."""
        while node.idle:
            kept = node.idle.pop()
            if not kept.fresh():
                continue
            started = _now()
            idled = started - kept.idle_since >= STALE_S
            reply = await self._exchange(node, kept, job)
            at_once = _now() - started < STALE_S
            if reply.fault == "reset" and idled and at_once and not kept.answered:
                again = await self._attempt_new(node, job)
                return replace(again, sent=again.sent or reply.sent)
            return reply
        return await self._attempt_new(node, job)

    async def _attempt_new(self, node: Node, job: _Job) -> Reply:
        close_oldest(self._nodes, self._connections - self._busy)
        left = min(self._connect_timeout_s, job.deadline - _now())
        context = self._context
        dialed = await dial(node.host, context, left)
        if isinstance(dialed, str):
            return Reply(0, fault=dialed)
        made = Connection(
            dialed.sock,
            asyncio.get_running_loop(),
            would_block=dialed.would_block,
            retry_after=self._seconds,
        )
        return await self._exchange(node, made, job)

    async def _exchange(self, node: Node, connection: Connection, job: _Job) -> Reply:
        """One exchange; the connection is kept afterwards if it can be."""
        context = self._context
        try:
            reply = await connection.exchange(job.head, job.body, job.deadline)
        except BaseException:
            connection.close()
            raise
        if self._closed or self._context is not context:
            connection.close()
        elif connection.alive:
            node.idle.append(connection)
            if self._sweeper is None:
                self._sweeper = asyncio.get_running_loop().call_later(IDLE_S, self._sweep)
        return reply

    def _make_context(self) -> "ssl.SSLContext":
        if self._tls is not None:
            return self._tls()
        from logagent.edge.tls import context  # only who uses https pays for it

        return context()

    def _sweep(self) -> None:
        """Close what idled for IDLE_S, and look again when the next one will have."""
        self._sweeper = None
        now = _now()
        close_idle(self._nodes, before=now - IDLE_S + 0.001)
        left = [c.idle_since for node in self._nodes for c in node.idle]
        if left:
            loop = asyncio.get_running_loop()
            self._sweeper = loop.call_at(min(left) + IDLE_S, self._sweep)

    def _seconds(self, text: str) -> float:
        return retry_after(text, self._clock())


def retry_after(text: str, now: float) -> float:
    """Seconds that a `Retry-After` header asks for (RFC 9110 §10.2.3: seconds or a date), at most
    a day; 0 if it can't be understood. `now` is the wall clock."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), RETRY_AFTER_MAX_S)
    from email.utils import mktime_tz, parsedate_tz  # 1 MiB, for a form that hardly anybody sends

    parsed = parsedate_tz(text)
    if parsed is None:
        return 0.0
    try:
        return min(max(0.0, mktime_tz(parsed) - now), RETRY_AFTER_MAX_S)
    except (ValueError, OverflowError):
        return 0.0


def _now() -> float:
    return asyncio.get_running_loop().time()


def _say(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"reading {error.filename}: {error.strerror}"
    return str(error)
