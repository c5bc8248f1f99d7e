"""Connections to the brokers of one Kafka cluster, and who leads which partition.

Knows aiokafka's connections (framing, versions, SASL) and metadata. Has no task of its own: it
works while somebody waits for it, and everything ends with `abort`. Must not know batches.
aiokafka's own client isn't used: it asks for topics in a way that creates them, connects to one
broker at a time whatever that one does, and forgets why it couldn't.
"""

# ruff: noqa: ANN401 - aiokafka has no types: requests and responses are Any

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aiokafka import errors  # type: ignore[import-untyped]
from aiokafka.client import ConnectionGroup  # type: ignore[import-untyped]
from aiokafka.cluster import ClusterMetadata  # type: ignore[import-untyped]
from aiokafka.conn import (  # type: ignore[import-untyped]
    AIOKafkaConnection,
    CloseReason,
    get_ip_port_afi,
)
from aiokafka.protocol.coordination import FindCoordinatorRequest  # type: ignore[import-untyped]
from aiokafka.protocol.metadata import MetadataRequest  # type: ignore[import-untyped]
from aiokafka.protocol.produce import ProduceRequest  # type: ignore[import-untyped]
from aiokafka.structs import TopicPartition  # type: ignore[import-untyped]

from logagent.edge.kafka_connect import Security, abort, connect
from logagent.edge.kafka_faults import fault_of, worst

METADATA_S: Final = 10.0
"""How long metadata may take: a broker that is so slow with them is of no use."""
FORGET_S: Final = 3600.0
"""Topics that nobody has wanted for so long aren't asked for: some are named after the hour."""
METADATA_GROUP: Final = 2
"""Besides aiokafka's groups: answers come in order, and metadata are wanted while a batch waits for
its replicas."""

_ABORTED: Final = "connect: given up meanwhile"


