"""One life of an idempotent Kafka producer: an id from the cluster, and a sequence a partition.

Knows when a batch may be tried again under the same sequence number, and when its outcome leaves
the sequence in doubt: then the producer is `poisoned` and somebody makes a new one. Must not know
rows. Of aiokafka's sender only the handlers of ids and transactions are used, without its task and
its accumulator: those count a sequence for a batch that never left (a gap that stops the partition
for good), wrap sequences to negative numbers, and can't be stopped while brokers are down.
"""

# ruff: noqa: SLF001 - private names of aiokafka, which is pinned to 0.14 for them

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from aiokafka.client import CoordinationType  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    KafkaError,
    NodeNotReadyError,
    UnknownError,
)
from aiokafka.producer.sender import EndTxnHandler, Sender  # type: ignore[import-untyped]
from aiokafka.producer.transaction_manager import (  # type: ignore[import-untyped]
    TransactionManager,
    TransactionResult,
)
from aiokafka.protocol.produce import ProduceRequest  # type: ignore[import-untyped]
from aiokafka.structs import TopicPartition  # type: ignore[import-untyped]
from msgspec import Struct

from logagent.edge.kafka_cluster import Cluster
from logagent.edge.kafka_faults import (
    BROKEN,
    DONE,
    FENCED,
    MAYBE,
    NO_LEADER,
    NOT_SENT,
    OK,
    SERVER_ERROR,
    UNAUTHORIZED_TOPIC,
    UNKNOWN,
    UNKNOWN_TOPIC,
    WAIT,
    code_of,
    code_text,
)

PAUSE_S: Final = 0.1
PAUSE_MAX_S: Final = 1.0
"""Between tries of one batch, doubling. A leader is elected within a second or after a minute."""

ACKS_ALL: Final = -1
TRANSACTION_MAX_S: Final = 900.0
"""Brokers allow no longer time-out of a transaction (transaction.max.timeout.ms)."""


class Batch(Protocol):
    """What is needed of a batch, as aiokafka's own BatchBuilder has it."""

    def record_count(self) -> int:
        """How many records are in it."""

    def _set_producer_state(
        self, producer_id: int, producer_epoch: int, base_sequence: int
    ) -> None:
        """Put these into its header."""

    def _build(self) -> bytearray:
        """The bytes to send, with their checksum."""


class _Try(Struct):
    """What is known of a batch on its way: the last code, and whether it may be appended."""

    code: int = NOT_SENT
    doubt: bool = False


