"""Brokers, leaders and metadata, against librdkafka's mock cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest
from aiokafka.errors import (  # type: ignore[import-untyped]
    CoordinatorNotAvailableError,
    NodeNotReadyError,
    RequestTimedOutError,
)
from aiokafka.protocol.metadata import MetadataRequest  # type: ignore[import-untyped]
from aiokafka.structs import TopicPartition  # type: ignore[import-untyped]

from logagent.edge.kafka_cluster import Cluster
from logagent.edge.kafka_connect import Security
from tests.edge.kafka_mock import METADATA, NO_LEADER, MockKafka, mock_kafka
from tests.edge.kafka_pieces import GUARD_S

FIND_COORDINATOR = 10

Scenario = Callable[[Cluster, MockKafka], Coroutine[None, None, None]]


def run(
    scenario: Scenario, *, brokers: int = 2, before: tuple[str, ...] = (), timeout_s: float = 1.0
) -> None:
    """Run a scenario with the topic `t`; before: servers that are named before the right ones."""

    async def main(mock: MockKafka) -> None:
        servers = (*before, *mock.servers)
        cluster = Cluster(servers, Security(), request_timeout_s=timeout_s)
        async with asyncio.timeout(GUARD_S):
            await scenario(cluster, mock)
        cluster.abort()

    with mock_kafka(brokers) as mock:
        mock.create("t", 2, brokers)
        asyncio.run(main(mock))


def test_leaders() -> None:
    """Before metadata nothing is known; then who leads, and that a topic isn't there."""

    async def scenario(cluster: Cluster, mock: MockKafka) -> None:
        assert cluster.partitions("t") == cluster.brokers == 0
        assert cluster.get_random_node() is None
        assert await cluster.produce_version() == -1
        with pytest.raises(NodeNotReadyError):
            await cluster.coordinator_lookup(1, "id")
        mock.lead("t", 2)
        mock.lead("t", NO_LEADER, partition=1)
        assert await cluster.refresh(["t", "absent"])
        assert (cluster.partitions("t"), cluster.partitions("absent"), cluster.brokers) == (2, 0, 2)
        assert cluster.leader(TopicPartition("t", 0)) == 2
        assert cluster.leader(TopicPartition("t", 1)) is None
        assert cluster.leader(TopicPartition("absent", 0)) is None
        assert not cluster.may_not("absent")
        assert {cluster.get_random_node() for _ in range(4)} == {1, 2}
        assert await cluster.produce_version() >= 7
        assert cluster.age_s < GUARD_S

    run(scenario)


def test_servers_that_are_gone() -> None:
    """The next one is asked; with none left the worst is told, and found again later."""

    async def scenario(cluster: Cluster, mock: MockKafka) -> None:
        assert await cluster.refresh(["t"])
        mock.down(1, 2)
        for _ in range(2):
            assert not await cluster.refresh()
        assert cluster.trouble.startswith("dns: absent.invalid:1: ")
        mock.up(1, 2)
        assert await cluster.refresh()
        assert cluster.trouble == ""

    run(scenario, before=("127.0.0.1:1", "absent.invalid:1"))


def test_questions_at_the_same_time_share_an_answer() -> None:
    """Who asks while an answer is on its way waits for one more, that all of them get."""

    async def scenario(cluster: Cluster, mock: MockKafka) -> None:
        assert await cluster.refresh(["t"])
        mock.track()
        mock.delay(1, 50)
        mock.delay(2, 50)
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(cluster.refresh())
        assert mock.tracked().count(METADATA) == 2
        mock.down(1, 2)
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(cluster.refresh()) for _ in range(5)]
        assert not any(task.result() for task in asked)

    run(scenario)


@pytest.mark.slow
def test_requests() -> None:
    """Nothing goes to a broker that isn't there; one that doesn't answer costs the connection."""

    async def scenario(cluster: Cluster, mock: MockKafka) -> None:
        assert await cluster.refresh(["t"])
        request = MetadataRequest([])
        with pytest.raises(NodeNotReadyError):
            await cluster.send(7, request)
        assert await cluster.ready(1)
        mock.delay(1, 1_500)
        with pytest.raises(RequestTimedOutError):
            await cluster.send(1, request)
        mock.delay(1, 0)
        assert (await cluster.send(1, request)).brokers
        mock.fail(FIND_COORDINATOR, 15)
        with pytest.raises(CoordinatorNotAvailableError):
            await cluster.coordinator_lookup(1, "id")
        assert await cluster.coordinator_lookup(1, "id") in {1, 2}
        assert await cluster.ready(2)

    run(scenario, timeout_s=1.0)


@pytest.mark.slow
def test_abort_while_connecting() -> None:
    """Nothing is connected afterwards, also not what was under way."""

    async def scenario(cluster: Cluster, mock: MockKafka) -> None:
        assert await cluster.refresh(["t"])
        mock.delay(1, 300)
        async with asyncio.TaskGroup() as group:
            connecting = group.create_task(cluster.ready(1))
            await asyncio.sleep(0.05)
            cluster.abort()
        assert connecting.result() is False

    run(scenario)


@pytest.mark.slow
def test_abort_while_asking_for_metadata() -> None:
    """Who asked is told so, a fault like any other, and no further broker is asked."""

    async def scenario(cluster: Cluster, mock: MockKafka) -> None:
        assert await cluster.refresh(["t"])
        mock.delay(1, 300)
        mock.delay(2, 300)
        asking = asyncio.ensure_future(cluster.refresh())
        await asyncio.sleep(0.05)
        cluster.abort()
        assert not await asking
        assert cluster.trouble == "connect: given up meanwhile"
        assert not await cluster.refresh()
        assert cluster.trouble == "connect: given up meanwhile"

    run(scenario)
