"""Transactions on a real broker: all of a request or nothing, over kills, and one writer an id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from logagent.edge.kafka import KafkaSink, SinkSettings
from logagent.edge.kafka_faults import EPOCH, NOT_SENT
from tests.e2e.kafka_stream import (
    ROWS_A_REQUEST,
    TOPIC,
    create,
    cut_transactional,
    deliver,
    find,
    numbers,
)
from tests.e2e.servers.kafka import Kafka, kafka
from tests.edge.kafka_mock import read_back
from tests.edge.kafka_pieces import codes, request
from tests.edge.kafka_pieces import cut_transactional as cut_lines

ROWS = 100_000
GUARD_S = 120


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Kafka]:
    """A cluster of one broker."""
    with kafka(tmp_path) as brokers:
        yield brokers


def make(one: Kafka) -> KafkaSink:
    """A sink with a transactional id."""
    settings = SinkSettings(tuple(one.servers), timeout_s=5.0, transactional_id="pod-out")
    return KafkaSink(cut_transactional, (TOPIC,), settings)


def test_a_broker_is_killed_and_comes_back(one: Kafka) -> None:
    """None lost among what is committed, in order, and few twice."""
    create(one.servers, TOPIC)

    def bounce() -> None:
        one.brokers[0].kill()
        one.brokers[0].launch()

    async def main() -> int:
        sink = make(one)
        async with asyncio.timeout(GUARD_S):
            told = await deliver(sink, ROWS, at={ROWS // 3: bounce, 2 * ROWS // 3: bounce})
            await sink.close()
        print(f"{told}, rebuilds: {sink.rebuilds}")
        return sink.rebuilds

    rebuilds = asyncio.run(main())
    found = find(one.servers, ROWS)
    print(found)
    assert (found.lost, found.disordered, found.mislabelled) == (0, 0, 0)
    assert rebuilds <= 2 * 2
    assert found.doubled <= rebuilds * ROWS_A_REQUEST


def test_all_or_nothing(one: Kafka) -> None:
    """With one batch that is too large none of its request is to be seen; the next is seen."""
    create(one.servers, "t", partitions=2, settings={"max.message.bytes": "2000"})
    large = "x" * 3_000

    async def main() -> None:
        settings = SinkSettings(tuple(one.servers), timeout_s=5.0, transactional_id="pod-out")
        sink = KafkaSink(cut_lines, ("t",), settings)
        answer = codes(await sink.send(request("t:0:a", f"t:1:{large}")))
        assert answer == [NOT_SENT, 10]
        assert codes(await sink.send(request("t:0:b", "t:1:b"))) == [0, 0]
        assert sink.rebuilds == 0
        await sink.close()

    asyncio.run(main())
    assert read_back(one.servers, "t") == [b"b", b"b"]
    assert read_back(one.servers, "t", settled=False) == [b"a", b"b", b"b"]


def test_a_second_writer_fences_the_first(one: Kafka) -> None:
    """Whoever starts last with an id writes; the other is told so and doesn't take it back."""
    create(one.servers, TOPIC)

    async def main() -> None:
        first, second = make(one), make(one)
        assert not any(codes(await first.send(numbers(range(100)))))
        assert not any(codes(await second.send(numbers(range(100, 200)))))
        assert codes(await first.send(numbers(range(200, 300)))) == [EPOCH] * 100
        assert (await first.send(numbers(range(200, 300)))).fault.startswith("fenced: pod-out")
        await first.refresh()
        assert (await first.send(numbers(range(200, 300)))).fault.startswith("fenced: pod-out")
        await first.close()
        assert not any(codes(await second.send(numbers(range(200, 300)))))
        await second.close()

    asyncio.run(main())
    found = find(one.servers, 300)
    assert (found.lost, found.doubled) == (0, 0)