class Producer:
    """Sends batches while it lives; `start` first.

    request_timeout_s: for one request, and for a leader to come up; a batch that may have been
    appended is tried for twice that. transactional_id: "" = without transactions. sequences_max:
    the producer is used up when so many records went to one partition (below 2³¹, where sequence
    numbers wrap). waiting: told why a batch has to wait here. `poisoned` says why it must not be
    used for further batches, "" = it may.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        request_timeout_s: float,
        transactional_id: str = "",
        sequences_max: int = 1 << 30,
        waiting: Callable[[str], None] = lambda why: None,  # noqa: ARG005
    ) -> None:
        self.cluster = cluster
        self._waiting = waiting
        self.poisoned = ""
        self._timeout_s = request_timeout_s
        self._sequences_max = sequences_max
        self._sequences: dict[TopicPartition, int] = {}
        self._turns: dict[TopicPartition, asyncio.Lock] = {}
        self._timers: set[asyncio.Timeout] = set()
        self._end_at = float("inf")
        # Ours end by their own limits before; a dead process' is aborted by its successor.
        self._transaction_s = min(TRANSACTION_MAX_S, 5 * request_timeout_s)
        self._begun_at = 0.0
        self._manager = TransactionManager(
            transactional_id or None, int(self._transaction_s * 1000)
        )
        self._sender = Sender(
            cluster,
            acks=ACKS_ALL,
            txn_manager=self._manager,
            message_accumulator=None,
            retry_backoff_ms=int(PAUSE_S * 1000),
            request_timeout_ms=int(request_timeout_s * 1000),
        )

    async def start(self) -> int:
        """Get an id, and with a transactional id fence who had it before: OK or a code."""
        return await self._guarded(self._sender._maybe_wait_for_pid)

    def poison(self, why: str) -> None:
        """Say why it must not be used any more; the first reason stays."""
        self.poisoned = self.poisoned or why

    def is_fenced_by(self, codes: Iterable[int]) -> bool:
        """Whether these say that somebody else has taken our transactional id: the broker, which
        takes it from a transaction that lasts too long, can't have done it."""
        young = _now() - self._begun_at < self._transaction_s
        return young and self._manager.transactional_id is not None and bool(FENCED & {*codes})

    def end_by(self, when: float) -> None:
        """Let everything under way give up at a loop time."""
        self._end_at = min(self._end_at, when)
        for timer in self._timers:
            before = timer.when()
            if before is not None and before > self._end_at and not timer.expired():
                timer.reschedule(self._end_at)

    def turn(self, place: TopicPartition) -> asyncio.Lock:
        """Who holds it may send to a partition: one batch at a time, in the order of asking."""
        return self._turns.setdefault(place, asyncio.Lock())

    async def produce(self, place: TopicPartition, batch: Batch) -> int:
        """Send one batch: 0, a code of the protocol, UNKNOWN or NOT_SENT. Needs the `turn`."""
        if self.poisoned:  # a batch of the same size under a doubtful number reads as its duplicate
            return NOT_SENT
        sequence, count = self._sequences.get(place, 0), batch.record_count()
        batch._set_producer_state(self._manager.producer_id, self._manager.producer_epoch, sequence)
        request = ProduceRequest(
            required_acks=ACKS_ALL,
            timeout=int(self._timeout_s * 900),  # a tenth less than ours: its answer is better
            topics=[(place.topic, [(place.partition, batch._build())])],
            transactional_id=self._manager.transactional_id,
        )
        tried = _Try()
        try:
            with self._timer(2 * self._timeout_s) as timer:
                async with timer:
                    await self._repeat(place, request, tried)
        except TimeoutError:
            pass
        except BaseException:
            if tried.doubt:
                self.poison("cancelled")
            raise
        if tried.code in DONE:
            self._sequences[place] = sequence + count
            if sequence + count >= self._sequences_max:
                self.poison("sequences")
            return OK
        if tried.code in BROKEN:
            self.poison(f"code {tried.code}")
        elif tried.doubt:
            self.poison("outcome open")
            return UNKNOWN if tried.code in WAIT else tried.code
        return tried.code

    async def begin(self, places: Collection[TopicPartition]) -> int:
        """Begin a transaction over these partitions: OK or a code, which poisons."""

        async def add() -> None:
            self._begun_at = _now()
            self._manager.begin_transaction()
            for place in places:
                self._manager.maybe_add_partition_to_txn(place)
            while pending := set(self._manager.partitions_to_add()):
                await self._sender._do_add_partitions_to_txn(pending)
            if not self._manager.is_in_transaction():
                raise self._manager.wait_for_transaction_end().exception() or UnknownError()

        return await self._guarded(add)

    async def end(self, *, commit: bool) -> int:
        """End the transaction: OK, a code or UNKNOWN, which poison."""
        result = TransactionResult.COMMIT if commit else TransactionResult.ABORT

        async def end() -> None:
            if commit:
                self._manager.committing_transaction()
            else:
                self._manager.aborting_transaction()
            handler = EndTxnHandler(self._sender, result)
            while True:
                node_id = await self._sender._find_coordinator(
                    CoordinationType.TRANSACTION, self._manager.transactional_id
                )
                if await handler.do(node_id):
                    return

        return await self._guarded(end)

    async def _repeat(self, place: TopicPartition, request: ProduceRequest, tried: _Try) -> None:
        """Try until there is an outcome, or none is to be expected."""
        wait_until, pause_s = _now() + self._timeout_s, PAUSE_S
        while True:
            await self._attempt(place, request, tried)
            if tried.code not in WAIT | MAYBE:
                return
            if not tried.doubt and _now() + pause_s > wait_until:
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
            # Without brokers, or a topic, it can as well wait where somebody tells about it.
            reached = await self.cluster.refresh()
            if not tried.doubt and not (reached and self.cluster.partitions(place.topic)):
                tried.code = self._why_not(place) if reached else NOT_SENT
                return
            if pause_s >= PAUSE_MAX_S:
                self._waiting(self.cluster.trouble or code_text(tried.code))

    async def _attempt(self, place: TopicPartition, request: ProduceRequest, tried: _Try) -> None:
        """One request to the leader, if there is one."""
        leader = self.cluster.leader(place)
        if leader is None:
            tried.code = self._why_not(place)
            return
        before, tried.doubt = tried.doubt, True
        try:
            tried.code = _code(await self.cluster.send(leader, request))
        except NodeNotReadyError:
            tried.code, tried.doubt = NOT_SENT, before
        except KafkaError:
            tried.code = UNKNOWN
        else:
            if tried.code == 46 and not before:
                tried.code = 45  # other rows have this number: out of sequence
            tried.doubt = before or tried.code in MAYBE

    def _why_not(self, place: TopicPartition) -> int:
        """The code for a partition that nobody leads."""
        if self.cluster.partitions(place.topic):
            return NO_LEADER
        return UNAUTHORIZED_TOPIC if self.cluster.may_not(place.topic) else UNKNOWN_TOPIC

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> int:
        """Wait for work of aiokafka's handlers, which repeat for ever: OK or a code."""
        code = SERVER_ERROR
        try:
            with self._timer(self._timeout_s) as timer:
                async with timer:
                    await work()
                    return OK
        except TimeoutError:
            code = UNKNOWN
        except KafkaError as error:
            code = code_of(error)
        except BaseException:
            self.poison("cancelled")
            raise
        self.poison(f"code {code}")
        return code

    @contextmanager
    def _timer(self, limit_s: float) -> Iterator[asyncio.Timeout]:
        """A time limit that `end_by` can shorten."""
        timer = asyncio.timeout_at(min(_now() + limit_s, self._end_at))
        self._timers.add(timer)
        try:
            yield timer
        finally:
            self._timers.discard(timer)


def _code(response: object) -> int:
    """The code of the one partition of a ProduceResponse, of whatever version."""
    for _, partitions in getattr(response, "topics", ()):
        for _, code, *_ in partitions:
            return int(code)
    return SERVER_ERROR


def _now() -> float:
    return asyncio.get_running_loop().time()
