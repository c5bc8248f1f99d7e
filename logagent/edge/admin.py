"""The admin endpoint: a few fixed routes over HTTP, for probes, Prometheus and people.

Knows HTTP's server side and its limits: whoever shares the pod's network can reach it. Must not
know what the routes say or do. One request a connection, no body, no query, no headers looked at.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, cast

import h11

Answer = tuple[int, str, bytes]
"""Status, content type, body."""
Routes = Mapping[str, Callable[[], Answer]]

CONNECTIONS_MAX: Final = 32
HEADER_BYTES_MAX: Final = 8 << 10
READ_S: Final = 2.0
"""From the connection to the end of the request."""
WRITE_S: Final = 10.0
"""From the answer to its last byte, for a reader that doesn't read."""

_TEXT: Final = "text/plain; charset=utf-8"
_HEADERS: Final = [
    (b"connection", b"close"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # Pages show names that a hostile app has chosen; escaped, and without any right to run.
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
]


class AdminServer:
    """Serves `get` and `post` routes ("/metrics" → callable) until closed. The callables run on the
    loop and must be quick."""

    def __init__(self, get: Routes, post: Routes) -> None:
        self._routes = {"GET": get, "HEAD": get, "POST": post}
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; the port is returned (0 asks for a free one). Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port, backlog=64)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut what is under way."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._open):
            connection.abort()

    def answer(self, method: str, target: str) -> Answer:
        """What a request gets."""
        path = target.partition("?")[0]
        routes = self._routes.get(method)
        if routes is not None and path in routes:
            return routes[path]()
        if any(path in known for known in self._routes.values()):
            return 405, _TEXT, b"method not allowed\n"
        return 404, _TEXT, b"not found\n"

    def opened(self, connection: "_Connection") -> bool:
        """Take a connection in, unless there are enough."""
        if len(self._open) >= CONNECTIONS_MAX:
            return False
        self._open.add(connection)
        return True

    def closed(self, connection: "_Connection") -> None:
        """Forget a connection."""
        self._open.discard(connection)


class _Connection(asyncio.Protocol):
    """One request and its answer."""

    def __init__(self, server: AdminServer) -> None:
        self._server = server
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._method = ""
        self._done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, since uvloop's transports are no subclass of asyncio's.
        self._transport = opened = cast("asyncio.Transport", transport)
        if not self._server.opened(self):
            self._done = True
            opened.abort()
            return
        self._limit(READ_S)

    def data_received(self, data: bytes) -> None:
        if self._done:
            return
        try:
            self._http.receive_data(data)
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                return
            if not isinstance(event, h11.Request):
                self.abort()
                return
            following = self._http.next_event()
            if not isinstance(following, h11.EndOfMessage):
                self._reply(413, _TEXT, b"no body is read here\n")
                return
        except h11.RemoteProtocolError as error:
            self._reply(error.error_status_hint, _TEXT, b"bad request\n")
            return
        self._method = event.method.decode("ascii")
        self._reply(*self._server.answer(self._method, event.target.decode("ascii")))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._server.closed(self)
        if self._timer is not None:
            self._timer.cancel()

    def abort(self) -> None:
        """Cut the connection."""
        self._done = True
        if self._transport is not None:
            self._transport.abort()

    def _reply(self, status: int, kind: str, body: bytes) -> None:
        """Write the answer and close behind it."""
        assert self._transport is not None
        self._done = True
        headers = [
            (b"content-type", kind.encode("ascii")),
            (b"content-length", b"%d" % len(body)),
            *_HEADERS,
        ]
        head = self._http.send(h11.Response(status_code=status, headers=headers))
        assert head is not None
        self._transport.write(head if self._method == "HEAD" else head + body)
        self._transport.close()
        self._limit(WRITE_S)

    def _limit(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.abort)
