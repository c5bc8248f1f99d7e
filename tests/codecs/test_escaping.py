"""Texts as the insides of JSON strings."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.escaping import (
    SEPARATORS,
    Escaped,
    common_start,
    escape_lines,
    escape_texts,
)

ALL = b"".join(SEPARATORS).decode()


def texts(escaped: Escaped) -> list[str]:
    """What the lines stand for."""
    return [json.loads(b'"%b"' % line) for line in escaped.lines()]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")), min_size=1)
)
def test_lines_come_back(lines: list[str]) -> None:
    """Each line is escaped as itself, whatever is in it."""
    assert texts(escape_lines([line.encode() for line in lines])) == lines


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_texts_come_back(lines: list[str]) -> None:
    """Texts may have newlines in them."""
    assert texts(escape_texts(lines)) == lines


def test_a_chunk_with_every_separator_in_it() -> None:
    """Nothing is left that could stand between lines: they are escaped one by one."""
    lines = [ALL, 'a"b', ALL + "\\"]
    assert texts(escape_lines([line.encode() for line in lines])) == lines
    assert texts(escape_texts([*lines, "c\nd"])) == [*lines, "c\nd"]


def test_what_is_no_utf8_is_replaced() -> None:
    """Bytes that no text has become U+FFFD, in both ways."""
    assert texts(escape_lines([b"a\xffb", b"c"])) == ["a\ufffdb", "c"]
    assert texts(escape_lines([ALL.encode() + b"\xff", b"c"])) == [ALL + "\ufffd", "c"]


def made_of(text: str) -> bytes:
    """A text as JSON has it between quotes."""
    return json.dumps(text)[1:-1].encode()


START = '{"metadata":{"of the agent":"100 %"},"m":"'


def test_a_common_start_is_escaped_once() -> None:
    """Up to a quote, so that no character is cut, and only when all lines have it."""
    lines = [START + "äx", START + "öy", START + "äz", START + "üx"]
    made = escape_lines([line.encode() for line in lines])
    assert json.loads(b'"%b"' % made.start) == START
    assert texts(made) == lines
    assert common_start([b"x" * 40] * 5) == b""
    for others in ([*lines, "x"], ["x", *lines], [*lines[:2], "x", *lines[2:]], lines[:2]):
        made = escape_lines([line.encode() for line in others])
        assert made.start == b""
        assert texts(made) == others
    # The first and the last have more in common than all, several times over.
    deep = [START + 'a"b"c', START + 'a"x', START + 'a"b"x', START + "x", START + 'a"b"c"d']
    assert escape_lines([line.encode() for line in deep]).start == made_of(START)
    assert texts(escape_lines([line.encode() for line in deep])) == deep
    deeper = ["x" * 40 + '"' * count for count in range(9, 0, -1)]
    assert common_start([deeper[0].encode(), *map(str.encode, deeper), deeper[0].encode()]) == b""
    whole = [START] * 4
    assert texts(escape_lines([line.encode() for line in whole])) == whole


@given(
    st.lists(st.text(st.sampled_from('a"\\{ä~`')), min_size=1, max_size=4),
    st.text(st.sampled_from('a"\\{ä'), min_size=30, max_size=50),
)
def test_lines_with_a_start_come_back(ends: list[str], start: str) -> None:
    """Wherever the start ends."""
    lines = [start + end for end in ends]
    assert texts(escape_lines([line.encode() for line in lines])) == lines
