"""Kafka batches as their readers see them: decoded by aiokafka's own code, checksum and all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Final, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatch  # type: ignore[import-untyped]

from logagent.codecs.kafka import KafkaCodec
from logagent.codecs.kafka_plan import KafkaSettings
from logagent.codecs.kafka_records import Compression, Piece, RecordBatch, Tools
from logagent.codecs.naming import TOPIC, Choice, Template
from logagent.core.chunk import Origin, Request
from logagent.edge.kafka_tools import compressor, crc32c
from tests.fakes.origin import ORIGIN

NOW_NS: Final = 1_790_000_000_000_000_000
NOW_MS: Final = NOW_NS // 10**6
TEAMS: Final = {"team": Choice("team", ("pay", "search"), "other")}


class Record(NamedTuple):
    """A record as a consumer has it."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    time_ms: int


class Row(NamedTuple):
    """What a test puts into a request."""

    document: bytes
    id: bytes = b"EjRWeJq83vA0000000000000001"
    origin: Origin = ORIGIN


def tools(compression: Compression = "zstd") -> Tools:
    """The real ones, with a clock that stands still."""
    return Tools(crc32c, compressor(compression), lambda: NOW_NS)


def settings(topic: str = "app-logs") -> KafkaSettings:
    """The least that must be said."""
    return KafkaSettings(topic=Template(topic, TOPIC, TEAMS))


def codec_of(chosen: KafkaSettings | None = None) -> KafkaCodec:
    """A codec with the real tools."""
    chosen = chosen or settings()
    return KafkaCodec(chosen, tools(chosen.compression))


def request_of(codec: KafkaCodec, rows: Iterable[Row]) -> Request:
    """A request as the agent makes it: a chunk for each stretch of rows of one file."""
    packer = codec.packer()
    count = 0
    for origin, chunk in groupby(rows, key=lambda row: row.origin):
        frame = codec.frame(origin)
        wires = [
            (row.id + frame.middle if frame.middle else b"") + row.document + frame.tail
            for row in chunk
        ]
        packer.add(b"".join(wires), origin)
        count += len(wires)
    return packer.close(count)


def pieces_of(
    codec: KafkaCodec, rows: Iterable[Row], partitions: Callable[[str], int] = lambda _: 3
) -> list[Piece]:
    """The pieces of a request of these rows."""
    return codec.split_pieces(request_of(codec, rows), partitions)


def decode(batch: RecordBatch | None) -> list[Record]:
    """The records of a batch, whose checksum is right and whose offsets count from 0."""
    assert batch is not None
    data = batch._build()
    assert len(data) == batch.size()
    read = DefaultRecordBatch(bytes(data))
    assert read.validate_crc()
    records = list(read)
    assert [record.offset for record in records] == list(range(batch.record_count()))
    assert read.max_timestamp == max(record.timestamp for record in records)
    assert {record.timestamp_type for record in records} == {0}
    return [Record(r.key, r.value, list(r.headers), r.timestamp) for r in records]
