"""A model of a Kafka cluster behind its wire: aiokafka's connections and our producer are real.

Modelled: brokers that go and come back, metadata that lag behind, leaders that move or are missing,
a topic that isn't there for a while, sequence checks, batches that are appended and rolled back
with their leader, answers that don't come, codes out of nothing, batches that arrive long after
their connection was closed. Not modelled: transactions, SASL, quotas, partitions that are added.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Final

from aiokafka.protocol.admin import ApiVersionResponse_v0  # type: ignore[import-untyped]
from aiokafka.protocol.metadata import MetadataRequest_v5  # type: ignore[import-untyped]
from aiokafka.protocol.produce import (  # type: ignore[import-untyped]
    ProduceRequest_v7,
    ProduceResponse_v7,
)
from aiokafka.protocol.transaction import InitProducerIdResponse_v0  # type: ignore[import-untyped]

from logagent.codecs.kafka import KafkaCodec
from logagent.core.chunk import Reply
from logagent.edge.kafka import KafkaSink, SinkSettings
from tests.sim.accounts import Key
from tests.sim.kafka_cluster import PORT, TOPIC, Broker, Cluster
from tests.sim.kafka_log import Batch, Partition, Reader
from tests.sim.outputs import OutputPlan
from tests.sim.watch import Attempt, Watched, current
from tests.sim.wire import Wire

if TYPE_CHECKING:
    from tests.sim.world import World

PRODUCE, METADATA, VERSIONS, INIT_ID = 0, 3, 18, 22
API_VERSIONS: Final = [(PRODUCE, 3, 7), (METADATA, 4, 5), (VERSIONS, 0, 0), (INIT_ID, 0, 0)]
ODD_CODES: Final = (-1, 2, 45, 47, 56, 59)
DUPLICATE: Final = 46
REFUSALS: Final = frozenset({10, 87})

_HEADER: Final = Struct(">hhih")
"""API, version, correlation id, length of the client's id."""


