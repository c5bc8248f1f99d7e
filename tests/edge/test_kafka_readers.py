"""Batches over a wire: aiokafka's producer sends them, librdkafka reads them and checks them.

The broker is librdkafka's own mock cluster, in this process, on loopback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from msgspec.structs import replace

from logagent.codecs.kafka_records import Compression
from tests.codecs.kafka_support import Row, codec_of, pieces_of, settings

ROWS = [
    Row(b'{"@timestamp":"2026-11-24T10:11:12.%03dZ","n":%d}' % (n % 1000, n), b"%027d" % n)
    for n in range(3000)
]

ROUNDS = (ROWS[:2000], ROWS[2000:])


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """A mock cluster of one broker."""
    cluster = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1})
    found = cluster.list_topics(timeout=10).brokers
    (one,) = found.values()
    yield f"{one.host}:{one.port}"
    cluster.flush(1)


def read(broker: str, topic: str, partition: int, count: int) -> list[Message]:
    """So many records, their checksums compared."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "g", "check.crcs": True})
    consumer.assign([TopicPartition(topic, partition, 0)])
    found: list[Message] = []
    while len(found) < count:
        more = consumer.consume(count - len(found), timeout=10)
        assert more, "the mock cluster has nothing more"
        assert not [message.error() for message in more if message.error()]
        found += more
    consumer.close()
    return found


async def send(broker: str, topic: str, compression: Compression) -> int:
    """Send all rows, in two batches of one idempotent producer; return the partition."""
    chosen = replace(settings(topic), compression=compression, file_header="file")
    producer = AIOKafkaProducer(bootstrap_servers=broker, enable_idempotence=True)
    await producer.start()
    try:
        partitions = len(await producer.partitions_for(topic))
        made = [pieces_of(codec_of(chosen), r, lambda _: partitions) for r in ROUNDS]
        for (piece,) in made:
            await (await producer.send_batch(piece.batch, topic, partition=piece.partition))
    finally:
        await producer.stop()
    return made[0][0].partition


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_librdkafka_reads_what_aiokafka_sent(broker: str, compression: Compression) -> None:
    """In any codec, keys, values, headers and times arrive, under checksums that are right."""
    topic = f"logs-{compression}"
    partition = asyncio.run(send(broker, topic, compression))
    messages = read(broker, topic, partition, len(ROWS))
    assert [message.value() for message in messages] == [row.document for row in ROWS]
    assert {message.key() for message in messages} == {ROWS[0].origin.path.encode()}
    assert messages[5].timestamp() == (1, 1_795_515_072_005)
    headers = [("file", b"/var/log/app/app.log"), ("logagent-id", ROWS[2999].id)]
    assert messages[2999].headers() == headers
