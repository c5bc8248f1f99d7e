"""The question: what HEC's envelope costs on top of the render: a time in front of each document.

text: all rows of a chunk have the reading time. json: each has its own, behind the metadata. time:
each has its own, in front. The plain packer beside it is what the same rows cost without.
"""

from __future__ import annotations

from typing import Final

import pytest

from bench.conftest import Measure, count_lines
from bench.corpus import KINDS, Kind, chunks_of
from bench.renderers import BATCH_BYTES, GENERATION, NOW, renderer
from logagent.codecs.packing import PlainPacker
from logagent.codecs.splunk import Envelope, SplunkCodec
from logagent.core.chunk import Origin
from logagent.render.program import Spec

ORIGIN: Final = Origin(
    "app",
    "/var/log/app/app.log",
    GENERATION,
    {"input": "app", "pod": "checkout-6d4cf56db6-x7k2p", "namespace": "shop"},
)


def speaks(*, ids: bool) -> SplunkCodec:
    """A codec as an output has it, without compression."""
    return SplunkCodec(Envelope(fields={"cluster": "prod-1"}, ids=ids), gzip=False)


def wires_of(chunks: list[bytes], kind: Kind, *, ids: bool) -> list[bytes]:
    """The rendered rows of each chunk."""
    spec = Spec(format="text" if kind == "text" else "json", wire_bytes_max=BATCH_BYTES)
    render = renderer(spec, speaks(ids=ids).frame(ORIGIN)).render
    return [rows.wire for chunk in chunks if (rows := render(chunk, 0, NOW)) is not None]


@pytest.mark.parametrize("ids", [False, True], ids=["without ids", "with ids"])
@pytest.mark.parametrize("kind", KINDS)
def test_envelope(measure: Measure, kind: Kind, *, ids: bool) -> None:
    """Rendered rows into events with times, a body a chunk."""
    chunks = chunks_of(kind)
    codec = speaks(ids=ids)

    def pack(wire: bytes) -> None:
        body = codec.packer()
        body.add(wire, ORIGIN)
        body.close(1)

    measure(pack, wires_of(chunks, kind, ids=ids), count_lines(chunks))


@pytest.mark.parametrize("kind", KINDS)
def test_without(measure: Measure, kind: Kind) -> None:
    """The same rows as they are."""
    chunks = chunks_of(kind)

    def pack(wire: bytes) -> None:
        body = PlainPacker()
        body.add(wire)
        body.close(1)

    measure(pack, wires_of(chunks, kind, ids=False), count_lines(chunks))
