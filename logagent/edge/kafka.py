"""The Kafka sink: a supervisor over producers, each of which lives until it is in doubt.

Knows pieces (batches and whose rows are in them) and codes a row. Must not retry what was answered
(the pipeline does) nor know what a code means for a row, nor how a batch is made: the codec does.

A producer is built by the first request, used by all, and given up when its sequences are in doubt,
used up, or secrets were to be read again: then what is under way gets some seconds to end, its
sockets are closed, and the next request builds another one, with an id of its own.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from logagent.core.chunk import Reply, Request
from logagent.edge.kafka_cluster import Cluster
from logagent.edge.kafka_connect import Login, Security
from logagent.edge.kafka_faults import NOT_SENT, OK, UNKNOWN, code_text
from logagent.edge.kafka_pieces import Cut, Piece, body_of, send_all, transact
from logagent.edge.kafka_producer import Producer

if TYPE_CHECKING:
    import ssl

METADATA_S: Final = 300.0
"""Age at which metadata are asked for again, to find partitions that were added (as in Java)."""

State = Literal["starting", "ready", "draining"]


class SinkSettings(Struct, frozen=True):
    """What an output's options come to for its sink.

    timeout_s: for one request, for a new producer, and for a leader to come up; a batch that may
    have been appended is tried for twice that. drain_s: what others have under way may take so
    long when a producer is given up. close_s: the budget of `close`. sequences_max: records to one
    partition by one producer.
    """

    servers: tuple[str, ...]
    client_id: str = "logagent"
    timeout_s: float = 60.0
    drain_s: float = 5.0
    close_s: float = 3.0
    transactional_id: str = ""
    sequences_max: int = 1 << 30


class KafkaSink:
    """`ports.Sink` for one cluster. The reply's body is a little-endian int16 a row: 0, the code of
    the protocol, or UNKNOWN, NOT_SENT; a fault instead when nothing was sent at all.

    topics: those known beforehand. `tls` and `login` are asked by each new producer, and their
    OSError or ValueError becomes a fault. rebuilt: told why a producer was given up; waiting:
    why a batch waits for more than a second.
    """

    def __init__(
        self,
        pieces: Cut,
        topics: Collection[str],
        settings: SinkSettings,
        *,
        tls: "Callable[[], ssl.SSLContext] | None" = None,
        login: Callable[[], Login] | None = None,
        rebuilt: Callable[[str], None] = lambda why: None,  # noqa: ARG005
        waiting: Callable[[str], None] = lambda why: None,  # noqa: ARG005
    ) -> None:
        self._pieces = pieces
        self._topics = topics
        self._settings = settings
        self._tls = tls
        self._login = login
        self._rebuilt = rebuilt
        self._waiting = waiting
        self._changing = asyncio.Lock()
        self._transaction = asyncio.Lock()
        self._producer: Producer | None = None
        self._users = 0
        self._unused = asyncio.Event()
        self._closed = self._fenced = False
        self.state: State = "starting"
        self.rebuilds = 0
        """How many producers were given up."""

    async def send(self, request: Request) -> Reply:
        """See `ports.Sink.send`. Rows of one partition are sent in order, and none behind one that
        wasn't acknowledged. Waits for at most 4 `timeout_s`."""
        producer = await self._use()
        if isinstance(producer, str):
            return Reply(0, fault=producer)
        try:
            pieces = await self._cut(request, producer.cluster)
            if self._settings.transactional_id:
                async with self._transaction:
                    codes = await transact(producer, pieces)
                self._fenced = self._fenced or producer.is_fenced_by(codes)
            else:
                codes = await send_all(producer, pieces)
        finally:
            self._done()
        if producer.cluster.trouble and all(code == NOT_SENT for code in codes):
            return Reply(0, fault=producer.cluster.trouble)
        return Reply(200, body=body_of(request.rows, pieces, codes), sent=UNKNOWN in codes)

    async def refresh(self) -> None:
        """See `ports.Sink.refresh`: the next request makes a producer with what is read then."""
        if self._producer is not None:
            self._producer.poison("refresh")

    async def close(self) -> None:
        """See `ports.Sink.close`: what is under way gets `close_s`, then it is cut off."""
        self._closed = True
        producer, self._producer = self._producer, None
        if producer is not None:
            await self._end(producer, self._settings.close_s)

    async def _use(self) -> Producer | str:
        """A producer that may be used, until `_done`; or why there is none."""
        async with self._changing:
            if self._producer is not None and self._producer.poisoned:
                producer, self._producer, self.state = self._producer, None, "draining"
                await self._end(producer, self._settings.drain_s)
                self.rebuilds += 1
                self._rebuilt(producer.poisoned)
            if self._closed:
                return "closed"
            if self._fenced:
                return f"fenced: {self._settings.transactional_id} is another agent's: stop one"
            if self._producer is None:
                self.state = "starting"
                made = await self._build()
                if isinstance(made, str):
                    return made
                self._producer, self.state = made, "ready"
            self._users += 1
            self._unused.clear()
            return self._producer

    def _done(self) -> None:
        self._users -= 1
        if not self._users:
            self._unused.set()

    async def _end(self, producer: Producer, limit_s: float) -> None:
        """Let a producer's users end, for some seconds, and close its sockets."""
        try:
            if self._users:
                producer.end_by(asyncio.get_running_loop().time() + limit_s)
                # A second more: giving up takes no time, but a slow machine does.
                async with asyncio.timeout(limit_s + 1):
                    await self._unused.wait()
        except TimeoutError:
            pass
        finally:
            producer.cluster.abort()

    async def _build(self) -> Producer | str:
        """A new producer, or why there can't be one."""
        settings = self._settings
        try:
            login = self._login() if self._login is not None else None
        except (OSError, ValueError) as error:
            return f"secret: {error}"
        try:
            context = self._tls() if self._tls is not None else None
        except (OSError, ValueError) as error:
            return f"tls: {error}"
        cluster = Cluster(
            settings.servers,
            Security(settings.client_id, context, login),
            request_timeout_s=settings.timeout_s,
        )
        started: Producer | None = None
        try:
            async with asyncio.timeout(settings.timeout_s):
                if not await cluster.refresh(self._topics):
                    return cluster.trouble
                producer = Producer(
                    cluster,
                    request_timeout_s=settings.timeout_s,
                    transactional_id=settings.transactional_id,
                    sequences_max=settings.sequences_max,
                    waiting=self._waiting,
                )
                code = await producer.start()
            if code != OK:
                return cluster.trouble or f"connect: getting a producer's id: {code_text(code)}"
            if self._closed:
                return "closed"
            started = producer
        except TimeoutError:
            return cluster.trouble or f"connect time-out: {', '.join(settings.servers)}"
        finally:
            if started is None:
                cluster.abort()
        return started

    async def _cut(self, request: Request, cluster: Cluster) -> Sequence[Piece]:
        """The request's pieces, by metadata that are young and know its topics if anybody does."""
        unknown: set[str] = set()

        def partitions(topic: str) -> int:
            count = cluster.partitions(topic)
            if not count:
                unknown.add(topic)
            return count

        if cluster.age_s > METADATA_S:
            await cluster.refresh()
        pieces = self._pieces(request, partitions)
        if unknown:
            await cluster.refresh(unknown)
            if any(cluster.partitions(topic) for topic in unknown):
                pieces = self._pieces(request, cluster.partitions)
        return pieces
