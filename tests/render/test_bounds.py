"""Marks, bounds, and what must not pass for a line."""

from __future__ import annotations

import tracemalloc

import pytest

from logagent.core.chunk import Frame
from logagent.render.program import Spec, compile_program
from tests.render.renderers import (
    DATED_IDS,
    ECS,
    FRAMES,
    NOW,
    PLAIN,
    WITH_IDS,
    carefully,
    documents,
    render,
    renderer,
)


def test_marks() -> None:
    """A mark is said under `logagent`, beside an error, and isn't one itself."""
    rows = render(renderer("auto"), b"cut of\xe2\x82", mark="truncated")
    (document,) = documents(rows.wire)
    assert document["logagent"] == {"truncated": True}
    assert document["message"] == "cut of\ufffd"
    assert rows.malformed == 0
    rows = render(renderer("json"), b'{"a":', mark="partial")
    (document,) = documents(rows.wire)
    assert document["logagent"] == {"error": "parse", "partial": True}
    assert rows.malformed == 1
    rows = render(renderer("json"), b'{"a":1}', mark="partial")
    (document,) = documents(rows.wire)
    assert (document["a"], document["logagent"]) == (1, {"partial": True})


@pytest.mark.parametrize("line", [b'{"a":1}\n', b"text\n", b'{"team":1}\n{"a":1}\n', b"\xff\n"])
@pytest.mark.parametrize("frame", FRAMES)
def test_dense_chunks_are_refused(line: bytes, frame: Frame) -> None:
    """Rows beyond the bound are refused, a single one never, and the bound holds for all others."""
    spec = Spec("auto", wire_bytes_max=20_000)
    made = compile_program(spec).bind(ECS, frame, 7)
    assert made.render(line * 100, 0, NOW) is None
    small = compile_program(Spec("auto", wire_bytes_max=10)).bind(ECS, frame, 7)
    one = line[: line.index(b"\n") + 1]
    rows = small.render(one, 0, NOW)
    assert rows is not None
    assert rows.count == 1
    assert small.render(one * 2, 0, NOW) is None
    counts = [made.render(line * count, 0, NOW) for count in range(1, 60)]
    sizes = [len(each.wire) for each in counts if each is not None]
    assert len(sizes) >= 10
    assert max(sizes) <= 20_000


def test_many_values_on_one_line_are_one_row() -> None:
    """A line of many objects is never too dense: it is one malformed row."""
    rows = render(renderer("json"), b'{"a":1}' * 40_000 + b"\n")
    assert (rows.count, rows.malformed) == (1, 1)


def test_braces_do_not_explode() -> None:
    """A chunk of braces isn't multiplied by the metadata before it is refused."""
    made = renderer("json")
    data = b'{"a":"' + b"{" * 200_000 + b'"}\n'
    tracemalloc.start()
    rows = render(made, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows.count == 1
    assert len(rows.wire) < 201_000
    assert peak < 3_000_000


@pytest.mark.parametrize("frame", [PLAIN, WITH_IDS, DATED_IDS])
def test_nothing_is_lost_between_lines(frame: Frame) -> None:
    """Values over several lines, made up for by several values on one, aren't taken for lines."""
    for data in (
        b'{"a":[\n{"b":1}\n]}\n{"x":1}{"y":2}\n',
        b'{"a":[\n{"b":1}\n]}\n',
        b'{"a":1}{"b":2}\n{"c":\n3}\n',
        b'{"c":\n3}\n{"a":1}{"b":2}\n',
        b'{"a":1}{"b":2}\n\n',
        b'{"a":1}\n{"b":2} {"c":\n3}\n',
        b'{"a":1}\n{"b":2}\t{"c":\n3}\n',
        b'{"a":1}\n{"b":2}\r{"c":\n3}\n',
        b'{"a":[1\n,2]}\n{"x":1}\t{"y":2}\n',
        b'{"time":1}{"time":2}\n{"time":\n3}\n',
        b'{"a":1\n}\n{"b":2}\n',
        b'{"a":1}\n\n{"b":2}\n',
        b'\n{"@timestamp":1}\n{"@timestamp":2}\n\n',
        b'{"a":1}{"b":\n{"c":2}}\n',
        b'{"ts":1}\n{"ts":[\n1]}\n',
        b'{"ts":1}\n{"a":1}\n{"ts":[\n1]}\n',
    ):
        made = renderer("json", ECS, frame)
        rows = render(made, data)
        assert rows.count + rows.filtered == data.count(b"\n")
        assert rows.malformed + rows.filtered >= 1
        assert rows == carefully(made, data)
