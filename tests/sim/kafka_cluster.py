"""A model of a Kafka cluster's brokers, leaders and topic, and what happens to them by itself.

Knows who leads and what each broker believes about it. Must not know a connection's bytes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from aiokafka.protocol.metadata import (  # type: ignore[import-untyped]
    MetadataRequest_v5,
    MetadataResponse_v5,
)

from tests.sim.kafka_log import Batch, Partition
from tests.sim.outputs import KafkaPlan, OutputPlan
from tests.sim.watch import Model
from tests.sim.wire import Wire

if TYPE_CHECKING:
    from tests.sim.world import World

TOPIC: Final = "logs"
PORT: Final = 9092


class Broker:
    """One broker: `wire.Peer`."""

    def __init__(self, cluster: Cluster, number: int) -> None:
        self.number = number
        self.down_until = 0.0
        self.how: Literal["refused", "silent"] = "refused"
        self._cluster = cluster

    @property
    def host(self) -> str:
        """Its name."""
        return f"{self._cluster.plan.name}-{self.number}"

    @property
    def is_down(self) -> bool:
        """Whether it answers nobody."""
        cluster = self._cluster
        away = not cluster.world.calm and cluster.world.clock.now < self.down_until
        return away or cluster.outage() in {"refused", "silent"}

    def admits(self) -> Literal["yes", "refused", "silent"]:
        """See `wire.Peer`."""
        outage = self._cluster.outage()
        if outage == "silent" or (self.is_down and self.how == "silent"):
            return "silent"
        return "refused" if self.is_down or self._cluster.roll("refused") else "yes"

    def asked(self, wire: Wire, frame: bytes) -> None:
        """See `wire.Peer`."""
        self._cluster.asked(self, wire, frame)


class Cluster(Model):
    """The brokers of one output."""

    def __init__(self, world: World, plan: OutputPlan) -> None:
        super().__init__(world, plan)
        assert plan.kafka is not None
        self.kafka: KafkaPlan = plan.kafka
        self.brokers = [Broker(self, number) for number in range(self.kafka.brokers)]
        self.partitions = [Partition(index) for index in range(self.kafka.partitions)]
        self.topic_missing_until = 0.0
        for broker in self.brokers:
            world.network.peers[broker.host] = broker
        for each in self.partitions:
            each.leader = each.index % len(self.brokers)
        if self.kafka.unrest:
            self._plan_unrest()

    def asked(self, broker: Broker, wire: Wire, frame: bytes) -> None:
        """A request is on its way."""
        raise NotImplementedError

    # What happens to the cluster by itself.

    def _plan_unrest(self) -> None:
        world = self.world
        world.clock.at(world.clock.now + world.rng.expovariate(self.kafka.unrest), self._unrest)

    def _unrest(self) -> None:
        world, rng = self.world, self.world.rng
        if world.calm:
            return
        until = world.clock.now + rng.uniform(0.3, 5.0)
        what = rng.choice(["move", "move", "leaderless", "down", "topic"])
        each = rng.choice(self.partitions)
        world.note("unrest", self.plan.name, what, until)
        if what == "move":
            self.elect(each)
        elif what == "leaderless":
            world.mark("kafka_leaderless")
            each.leaderless_until = until
            world.clock.at(until, partial(self.elect, each))
        elif what == "topic":
            world.mark("kafka_no_topic")
            self.topic_missing_until = until if rng.random() < 0.5 else world.clock.now
        else:
            self._take_down(rng.choice(self.brokers), until)
        self._plan_unrest()

    def _take_down(self, broker: Broker, until: float) -> None:
        world = self.world
        world.mark("kafka_broker_down")
        broker.down_until = until
        broker.how = "silent" if world.rng.random() < 0.3 else "refused"
        if broker.how == "refused":
            world.network.cut(broker)
        after = world.clock.now + world.rng.uniform(0.0, 1.5)
        for each in self.partitions:
            if each.leader == broker.number:
                each.leaderless_until = after
                world.clock.at(after, partial(self.elect, each))

    def elect(self, partition: Partition) -> None:
        """A new leader, if there is a broker for it; it may lack what wasn't acknowledged."""
        rng = self.world.rng
        up = [broker for broker in self.brokers if not broker.is_down] or self.brokers
        keep = rng.randint(0, len(partition.shaky))
        if keep < len(partition.shaky):
            self.world.mark("kafka_rolled_back")
        leader = rng.choice(up).number
        partition.moved_at = self.world.clock.now
        for batch in partition.elect(leader, keep):
            self.certain(partition, batch)

    def certain(self, partition: Partition, batch: Batch) -> None:
        """A batch is in the log for good."""
        oracle, name = self.world.oracle, self.plan.name
        self.world.note("certain", name, partition.index, batch.producer, batch.first)
        for record in batch.records:
            seen = oracle.look(name, record.value)
            self.applied(batch.attempt, seen)
            oracle.records[name].identified(seen, record.id)
            oracle.records[name].ordered(partition.index, seen)

    # What it says about itself.

    def metadata(self, broker: Broker, request: MetadataRequest_v5) -> bytes:
        """What a broker believes: it may not have heard of the last change."""
        world = self.world
        world.expect(request.allow_auto_topic_creation is False, "no topic is created")
        brokers = [(each.number, each.host, PORT, None) for each in self.brokers]
        topics: list[tuple[int, str, bool, list[tuple[object, ...]]]] = []
        for topic in request.topics:
            if topic != TOPIC or self.has_no_topic():
                topics.append((3, topic, False, []))
                continue
            parts: list[tuple[object, ...]] = [
                (*self._belief(broker, each), [0], [0], []) for each in self.partitions
            ]
            topics.append((0, topic, False, parts))
        return bytes(MetadataResponse_v5(0, brokers, "model", 0, topics).encode())

    def _belief(self, broker: Broker, each: Partition) -> tuple[int, int, int]:
        """Code, number and leader of a partition, as a broker knows it."""
        if self.has_no_leader(each):
            return 5, each.index, -1
        fresh = self.world.clock.now - each.moved_at < 1.0
        if fresh and broker.number != each.leader and self.roll("stale_view"):
            return 0, each.index, (each.leader + 1) % len(self.brokers)
        return 0, each.index, each.leader

    def has_no_topic(self) -> bool:
        """Whether the topic is missing just now."""
        return not self.world.calm and self.world.clock.now < self.topic_missing_until

    def has_no_leader(self, each: Partition) -> bool:
        """Whether a partition has no leader just now."""
        return not self.world.calm and self.world.clock.now < each.leaderless_until