class Cluster:
    """The brokers behind some bootstrap servers ("host:port").

    `trouble` is why a broker couldn't be asked, "" when the last one could; see `fault_of`.
    """

    def __init__(
        self, servers: Sequence[str], security: Security, *, request_timeout_s: float
    ) -> None:
        self._servers = [get_ip_port_afi(server)[:2] for server in servers]
        self._security = security
        self._client_id = security.client_id  # aiokafka's sender asks for it
        self._request_timeout_s = request_timeout_s
        self._metadata = ClusterMetadata()
        self._topics: dict[str, float] = {}
        """When each was last wanted."""
        self._connections: dict[tuple[int, int], AIOKafkaConnection] = {}
        self._connecting: dict[tuple[int, int], asyncio.Lock] = {}
        self._refreshing = asyncio.Lock()
        self._refreshed_at = self._round_at = -float("inf")
        self._turn = 0
        self._aborted = False
        self.trouble = ""

    @property
    def age_s(self) -> float:
        """How old the metadata are."""
        return _now() - self._refreshed_at

    @property
    def brokers(self) -> int:
        """How many brokers the cluster has, as far as is known."""
        return len(self._metadata.brokers())

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has, 0 if it isn't known."""
        if topic in self._topics:
            self._topics[topic] = _now()
        return len(self._metadata.partitions_for_topic(topic) or ())

    def may_not(self, topic: str) -> bool:
        """Whether we may not see a topic."""
        return topic in self._metadata.unauthorized_topics

    def leader(self, place: TopicPartition) -> int | None:
        """The broker that leads a partition; None when there is none."""
        leader = self._metadata.leader_for_partition(place)
        return None if leader in (None, -1) else int(leader)

    async def refresh(self, topics: Iterable[str] = ()) -> bool:
        """Ask for brokers and leaders, also those of `topics` from now on. False: no broker
        answered, `trouble` says why. Who asks while an answer is on its way gets the next one."""
        asked = _now()
        self._topics.update(dict.fromkeys(topics, asked))
        async with self._refreshing:
            if self._aborted:
                self.trouble = _ABORTED
            elif self._round_at < asked:
                self._round_at = _now()
                await self._refresh(self._round_at)
        return self._refreshed_at >= asked

    async def send(
        self, node_id: int, request: object, *, group: int = ConnectionGroup.DEFAULT
    ) -> Any:  # aiokafka has no types
        """The response to a request, both of aiokafka's protocol.

        Raises NodeNotReadyError when nothing was sent, RequestTimedOutError, KafkaError.
        """
        connection = await self._connection(node_id, group)
        if connection is None:
            raise errors.NodeNotReadyError(f"broker {node_id}: {self.trouble}")
        return await self._ask(connection, request, self._request_timeout_s)

    async def produce_version(self) -> int:
        """The newest form of produce requests that a broker takes, which tells its age; -1 when it
        can't be asked."""
        node_id = self.get_random_node()
        connection = None
        if node_id is not None:
            connection = await self._connection(node_id, ConnectionGroup.DEFAULT)
        if connection is None:
            return -1
        # aiokafka keeps what the broker said when the connection was made.
        newest: int = connection._versions.get(ProduceRequest.API_KEY, (0, -1))[1]  # noqa: SLF001
        return newest

    def abort(self) -> None:
        """Close all sockets at once; what was not yet given to the kernel is never sent."""
        self._aborted = True
        for connection in self._connections.values():
            abort(connection)
        self._connections.clear()

    # What the handlers of aiokafka's sender ask of its client.

    async def ready(self, node_id: int, *, group: int = ConnectionGroup.DEFAULT) -> bool:
        """Whether a broker can be reached."""
        return await self._connection(node_id, group) is not None

    def get_random_node(self) -> int | None:
        """One of the brokers, another one each time."""
        brokers = sorted(broker.nodeId for broker in self._metadata.brokers())
        self._turn += 1
        return brokers[self._turn % len(brokers)] if brokers else None

    async def force_metadata_update(self) -> bool:
        """See `refresh`."""
        return await self.refresh()

    async def coordinator_lookup(self, kind: int, key: str) -> int:
        """The broker that coordinates the transactions of an id. Raises KafkaError."""
        node_id = self.get_random_node()
        if node_id is None:
            raise errors.NodeNotReadyError("no broker is known")
        reply = await self.send(node_id, FindCoordinatorRequest(key, kind))
        error = errors.for_code(reply.error_code)
        if error is not errors.NoError:
            raise error()
        return int(reply.coordinator_id)

    async def _refresh(self, began: float) -> None:
        """One round over all brokers that are known, and then over the bootstrap servers."""
        faults: list[str] = []
        self._topics = {t: at for t, at in self._topics.items() if at > began - FORGET_S}
        request = MetadataRequest(sorted(self._topics), allow_auto_topic_creation=False)
        known = sorted(broker.nodeId for broker in self._metadata.brokers())
        self._turn += 1
        for index in range(len(known)):
            node_id = known[(self._turn + index) % len(known)]
            connection = await self._connection(node_id, METADATA_GROUP)
            if connection is None:
                faults.append(self.trouble)
            elif await self._learn(connection, request, began, faults):
                return
        for index in range(len(self._servers) if not self._aborted else 0):
            host, port = self._servers[(self._turn + index) % len(self._servers)]
            try:
                connection = await self._connect(host, port)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is said
                faults.append(fault_of(error, f"{host}:{port}"))
                continue
            try:
                if await self._learn(connection, request, began, faults):
                    return
            finally:
                abort(connection)
        self.trouble = _ABORTED if self._aborted else worst(faults)

    async def _learn(
        self,
        connection: AIOKafkaConnection,
        request: MetadataRequest,
        began: float,
        faults: list[str],
    ) -> bool:
        """Take metadata from a broker; a fault is added when it gives none."""
        try:
            answer = await self._ask(connection, request, METADATA_S)
        except errors.KafkaError as error:
            faults.append(fault_of(error, f"{connection.host}:{connection.port}"))
            return False
        if not answer.brokers:
            faults.append(f"connect: {connection.host}:{connection.port} knows no broker yet")
            return False
        self._metadata.update_metadata(answer)
        self._refreshed_at = began
        self.trouble = ""
        return True

    async def _connection(self, node_id: int, group: int) -> AIOKafkaConnection | None:
        """A connection to a broker, kept or new; None when there can't be one: see `trouble`."""
        key = (node_id, group)
        async with self._connecting.setdefault(key, asyncio.Lock()):
            kept = self._connections.get(key)
            if kept is not None and kept.connected():
                return kept
            broker = self._metadata.broker_metadata(node_id)
            if broker is None:
                return None
            try:
                made = await self._connect(broker.host, broker.port)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is said
                self.trouble = fault_of(error, f"{broker.host}:{broker.port}")
                return None
            if self._aborted:
                abort(made)
                self.trouble = _ABORTED
                return None
            self._connections[key] = made
            return made

    async def _connect(self, host: str, port: int) -> AIOKafkaConnection:
        return await connect(host, port, self._security, request_timeout_s=self._request_timeout_s)

    async def _ask(
        self, connection: AIOKafkaConnection, request: object, timeout_s: float
    ) -> Any:  # aiokafka has no types
        try:
            async with asyncio.timeout(timeout_s):
                return await connection.send(request)
        except TimeoutError as error:
            # Its answer may still come: nothing else may be asked on this connection.
            connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
            raise errors.RequestTimedOutError from error


def _now() -> float:
    return asyncio.get_running_loop().time()
