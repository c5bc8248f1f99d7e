"""A small server that speaks enough Elasticsearch to judge a forwarder: `_bulk` with `create` and
ids, gzip, the version document, scripted faults, and an account of what arrived.

Knows listening, routes, authorization and what a request answers. Must not know who sends. It
listens on loopback only.
"""

import asyncio
import base64
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import orjson

from logagent.demo import bulk
from logagent.demo.bulk import BulkError
from logagent.demo.connection import Answer, Connection, Head
from logagent.demo.control import Control, catalogue, version
from logagent.demo.faults import Fault, Script
from logagent.demo.ledger import Ledger
from logagent.demo.store import Limits, Mode, Stats, Store, check_content

PARAMETERS: Final = frozenset(
    {"filter_path", "require_data_stream", "include_source_on_error", "pipeline", "refresh"}
)
"""Query parameters of `_bulk` that are known; Elasticsearch refuses a request with any other."""

NOT_OPENSEARCH: Final = frozenset({"require_data_stream", "include_source_on_error"})

CONTENT_BYTES_MAX: Final = 100 * 1024 * 1024
"""`http.max_content_length` of Elasticsearch; it bounds the body before and after inflating."""


@dataclass(frozen=True)
class Options:
    """How a receiver behaves.

    auth: the Authorization values it takes (see `api_key` and `basic`), empty = anybody.
    documents: how many documents mode `store` keeps. chunked: frame replies in chunks, as real
    servers do.
    """

    port: int = 0
    mode: Mode = "store"
    opensearch: bool = False
    chunked: bool = False
    content_bytes_max: int = CONTENT_BYTES_MAX
    auth: frozenset[str] = frozenset()
    tls: ssl.SSLContext | None = None
    documents: int = 100_000


def api_key(key: str) -> str:
    """The Authorization value for an API key, "id:key" or already encoded."""
    return "ApiKey " + (base64.b64encode(key.encode()).decode() if ":" in key else key)


