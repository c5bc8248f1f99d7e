"""A stream of numbered rows through the Kafka sink, and what is found in the topic afterwards.

A row's number says which file it is from, and so its partition. Rows that aren't acknowledged are
sent again, as the pipeline does, in their order. The reader is another client, librdkafka.
"""

from __future__ import annotations

import asyncio
import json
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import confluent_kafka
from aiokafka.producer.message_accumulator import BatchBuilder  # type: ignore[import-untyped]
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from logagent.core.chunk import Request
from logagent.edge.kafka import KafkaSink
from tests.edge.kafka_pieces import Piece

TOPIC: Final = "numbers"
FILES: Final = 4
ROWS_A_REQUEST: Final = 4_000
TIME_MS: Final = 1_700_000_000_000
READ_S: Final = 60
PAUSE_S: Final = 0.1


def create(
    servers: Sequence[str],
    topic: str,
    *,
    partitions: int = FILES,
    replicas: int = 1,
    settings: dict[str, str] | None = None,
) -> None:
    """Create a topic, and return when it is there."""
    admin = AdminClient({"bootstrap.servers": ",".join(servers)})
    wanted = NewTopic(topic, partitions, replicas, config=settings or {})
    for future in admin.create_topics([wanted]).values():
        future.result(READ_S)


def leader(servers: Sequence[str], topic: str) -> int:
    """The broker that leads a topic's first partition."""
    admin = AdminClient({"bootstrap.servers": ",".join(servers)})
    found: int = admin.list_topics(topic, timeout=READ_S).topics[topic].partitions[0].leader
    return found


def numbers(rows: Sequence[int]) -> Request:
    """A request of these rows."""
    body = json.dumps(list(rows)).encode()
    return Request(body, len(rows), len(body), gzipped=False)


def cut_transactional(request: Request, partitions: Callable[[str], int]) -> Sequence[Piece]:
    """As `cut`, for a transaction."""
    return cut(request, partitions, transactional=True)


def cut(
    request: Request, partitions: Callable[[str], int], *, transactional: bool = False
) -> Sequence[Piece]:
    """A piece for each file that the request has rows of; the header `rid` is the row's id."""
    if not partitions(TOPIC):
        return [Piece(TOPIC, -1, range(request.rows), None)]
    found: list[Piece] = []
    rows: list[int] = json.loads(request.body)
    for file in range(FILES):
        indices = tuple(i for i, row in enumerate(rows) if row % FILES == file)
        if not indices:
            continue
        batch = BatchBuilder(1 << 20, 0, is_transactional=transactional)
        for index in indices:
            text = b"%d" % rows[index]
            batch.append(timestamp=TIME_MS, key=None, value=text, headers=[("rid", text)])
        assert batch.record_count() == len(indices), "it all fits"
        found.append(Piece(TOPIC, file, indices, batch))
    return found


class Told(NamedTuple):
    """What a sender was told: how many rows had which code, and how often there was a fault."""

    codes: Counter[int]
    faults: Counter[str]


async def deliver(
    sink: KafkaSink, rows: int, *, at: dict[int, Callable[[], None]], start: int = 0
) -> Told:
    """Send the rows from `start` to `rows` until each is acknowledged. at: what to do when so many
    are, in the middle of the next request."""
    told = Told(Counter(), Counter())
    for first in range(start, rows, ROWS_A_REQUEST):
        for when in [each for each in at if each <= first]:
            # Its turn comes when the request first waits: for the broker.
            asyncio.get_running_loop().call_soon(asyncio.get_running_loop().call_soon, at.pop(when))
        left: Sequence[int] = range(first, min(rows, first + ROWS_A_REQUEST))
        while left:
            reply = await sink.send(numbers(left))
            if reply.fault:
                told.faults[reply.fault] += 1
            else:
                codes = array("h", reply.body)
                told.codes.update(codes)
                left = [row for row, code in zip(left, codes, strict=True) if code != 0]
            if left:
                await asyncio.sleep(PAUSE_S)
    return told


class Found(NamedTuple):
    """What a topic holds, of a stream."""

    rows: int
    lost: int
    doubled: int
    disordered: int
    """Rows whose first copy came behind the first copy of a later row of the same file."""
    mislabelled: int
    """Copies whose header isn't the row's id."""


def find(servers: Sequence[str], rows: int) -> Found:
    """Read all of the topic, CRCs checked."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": ",".join(servers),
            "group.id": "finder",
            "check.crcs": True,
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    copies = bytearray(rows)
    last = [-1] * FILES
    disordered = mislabelled = total = 0
    try:
        consumer.assign([confluent_kafka.TopicPartition(TOPIC, file, 0) for file in range(FILES)])
        ends = waited = 0
        while ends < FILES:
            messages = consumer.consume(10_000, 1)
            waited = 0 if messages else waited + 1
            assert waited < READ_S, f"rows or an end come within {READ_S} s"
            for message in messages:
                error, value = message.error(), message.value()
                if error is not None:
                    assert error.code() == confluent_kafka.KafkaError._PARTITION_EOF, error
                    ends += 1
                    continue
                assert value is not None
                row, file = int(value), message.partition() or 0
                total += 1
                headers = message.headers() or []
                mislabelled += headers != [("rid", value)] or row % FILES != file
                if not copies[row]:
                    disordered += row < last[file]
                    last[file] = max(last[file], row)
                copies[row] += 1
    finally:
        consumer.close()
    lost = copies.count(0)
    return Found(total, lost, total - (rows - lost), disordered, mislabelled)
