"""The question: what Kafka's record batches cost a row, from a request to the bytes to send.

Rows come in the request of one batch, from one file (a key, an id header), and go to one partition.
"""

from __future__ import annotations

from typing import Literal

import pytest
from msgspec.structs import replace

from bench.conftest import Measure
from bench.corpus import Kind, chunks_of
from bench.renderers import BATCH_BYTES, FACTS, FIELDS, GENERATION, NOW
from logagent.codecs.kafka import KafkaCodec
from logagent.codecs.kafka_plan import KafkaSettings
from logagent.codecs.kafka_records import Compression, Tools
from logagent.codecs.naming import TOPIC, Template
from logagent.core.chunk import Origin, Request
from logagent.edge.kafka_tools import compressor, crc32c, now_ns
from logagent.render.metadata import build
from logagent.render.program import Spec, compile_program

CHUNKS = 5
"""Of 256 KiB each: about one batch of the default size."""
COMPRESSIONS: tuple[Compression, ...] = ("zstd", "lz4", "snappy", "gzip", "none")


def request_of(codec: KafkaCodec, kind: Kind, *, pod: bool) -> Request:
    """Some chunks of a file, with a pod's metadata (290 B) or the path alone (45 B)."""
    path = b"/var/log/app/app.log"
    facts, fields = (FACTS, FIELDS) if pod else ({}, {})
    metadata = build("ecs", facts, fields, container="app" if pod else "", path=path)
    members = b",".join(metadata.encode().values())
    names = {"pod": "checkout-6d4cf56db6-x7k2p", "namespace": "shop"}
    origin = Origin("app", path.decode(), GENERATION, names, members)
    form: Literal["json", "text"] = "text" if kind == "text" else "json"
    program = compile_program(Spec(format=form, wire_bytes_max=BATCH_BYTES))
    renderer = program.bind(metadata, codec.frame(origin), GENERATION)
    packer, count, start = codec.packer(), 0, 0
    for chunk in chunks_of(kind, CHUNKS):
        rows = renderer.render(chunk, start, NOW)
        assert rows is not None
        packer.add(rows.wire, origin)
        count, start = count + rows.count, start + len(chunk)
    return packer.close(count)


def codec_of(compression: Compression) -> KafkaCodec:
    """A codec with the default options."""
    settings = KafkaSettings(topic=Template("app-logs", TOPIC), compression=compression)
    return KafkaCodec(settings, Tools(crc32c, compressor(compression), now_ns))


def measure_pieces(measure: Measure, codec: KafkaCodec, request: Request) -> None:
    """From the request to batches with their checksums."""

    def send(body: bytes) -> None:
        for piece in codec.split_pieces(replace(request, body=body), lambda _: 3):
            assert piece.batch is not None
            piece.batch._build()

    measure(send, [request.body], request.rows)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("pod", [False, True], ids=["bare", "pod"])
def test_kafka_json(measure: Measure, compression: Compression, *, pod: bool) -> None:
    """JSON lines of 223 B."""
    codec = codec_of(compression)
    measure_pieces(measure, codec, request_of(codec, "json", pod=pod))


@pytest.mark.parametrize("compression", ["zstd", "gzip"])
def test_kafka_text(measure: Measure, compression: Compression) -> None:
    """Text lines of 206 B, with a pod's metadata."""
    codec = codec_of(compression)
    measure_pieces(measure, codec, request_of(codec, "text", pod=True))