def basic(user: str, password: str) -> str:
    """The Authorization value for a user."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Receiver:
    """The server. `port` is known inside `async with`; everything else can be looked at and
    changed at any time from the loop's thread."""

    def __init__(self, options: Options | None = None, faults: Iterable[Fault] = ()) -> None:
        self.options = options or Options()
        self.port = self.options.port
        self.chunked = self.options.chunked
        self.auth = set(self.options.auth)
        self.faults = Script(list(faults))
        limits = Limits(self.options.content_bytes_max, self.options.documents)
        self.store = Store(self.options.mode, limits)
        self._control = Control(self.store, self.faults, self.auth)
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._pause: asyncio.Task[None] | None = None

    @property
    def stats(self) -> Stats:
        """The counters."""
        return self.store.stats

    @property
    def ledger(self) -> Ledger:
        """The numbers that arrived (mode `ledger`)."""
        return self.store.ledger

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self.options.tls else 'http'}://127.0.0.1:{self.port}"

    def documents(self) -> list[dict[str, object]]:
        """The documents kept by mode `store`, decoded, oldest first."""
        return [orjson.loads(row.document) for row in self.store.documents]

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pause is not None:
            self._pause.cancel()
        self._shut()
        await asyncio.sleep(0)  # lets the reset connections close before the loop does

    async def _listen(self) -> None:
        """Bind the port (the same as before, after the first time)."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), sock=listener, ssl=self.options.tls, backlog=256
        )

    def _shut(self) -> None:
        """Stop listening and reset every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._connections):
            connection.abort()

    def refuse(self, seconds: float) -> None:
        """Don't listen for a while; open connections are reset."""
        if self._server is not None:
            self._shut()
            self._pause = asyncio.get_running_loop().create_task(self._listen_later(seconds))

    async def _listen_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._listen()

    def connected(self, connection: Connection) -> None:
        """See Handler."""
        self._connections.add(connection)
        self.stats.connections += 1

    def disconnected(self, connection: Connection) -> None:
        """See Handler."""
        self._connections.discard(connection)

    def plan(self, head: Head) -> Fault | None:
        """See Handler: only bulk requests are disturbed."""
        if not head.path.endswith("/_bulk"):
            return None
        fault = self.faults.take(time.monotonic())
        if fault is not None and fault.do == "refuse":
            self.refuse(fault.seconds)
        return fault

    def refuse_early(self, head: Head, fault: Fault | None) -> Answer | None:
        """See Handler."""
        answer = None
        if head.length > self.options.content_bytes_max:
            answer = self._refused(bulk.too_large(self.options.content_bytes_max))
        elif fault is not None and fault.do == "status" and fault.early:
            answer = self._scripted(fault)
        if answer is not None and head.path.endswith("/_bulk"):
            self._count(answer)
        return answer

    def answer(self, head: Head, body: memoryview, fault: Fault | None) -> Answer:
        """See Handler: apply a request."""
        if head.path.startswith("/_test/"):
            return self._control.answer(head, bytes(body))
        is_bulk = head.path.endswith("/_bulk") and head.method in {"POST", "PUT"}
        try:
            self._authorize(head)
            if is_bulk:
                answer = self._bulk(head, body, fault)
            elif head.path == "/" and head.method in {"GET", "HEAD"}:
                text = orjson.dumps(version(opensearch=self.options.opensearch))
                answer = self._json(200, text)
            elif head.method == "GET" and (
                known := catalogue(head.path, self.store.indices.names())
            ):
                answer = self._json(known[0], orjson.dumps(known[1]))
            else:
                reason = f"no handler found for uri [{head.path}] and method [{head.method}]"
                answer = self._json(400, orjson.dumps({"error": reason}))
        except BulkError as error:
            answer = self._refused(error)
        if is_bulk:
            self.stats.bytes_wire += head.length
            self._count(answer)
        return answer

    def _authorize(self, head: Head) -> None:
        """Refuse a request without one of the known Authorization values. Raises BulkError."""
        if self.auth and head.headers.get("authorization") not in self.auth:
            reason = f"unable to authenticate for REST request [{head.path}]"
            raise BulkError(401, "security_exception", reason)

    def _bulk(self, head: Head, body: memoryview, fault: Fault | None) -> Answer:
        """Apply a bulk request. Raises BulkError."""
        if fault is not None and fault.do == "status":
            return self._scripted(fault)
        started_at = time.perf_counter()
        known = PARAMETERS - NOT_OPENSEARCH if self.options.opensearch else PARAMETERS
        if unknown := head.query.keys() - known:
            reason = f"request [{head.path}] contains unrecognized parameter: [{min(unknown)}]"
            raise BulkError(400, "illegal_argument_exception", reason)
        check_content(head.headers.get("content-type", ""))
        items, rows = self.store.apply(
            body,
            gzipped=head.headers.get("content-encoding") == "gzip",
            target=head.path.removesuffix("/_bulk").strip("/"),
            stream=head.query.get("require_data_stream", "false") in {"", "true"},
            fault=fault,
        )
        if fault is not None:
            if fault.do == "garbage":
                return self._json(200, b"<html>all is well</html>")
            if fault.do == "missing_items":
                del items.statuses[max(0, len(items.statuses) - fault.count) :]
            elif fault.do == "extra_items":
                items.statuses += [201] * fault.count
        took_ms = int((time.perf_counter() - started_at) * 1000)
        path = head.query.get("filter_path")
        text = bulk.render_reply(items, took_ms=took_ms, filter_path=path, rows=rows)
        return self._json(200, text)

    def _count(self, answer: Answer) -> None:
        self.stats.requests += 1
        self.stats.statuses[answer.status] += 1

    def _scripted(self, fault: Fault) -> Answer:
        """The reply of a `status` fault."""
        kind = fault.kind or bulk.KINDS.get(fault.status, "exception")
        answer = self._refused(BulkError(fault.status, kind, "as scripted"))
        if not fault.retry_after_s:
            return answer
        after = {"retry-after": f"{fault.retry_after_s:g}"}
        return Answer(answer.status, answer.body, {**answer.headers, **after})

    def _refused(self, error: BulkError) -> Answer:
        """The reply to a request that failed as a whole."""
        cause = {"type": error.kind, "reason": error.reason}
        text = orjson.dumps({"error": {"root_cause": [cause], **cause}, "status": error.status})
        answer = self._json(error.status, text)
        if error.status != 401:
            return answer
        schemes = {"www-authenticate": 'Basic realm="security", charset="UTF-8", ApiKey'}
        return Answer(401, text, {**answer.headers, **schemes})

    def _json(self, status: int, text: bytes) -> Answer:
        """A reply with the headers that every one has."""
        headers = {"content-type": "application/json"}
        if not self.options.opensearch:
            headers["X-elastic-product"] = "Elasticsearch"
        return Answer(status, text, headers)
