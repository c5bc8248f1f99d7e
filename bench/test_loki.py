"""The question: what rendered rows cost as entries of Loki, and how much of it is which step.

JSON with gzip, as `codecs/loki.py` has it; protobuf with snappy lost (see there).
"""

from __future__ import annotations

from typing import Literal

import pytest

from bench.conftest import Measure, count_lines
from bench.corpus import chunks_of
from bench.renderers import BATCH_BYTES, NOW, renderer
from logagent.codecs.escaping import escape_lines
from logagent.codecs.loki import VALUE, Line, LokiCodec
from logagent.codecs.loki_times import EntryTimes
from logagent.codecs.naming import Choice, Template
from logagent.core.chunk import Frame, Origin
from logagent.render.program import Spec

Kind = Literal["json", "text", "time"]
KINDS: tuple[Kind, ...] = ("json", "text", "time")
ORIGIN = Origin("app", "/var/log/app/app.log", 1, {"input": "app", "namespace": "shop"})


def wires_of(kind: Kind) -> list[bytes]:
    """The documents of each chunk."""
    form: Literal["text", "json"] = "text" if kind == "text" else "json"
    render = renderer(Spec(format=form, wire_bytes_max=BATCH_BYTES), Frame(b"", b"", b"\n")).render
    return [rows.wire for chunk in chunks_of(kind) if (rows := render(chunk, 0, NOW)) is not None]


def measure_pack(measure: Measure, speak: LokiCodec, kind: Kind) -> None:
    """Rendered rows into one compressed body."""
    wires = wires_of(kind)
    body = speak.packer()

    def add(wire: bytes) -> None:
        nonlocal body
        if wire is wires[0]:
            body = speak.packer()
        body.add(wire, ORIGIN)
        if wire is wires[-1]:
            body.close(1)

    measure(add, wires, count_lines(wires))


@pytest.mark.parametrize(
    ("kind", "line"),
    [("json", "document"), ("text", "document"), ("time", "document"), ("json", "message")],
)
def test_pack(measure: Measure, kind: Kind, line: Line) -> None:
    """All of it: times, escapes, entries, gzip."""
    labels = {"app": Template("{input}", VALUE), "namespace": Template("{namespace}", VALUE)}
    measure_pack(measure, LokiCodec(labels, gzip=True, line=line), kind)


def test_pack_chosen(measure: Measure) -> None:
    """The same with a label that lines choose."""
    choice = {"level": Choice("level", ("error", "warn"), "other")}
    labels = {"app": Template("{input}", VALUE), "level": Template("{level}", VALUE, choice)}
    measure_pack(measure, LokiCodec(labels, gzip=True), "json")


def test_times(measure: Measure) -> None:
    """The times alone."""
    wires = wires_of("json")
    measure(lambda wire: EntryTimes().spell(wire.split(b"\n")[:-1]), wires, count_lines(wires))


def test_escape(measure: Measure) -> None:
    """The escapes alone."""
    wires = wires_of("json")
    measure(lambda wire: escape_lines(wire.split(b"\n")[:-1]), wires, count_lines(wires))
