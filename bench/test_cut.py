"""The question: what finding the last whole line of a chunk costs.

Close to nothing whatever the length of the lines, because no line is looked at.
"""

from __future__ import annotations

from bench.conftest import Measure, count_lines
from logagent.core.cut import cut_lines

LINE_BYTES_MAX = 128 * 1024


def test_cut_json(measure: Measure, json_chunks: list[bytes]) -> None:
    """JSON lines, the last one of each chunk torn."""
    torn = [chunk[:-10] for chunk in json_chunks]
    measure(lambda chunk: cut_lines(chunk, LINE_BYTES_MAX), torn, count_lines(json_chunks))


def test_cut_short_lines(measure: Measure, short_chunks: list[bytes]) -> None:
    """Lines of 8 bytes."""
    lines = count_lines(short_chunks)
    measure(lambda chunk: cut_lines(chunk, LINE_BYTES_MAX), short_chunks, lines)


def test_cut_tight_limit(measure: Measure, json_chunks: list[bytes]) -> None:
    """A limit of 1 KiB a line: the search goes from limit to limit."""
    measure(lambda chunk: cut_lines(chunk, 1024), json_chunks, count_lines(json_chunks))
