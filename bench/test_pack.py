"""The question: what packing rendered rows into a body costs, plain and with gzip.

Compression is where most of the CPU goes, whoever does it: the limit loop's part is the raw lines,
the agent's also what it added to each of them.
"""

from __future__ import annotations

from typing import Literal

import pytest

from bench.conftest import Measure, count_lines
from bench.corpus import chunks_of
from bench.renderers import BATCH_BYTES, NOW, codec, frame, renderer
from logagent.codecs.packing import GzipPacker, PlainPacker
from logagent.render.program import Spec

KINDS: tuple[Literal["json", "text"], ...] = ("json", "text")


def rows_of(chunks: list[bytes], kind: Literal["json", "text"]) -> list[bytes]:
    """The rows of each chunk."""
    render = renderer(Spec(format=kind, wire_bytes_max=BATCH_BYTES), frame(codec())).render
    return [rows.wire for chunk in chunks if (rows := render(chunk, 0, NOW)) is not None]


@pytest.mark.parametrize("packer", [GzipPacker, PlainPacker])
@pytest.mark.parametrize("kind", KINDS)
def test_pack_rows(
    measure: Measure, packer: type[GzipPacker | PlainPacker], kind: Literal["json", "text"]
) -> None:
    """Rendered rows into one body."""
    chunks = chunks_of(kind)
    wires = rows_of(chunks, kind)
    body = packer()

    def add(wire: bytes) -> None:
        nonlocal body
        if wire is wires[0]:
            body = packer()
        body.add(wire)
        if wire is wires[-1]:
            body.close(1)

    measure(add, wires, count_lines(chunks))


@pytest.mark.parametrize("kind", KINDS)
def test_pack_raw_lines(measure: Measure, kind: Literal["json", "text"]) -> None:
    """The raw lines alone, a body a chunk, as the limit loop does it."""
    chunks = chunks_of(kind)

    def pack(chunk: bytes) -> None:
        body = GzipPacker()
        body.add(chunk)
        body.close(1)

    measure(pack, chunks, count_lines(chunks))
