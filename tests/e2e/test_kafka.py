"""The Kafka sink against real brokers: killed in mid-stream, without leader, closed while down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logagent.edge.kafka import KafkaSink, SinkSettings
from logagent.edge.kafka_faults import UNKNOWN_TOPIC
from tests.e2e.kafka_stream import (
    ROWS_A_REQUEST,
    TOPIC,
    Found,
    create,
    cut,
    deliver,
    find,
    leader,
    numbers,
)
from tests.e2e.servers.kafka import Broker, Kafka, kafka
from tests.edge.kafka_pieces import codes

ROWS = 1_000_000
ROWS_OF_THREE = 200_000
TIMEOUT_S = 3.0
GUARD_S = 240
FROZEN_S = 4.0


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Kafka]:
    """A cluster of one broker."""
    with kafka(tmp_path) as brokers:
        yield brokers


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Kafka]:
    """A cluster of three, with the topic on all of them; two must have a record."""
    with kafka(tmp_path, brokers=3) as brokers:
        create(brokers.servers, TOPIC, replicas=3)
        yield brokers


def make(brokers: Kafka, timeout_s: float = TIMEOUT_S) -> KafkaSink:
    """A sink whose limits are short enough for a test, and longer than an election."""
    return KafkaSink(cut, (TOPIC,), SinkSettings(tuple(brokers.servers), timeout_s=timeout_s))


def stream(
    brokers: Kafka,
    rows: int,
    *,
    at: dict[int, Callable[[], None]],
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Deliver a stream; how many producers it took besides the first."""

    async def main() -> int:
        sink = make(brokers, timeout_s)
        async with asyncio.timeout(GUARD_S):
            told = await deliver(sink, rows, at=at)
            await sink.close()
        print(f"codes: {dict(told.codes)}, faults: {dict(told.faults)}, rebuilds: {sink.rebuilds}")
        return sink.rebuilds

    return asyncio.run(main())


def check(found: Found, *, rebuilds: int, faults: int) -> None:
    """What is promised: none lost, in order, few twice, and few new producers."""
    print(found)
    assert (found.lost, found.disordered, found.mislabelled) == (0, 0, 0)
    assert rebuilds <= 2 * faults
    # A request has one batch a partition.
    assert found.doubled <= rebuilds * ROWS_A_REQUEST


def test_a_broker_is_killed_and_comes_back(one: Kafka) -> None:
    """A million rows over three kills: none lost, few twice and under the same id, in order."""
    create(one.servers, TOPIC)

    def bounce() -> None:
        one.brokers[0].kill()
        one.brokers[0].launch()

    at = {ROWS * part // 4: bounce for part in (1, 2, 3)}
    rebuilds = stream(one, ROWS, at=at)
    check(find(one.servers, ROWS), rebuilds=rebuilds, faults=3)


def test_a_leader_is_killed(three: Kafka) -> None:
    """Of three brokers the one that leads is frozen and then killed in mid-stream, so that it takes
    batches and doesn't answer; it comes back, and the next leader goes the same way: none lost."""
    victims: list[Broker] = []

    def kill() -> None:
        victims.append(three.brokers[leader(three.servers, TOPIC) - 1])
        victims[-1].freeze()
        asyncio.get_running_loop().call_later(0.3, victims[-1].kill)

    def back() -> None:
        victims[-1].launch()

    parts = {1: kill, 2: back, 3: kill}
    at = {ROWS_OF_THREE * part // 4: what for part, what in parts.items()}
    rebuilds = stream(three, ROWS_OF_THREE, at=at)
    alive = [broker.address() for broker in three.brokers if broker.is_running]
    check(find(alive, ROWS_OF_THREE), rebuilds=rebuilds, faults=2)


def test_a_broker_stands_still_for_longer_than_all_limits(one: Kafka) -> None:
    """It has batches in its sockets that nobody waits for any more when it goes on: then rows are
    there twice, under the same id, and a new producer goes on."""
    create(one.servers, TOPIC)

    def freeze() -> None:
        one.brokers[0].freeze()
        asyncio.get_running_loop().call_later(FROZEN_S, one.brokers[0].thaw)

    at = {ROWS_OF_THREE * part // 3: freeze for part in (1, 2)}
    rebuilds = stream(one, ROWS_OF_THREE, at=at, timeout_s=1.0)
    assert rebuilds >= 1, "the limits passed"
    check(find(one.servers, ROWS_OF_THREE), rebuilds=rebuilds, faults=2)


def test_partitions_without_leader_for_long(three: Kafka) -> None:
    """Two of three brokers are gone for three times the limit: delivery resumes by itself."""

    async def main() -> float:
        sink = make(three)
        assert not any(codes(await sink.send(numbers(range(100)))))
        victims = three.brokers[:2]
        for broker in victims:
            broker.kill()
        loop = asyncio.get_running_loop()

        def back() -> None:
            for broker in victims:
                broker.launch()

        loop.call_later(3 * TIMEOUT_S, back)
        async with asyncio.timeout(GUARD_S):
            while not all(victim.is_running for victim in victims):
                await sink.send(numbers(range(100, 200)))
                await asyncio.sleep(0.1)
            for broker in victims:
                await asyncio.to_thread(broker.wait_ready)
            back_at = time.monotonic()
            await deliver(sink, 200, at={}, start=100)
        resumed_s = time.monotonic() - back_at
        await sink.close()
        return resumed_s

    resumed_s = asyncio.run(main())
    print(f"delivered {resumed_s:.1f} s after the brokers were ready")
    found = find(three.servers, 200)
    assert (found.lost, found.disordered) == (0, 0)
    assert resumed_s < 30


def test_close_while_the_brokers_are_down(one: Kafka) -> None:
    """It returns within its budget, with a request under way."""
    create(one.servers, TOPIC)

    async def main() -> float:
        sink = KafkaSink(cut, (TOPIC,), SinkSettings(tuple(one.servers), close_s=1.0))
        assert not any(codes(await sink.send(numbers(range(100)))))
        one.brokers[0].freeze()
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(sink.send(numbers(range(100, 200))))
            await asyncio.sleep(0.2)
            one.brokers[0].kill()
            began = time.monotonic()
            await sink.close()
            taken_s = time.monotonic() - began
            assert all(code < 0 for code in codes(await sending))
        return taken_s

    taken_s = asyncio.run(main())
    print(f"closed in {taken_s:.2f} s")
    assert taken_s < 5


def test_a_batch_that_is_too_large(one: Kafka) -> None:
    """It is refused, costs no producer, and the partition goes on."""
    create(one.servers, TOPIC, settings={"max.message.bytes": "2000"})

    async def main() -> None:
        sink = make(one)
        for _ in range(3):
            assert codes(await sink.send(numbers(range(1_000)))) == [10] * 1_000
            assert not any(codes(await sink.send(numbers(range(100)))))
        assert sink.rebuilds == 0
        await sink.close()

    asyncio.run(main())
    assert find(one.servers, 100).doubled == 200


def test_a_missing_topic(one: Kafka) -> None:
    """It is never created by asking, though the broker would; created by somebody, rows flow."""

    async def main() -> None:
        sink = make(one)
        for _ in range(3):
            assert codes(await sink.send(numbers(range(100)))) == [UNKNOWN_TOPIC] * 100
        await asyncio.to_thread(create, one.servers, TOPIC)
        assert not any(codes(await sink.send(numbers(range(100)))))
        await sink.close()

    asyncio.run(main())
    assert find(one.servers, 100).lost == 0
