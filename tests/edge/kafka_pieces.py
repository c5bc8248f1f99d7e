"""For tests of the Kafka sink: requests of a row a line, pieces, and a sink on a mock cluster."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, NamedTuple

from aiokafka.producer.message_accumulator import BatchBuilder  # type: ignore[import-untyped]
from msgspec.structs import replace

from logagent.core.chunk import Reply, Request
from logagent.edge.kafka import KafkaSink, SinkSettings
from logagent.edge.kafka_producer import Batch
from tests.edge.kafka_mock import MockKafka, mock_kafka

TIMEOUT_S: Final = 0.6
GUARD_S: Final = 30
"""Only a test that hangs takes so long."""


class Piece(NamedTuple):
    """What the codec makes; see `logagent.edge.kafka.Piece`."""

    topic: str
    partition: int
    rows: range | tuple[int, ...]
    batch: Batch | None


def request(*rows: str) -> Request:
    """A request of rows like "topic:partition:value"."""
    body = "\n".join(rows).encode()
    return Request(body, len(rows), len(body), gzipped=False)


def cut(request: Request, partitions: Callable[[str], int]) -> Sequence[Piece]:
    """A piece for each run of rows to the same partition."""
    return _cut(request, partitions, transactional=False)


def cut_transactional(request: Request, partitions: Callable[[str], int]) -> Sequence[Piece]:
    """The same as parts of a transaction."""
    return _cut(request, partitions, transactional=True)


def _cut(
    request: Request, partitions: Callable[[str], int], *, transactional: bool
) -> Sequence[Piece]:
    runs: list[tuple[str, int, list[int], list[bytes]]] = []
    for index, row in enumerate(request.body.decode().split("\n")):
        topic, number, value = row.split(":")
        if not runs or runs[-1][:2] != (topic, int(number)):
            runs.append((topic, int(number), [], []))
        runs[-1][2].append(index)
        runs[-1][3].append(value.encode())
    pieces = []
    for topic, partition, rows, values in runs:
        if not partitions(topic):
            pieces.append(Piece(topic, -1, tuple(rows), None))
            continue
        batch = BatchBuilder(1 << 20, 0, is_transactional=transactional)
        for each in values:
            batch.append(timestamp=1_700_000_000_000, key=None, value=each, headers=[])
        pieces.append(Piece(topic, partition, tuple(rows), batch))
    return pieces


def codes(reply: Reply) -> list[int]:
    """The codes of a reply, one a row."""
    assert reply.status == 200, reply.fault
    return array("h", reply.body).tolist()


Scenario = Callable[[KafkaSink, MockKafka], Coroutine[None, None, None]]


def run(scenario: Scenario, *, brokers: int = 1, **settings: Any) -> None:  # noqa: ANN401 - mixed
    """Run a scenario with a sink on a mock cluster that has the topic `t` with two partitions."""

    async def main(mock: MockKafka) -> None:
        sink = make(mock, **settings)
        async with asyncio.timeout(GUARD_S):
            await scenario(sink, mock)
            await sink.close()

    with mock_kafka(brokers) as mock:
        mock.create("t", 2, brokers)
        asyncio.run(main(mock))


def make(mock: MockKafka, **settings: Any) -> KafkaSink:  # noqa: ANN401 - mixed
    """A sink with short limits."""
    options = SinkSettings(mock.servers, timeout_s=TIMEOUT_S, drain_s=0.2, close_s=0.2)
    options = replace(options, **settings)
    return KafkaSink(cut_transactional if options.transactional_id else cut, ("t",), options)
