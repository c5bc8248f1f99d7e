"""The Kafka sink against librdkafka's mock cluster: codes, rebuilds, outages, the end."""

from __future__ import annotations

import asyncio

import pytest

from logagent.edge.kafka import KafkaSink, SinkSettings
from logagent.edge.kafka_connect import Login
from logagent.edge.kafka_faults import UNKNOWN
from logagent.edge.secrets import SecretError
from tests.edge.kafka_mock import (
    INIT_PRODUCER_ID,
    MockKafka,
    mock_kafka,
)
from tests.edge.kafka_pieces import TIMEOUT_S, codes, cut, request, run


def test_a_missing_topic_is_never_created_and_found_when_it_is_there() -> None:
    """Its rows are code 3 while others are delivered; somebody creates it, and they flow."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        for _ in range(3):
            assert codes(await sink.send(request("late:0:a", "t:0:b"))) == [3, 0]
        mock.create("late")
        assert codes(await sink.send(request("late:0:a"))) == [0]
        assert sink.rebuilds == 0

    run(scenario)


def test_a_topic_that_we_may_not_see() -> None:
    """Metadata that refuse a topic are code 29."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.create("hidden")
        mock.refuse("hidden", 29)
        assert codes(await sink.send(request("hidden:0:a"))) == [29]

    run(scenario)


@pytest.mark.slow
def test_an_open_outcome_costs_the_producer() -> None:
    """Without an answer for twice the limit rows are UNKNOWN; the next request has a new producer,
    made only when others under way have ended."""
    reasons: list[str] = []

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        sink._rebuilt = reasons.append
        mock.lead("t", 1)
        mock.lead("t", 2, partition=1)
        assert codes(await sink.send(request("t:0:a", "t:1:a"))) == [0, 0]
        mock.delay(1, 10_000)
        assert codes(await sink.send(request("t:0:b", "t:1:b"))) == [UNKNOWN, 0]
        mock.delay(1, 0)
        assert codes(await sink.send(request("t:0:b"))) == [0]
        assert (sink.rebuilds, reasons, sink.state) == (1, ["outcome open"], "ready")

    run(scenario, brokers=2)


@pytest.mark.slow
def test_what_others_have_under_way_is_cut_off_when_a_producer_is_given_up() -> None:
    """They get `drain_s`, then their outcome is open."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.lead("t", 1)
        mock.lead("t", 2, partition=1)
        assert codes(await sink.send(request("t:0:a", "t:1:a"))) == [0, 0]
        mock.delay(1, 2_000)
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(sink.send(request("t:0:b")))
            await asyncio.sleep(0.1)
            await sink.refresh()
            assert codes(await sink.send(request("t:1:c"))) == [0]
            assert slow.done(), "nothing of the old producer is under way"
            assert codes(await slow) == [UNKNOWN]
        assert sink.rebuilds == 1
        mock.delay(1, 0)

    run(scenario, brokers=2, timeout_s=20.0)


def test_secrets_are_read_by_each_producer() -> None:
    """A secret that can't be read is a fault; `refresh` has it read again."""
    read: list[int] = []

    def login() -> Login:
        read.append(1)
        if len(read) == 1:
            raise SecretError("reading secret /x: it is empty")
        return Login("PLAIN", "user", "password")

    async def main(mock: MockKafka) -> None:
        sink = KafkaSink(cut, ("t",), SinkSettings(mock.servers, timeout_s=TIMEOUT_S), login=login)
        reply = await sink.send(request("t:0:a"))
        assert (reply.fault, reply.sent) == ("secret: reading secret /x: it is empty", False)
        await sink.send(request("t:0:a"))
        await sink.refresh()
        await sink.send(request("t:0:a"))
        assert len(read) == 3
        await sink.close()

    with mock_kafka() as mock:
        asyncio.run(main(mock))


def test_certificates_that_cannot_be_read() -> None:
    """They are a fault, and nothing is connected."""

    def tls() -> None:
        raise ValueError("loading CA file /ca.crt: no start line")

    async def main() -> None:
        settings = SinkSettings(("127.0.0.1:1",))
        sink = KafkaSink(cut, ("t",), settings, tls=tls)  # type: ignore[arg-type]
        reply = await sink.send(request("t:0:a"))
        assert reply.fault == "tls: loading CA file /ca.crt: no start line"
        await sink.close()

    asyncio.run(main())


@pytest.mark.slow
def test_no_broker() -> None:
    """Nobody there is a fault that names the place, before and after one was there."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.down(1)
        refused = f"refused: {mock.servers[0]}"
        assert (await sink.send(request("t:0:a"))).fault == refused
        mock.up(1)
        assert codes(await sink.send(request("t:0:a"))) == [0]
        mock.down(1)
        reply = await sink.send(request("t:0:a"))
        if not reply.fault:  # it was written before the connection's end was seen
            assert codes(reply) == [UNKNOWN]
            reply = await sink.send(request("t:0:a"))
        assert reply.fault == refused
        mock.up(1)
        assert codes(await sink.send(request("t:0:a"))) == [0]

    run(scenario)


def test_a_cluster_that_gives_no_id() -> None:
    """Without the permission to be idempotent the fault says what was refused."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.fail(INIT_PRODUCER_ID, 31)
        fault = (await sink.send(request("t:0:a"))).fault
        assert fault == "connect: getting a producer's id: CLUSTER_AUTHORIZATION_FAILED (31)"

    run(scenario)


@pytest.mark.slow
def test_close_while_all_brokers_are_down() -> None:
    """It ends what is under way within its budget; afterwards nothing is sent."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        assert codes(await sink.send(request("t:0:a"))) == [0]
        mock.delay(1, 10_000)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(sink.send(request("t:0:b")))
            await asyncio.sleep(0.1)
            mock.down(1)
            await sink.close()
            assert codes(await sending) == [UNKNOWN]
        assert (await sink.send(request("t:0:c"))).fault == "closed"

    run(scenario, timeout_s=600.0)