class KafkaModel(Cluster):
    """The cluster of one output, and the sinks that send to it."""

    def __init__(self, world: World, plan: OutputPlan) -> None:
        super().__init__(world, plan)
        self._reader = Reader()
        self._producers = 0
        self._made: KafkaSink | None = None

    def sink(self, codec: KafkaCodec) -> Watched:
        """A process's sink."""
        settings = SinkSettings(
            tuple(f"{broker.host}:{PORT}" for broker in self.brokers),
            timeout_s=self.kafka.timeout_s,
            sequences_max=self.kafka.sequences_max,
        )
        made = self._made = KafkaSink(codec.split_pieces, [TOPIC], settings, rebuilt=self._rebuilt)
        return Watched(self, made, codec, partial(self._heard, codec))

    def crash(self) -> None:
        """See `watch.Model`. The dead process's connections are closed, or aiokafka complains."""
        super().crash()
        producer = self._made._producer if self._made else None
        if producer is not None:
            producer.cluster.abort()

    def _rebuilt(self, why: str) -> None:
        self.world.mark("kafka_sequences" if why == "sequences" else "kafka_rebuilt")
        self.world.note("rebuilt", self.plan.name, why)

    def _heard(self, codec: KafkaCodec, attempt: Attempt, reply: Reply) -> set[Key] | None:
        """See `watch.Heard`."""
        codes = array("h", reply.body)
        if len(codes) != 1 or codes[0] not in REFUSALS:
            attempt.refused.clear()  # it will be asked again before anything is rejected
        if reply.status != 200:
            return set()
        if not any(codes):
            return None
        rows = codec.split(attempt.request)
        look = self.world.oracle.look
        done = [row for row, code in zip(rows, codes, strict=True) if code == 0]
        return {look(self.plan.name, codec.document(row)).key for row in done}

    # What is asked of it.

    def asked(self, broker: Broker, wire: Wire, frame: bytes) -> None:
        """A request is on its way."""
        api, _, correlation, size = _HEADER.unpack_from(frame)
        body = frame[_HEADER.size + max(0, size) :]
        answer: Callable[[], bytes | None]
        delay = self.latency() / 2
        if api == PRODUCE:
            batch_of = ProduceRequest_v7.decode(body)
            topic, [(index, records)] = batch_of.topics[0]
            self.world.expect(topic == TOPIC, "a batch goes to the topic")
            batch = self._reader.read(records, current())
            self.world.note("produce", broker.host, index, batch.producer, batch.first)
            delay += self.world.rng.uniform(0.1, 6.0) if self.roll("late") else 0.0
            answer = partial(self._produce, broker, wire, index, batch)
        elif api == METADATA:
            answer = partial(self.metadata, broker, MetadataRequest_v5.decode(body))
        elif api == VERSIONS:
            answer = ApiVersionResponse_v0(0, API_VERSIONS).encode
        else:
            self.world.expect(api == INIT_ID, "only what is modelled is asked")
            answer = self._init_id
        wire.arrives_at = max(wire.arrives_at, self.world.clock.now + delay)
        arrival = partial(self._arrive, broker, wire, correlation, answer)
        self.world.clock.at(wire.arrives_at, arrival)

    def _arrive(
        self, broker: Broker, wire: Wire, correlation: int, answer: Callable[[], bytes | None]
    ) -> None:
        """A request is there."""
        if broker.is_down or (not wire.is_open and self.world.rng.random() < 0.4):
            return
        reply = answer()
        if reply is not None:
            later = self.world.clock.now + self.latency() / 2
            if self.roll("late_reply"):
                later += self.world.rng.uniform(0.5, 6.0)
            data = correlation.to_bytes(4, "big") + reply
            self.world.clock.at(later, partial(wire.answer, data))

    def _init_id(self) -> bytes:
        if self.roll("no_id"):
            code = self.world.rng.choice([14, 15, 56])
            return bytes(InitProducerIdResponse_v0(0, code, -1, -1).encode())
        self._producers += 1
        return bytes(InitProducerIdResponse_v0(0, 0, self._producers, 0).encode())

    def _produce(self, broker: Broker, wire: Wire, index: int, batch: Batch) -> bytes | None:
        """What a broker does with a batch; None when it doesn't answer."""
        partition = self.partitions[index]
        if self.roll("cut_before"):
            self.world.mark("kafka_cut_before")
            wire.reset()
            return None
        code = self._refusal(broker, partition, batch)
        if code is None:
            if not wire.is_open:
                self.world.mark("kafka_late")
            code = self._append(wire, partition, batch)
        if code is None:
            return None
        self.world.note("produced", self.plan.name, index, batch.producer, batch.first, code)
        return bytes(ProduceResponse_v7([(TOPIC, [(index, code, 0, -1, 0)])], 0).encode())

    def _refusal(self, broker: Broker, partition: Partition, batch: Batch) -> int | None:
        """The code for a batch that isn't appended."""
        world, oracle, name = self.world, self.world.oracle, self.plan.name
        if self.has_no_topic():
            return 3
        if broker.number != partition.leader or self.has_no_leader(partition):
            world.mark("kafka_not_leader")
            return 6
        if self.outage() == "busy" or self.roll("too_few"):
            world.mark("kafka_too_few")
            return 19
        if self.roll("odd_code"):
            world.mark("kafka_odd_code")
            return world.rng.choice(ODD_CODES)
        if world.calm:
            return None
        seen = [oracle.look(name, record.value) for record in batch.records]
        poisoned = self.plan.poison_every and any(oracle.is_poison(self.plan, s) for s in seen)
        if batch.size <= self.plan.limit_bytes and not poisoned:
            return None
        code = 87 if poisoned else 10
        world.mark("kafka_poison" if poisoned else "kafka_too_large")
        if len(seen) == 1:
            batch.attempt.refused.append(seen[0])
            oracle.records[name].refused(seen[0])
        return code

    def _append(self, wire: Wire, partition: Partition, batch: Batch) -> int | None:
        """Append a batch, or find that it is there; the code, or None for no answer."""
        world = self.world
        checked = partition.check(batch)
        if isinstance(checked, int) and checked:
            world.note("sequence", self.plan.name, checked)
            return checked
        code = 0
        if isinstance(checked, Batch):
            world.mark("kafka_duplicate")
            code = world.rng.choice([0, DUPLICATE])
            batch = checked
        else:
            partition.append(batch)
        for fault, what in (("after_append", 20), ("timed_out", 7)):
            if self.roll(fault):
                world.mark(f"kafka_{fault}")
                if world.rng.random() < 0.5:  # such brokers lose their office soon
                    soon = world.clock.now + world.rng.uniform(0.0, 0.3)
                    world.clock.at(soon, partial(self.elect, partition))
                return what
        cut = self.roll("cut_after")
        if not cut or world.rng.random() < 0.5:
            for each in partition.settle(batch):
                self.certain(partition, each)
        if world.dies("send"):
            return None
        if cut:
            world.mark("kafka_cut_after")
            wire.reset()
            return None
        return code
