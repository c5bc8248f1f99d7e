"""Pieces on their way over librdkafka's mock cluster: order, and all or nothing."""

from __future__ import annotations

import asyncio

import pytest

from logagent.edge.kafka import KafkaSink
from logagent.edge.kafka_faults import NOT_SENT
from tests.edge.kafka_mock import (
    ADD_PARTITIONS_TO_TXN,
    END_TXN,
    INIT_PRODUCER_ID,
    PRODUCE,
    MockKafka,
    read_back,
)
from tests.edge.kafka_pieces import codes, request, run


@pytest.mark.slow
def test_rows_arrive_in_order() -> None:
    """Pieces go to their partitions, those of one partition in the request's order."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        rows = [f"t:{i % 2}:{i:03}" for i in range(100)]
        assert codes(await sink.send(request(*rows))) == [0] * 100
        evens, odds = ([b"%03d" % i for i in range(start, 100, 2)] for start in (0, 1))
        assert await asyncio.to_thread(read_back, mock.servers, "t") == evens + odds
        assert (sink.state, sink.rebuilds) == ("ready", 0)

    run(scenario)


@pytest.mark.slow
def test_nothing_overtakes_what_failed() -> None:
    """Behind a batch that wasn't taken nothing more is sent to that partition."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.fail(PRODUCE, 0, 10)
        rows = ("t:0:a", "t:0:b", "u:0:?", "t:0:c", "u:0:?", "t:0:d")
        assert codes(await sink.send(request(*rows))) == [0, 0, 3, 10, 3, NOT_SENT]
        assert await asyncio.to_thread(read_back, mock.servers, "t") == [b"a", b"b"]

    run(scenario)


def test_transactions() -> None:
    """A request is one transaction: with a row that is refused none counts, except that rows whose
    topic isn't there don't stop the others. A coordinator that is busy is asked again; what
    leaves the transaction in doubt costs the producer."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        assert codes(await sink.send(request("t:0:a", "t:1:a", "u:0:a"))) == [0, 0, 3]
        assert codes(await sink.send(request("u:0:a"))) == [3]
        mock.fail(END_TXN, 51, 15)
        mock.fail(ADD_PARTITIONS_TO_TXN, 51)
        assert codes(await sink.send(request("t:0:b"))) == [0]
        mock.fail(PRODUCE, 10)
        assert codes(await sink.send(request("t:0:c", "t:1:c"))) in ([10, -3], [-3, 10])
        assert sink.rebuilds == 0
        mock.fail(ADD_PARTITIONS_TO_TXN, 29)
        assert codes(await sink.send(request("t:0:d"))) == [29]
        mock.fail(END_TXN, 48)
        assert codes(await sink.send(request("t:0:d", "t:1:d"))) == [48, 48]
        mock.fail(PRODUCE, 45)
        assert codes(await sink.send(request("t:0:d"))) == [45]
        assert codes(await sink.send(request("t:0:d"))) == [0]
        assert sink.rebuilds == 3

    run(scenario, transactional_id="pod-out")


@pytest.mark.slow
def test_a_cancelled_transaction_costs_the_producer() -> None:
    """Also when no batch is in doubt: what was appended must not be committed with the next."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        assert codes(await sink.send(request("t:0:a"))) == [0]
        mock.fail(PRODUCE, 0, *[19] * 9)
        sending = asyncio.ensure_future(sink.send(request("t:0:b", "t:1:c")))
        await asyncio.sleep(0.2)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert codes(await sink.send(request("t:0:d"))) == [0]
        assert sink.rebuilds == 1

    run(scenario, transactional_id="pod-out", timeout_s=5.0)


@pytest.mark.parametrize(("api_key", "code"), [(PRODUCE, 47), (PRODUCE, 90), (END_TXN, 47)])
def test_a_fenced_sink_does_not_fence_back(api_key: int, code: int) -> None:
    """Another agent has our transactional id: no new producer takes it from that one again."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.track()
        mock.fail(api_key, code)
        assert codes(await sink.send(request("t:0:a"))) == [code]
        for _ in range(2):
            assert (await sink.send(request("t:0:a"))).fault.startswith("fenced: pod-out")
            await sink.refresh()
        assert mock.tracked().count(INIT_PRODUCER_ID) == 1

    run(scenario, transactional_id="pod-out")
