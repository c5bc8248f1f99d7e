"""The question: what rendering costs, route by route (see logagent/render/program.py).

The chunks have 256 KiB, metadata is on; nothing here reads or compresses.
"""

from __future__ import annotations

from typing import Literal

from bench.conftest import Measure, count_lines
from bench.renderers import BATCH_BYTES, NOW, codec, frame, renderer
from logagent.render.program import Spec


def render_chunks(
    measure: Measure,
    chunks: list[bytes],
    form: Literal["auto", "text", "json"],
    *,
    ids: bool = False,
) -> None:
    """Measure the rendering of chunks, after a look at whether it gives a row a line."""
    spec = Spec(format=form, wire_bytes_max=BATCH_BYTES)
    render = renderer(spec, frame(codec(ids=ids))).render
    for chunk in chunks:
        rows = render(chunk, 0, NOW)
        assert rows is not None
        assert rows.count == chunk.count(b"\n")
    measure(lambda chunk: render(chunk, 0, NOW), chunks, count_lines(chunks))


def test_splice_json(measure: Measure, json_chunks: list[bytes]) -> None:
    """JSON whose own `@timestamp` is kept."""
    render_chunks(measure, json_chunks, "json")


def test_splice_json_nested(measure: Measure, json_chunks: list[bytes]) -> None:
    """JSON with an object inside each line, which rules out one replace for all of them."""
    nested = [c.replace(b',"writer"', b',"http":{"version":2},"writer"') for c in json_chunks]
    render_chunks(measure, nested, "json")


def test_splice_json_ids(measure: Measure, json_chunks: list[bytes]) -> None:
    """JSON, with an id for each row."""
    render_chunks(measure, json_chunks, "json", ids=True)


def test_select_timestamp(measure: Measure, time_chunks: list[bytes]) -> None:
    """JSON whose timestamp is in a field of another name, which has to be read."""
    render_chunks(measure, time_chunks, "json")


def test_text(measure: Measure, text_chunks: list[bytes]) -> None:
    """Lines of text, escaped as one string."""
    render_chunks(measure, text_chunks, "text")


def test_text_ids(measure: Measure, text_chunks: list[bytes]) -> None:
    """Text, with an id for each row."""
    render_chunks(measure, text_chunks, "text", ids=True)


def test_text_auto(measure: Measure, text_chunks: list[bytes]) -> None:
    """Text, where the format has to be found out."""
    render_chunks(measure, text_chunks, "auto")


def test_edit_one_reserved_key(measure: Measure, json_chunks: list[bytes]) -> None:
    """One line of each chunk has a key that is the agent's, so all are looked at."""
    render_chunks(
        measure, [c.replace(b',"seq"', b',"logagent":1,"seq"', 1) for c in json_chunks], "json"
    )


def test_edit_one_broken_line(measure: Measure, json_chunks: list[bytes]) -> None:
    """One line of each chunk isn't JSON, so all are looked at."""
    broken = [c.replace(b'{"@timestamp":', b'{"@timestamp":?', 1) for c in json_chunks]
    render_chunks(measure, broken, "json")


def test_edit_all_reserved(measure: Measure, json_chunks: list[bytes]) -> None:
    """Each line has a key that is the agent's."""
    reserved = [c.replace(b',"seq"', b',"kubernetes":{"pod":1},"seq"') for c in json_chunks[:4]]
    render_chunks(measure, reserved, "json")
