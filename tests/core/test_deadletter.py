"""Dead letters are lines that can be read, and sent again."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.core.chunk import Rejection
from logagent.core.deadletter import DeadLetter, decode, encode, letter

REJECTION = Rejection(0, 400, "mapper_parsing_exception", 'failed to parse field "a"\nof type long')
TIME = "2026-11-24T10:00:00.000Z"


def test_a_letter_keeps_the_action_of_a_row_with_two_lines() -> None:
    """A replay needs the same event id, so the line in front of the document is kept."""
    action = '{"create":{"_id":"x"}}'
    row = f'{action}\n{{"a":1}}\n'.encode()
    found = letter(row, b'{"a":1}', REJECTION, output="out", time=TIME)
    assert found.row == action
    assert found.document == '{"a":1}'
    assert (found.output, found.status, found.kind) == ("out", 400, REJECTION.kind)
    assert (found.reason, found.time) == (REJECTION.reason, TIME)


def test_a_row_of_one_line_has_no_action() -> None:
    """A line of NDJSON is only its document."""
    assert letter(b'{"a":1}\n', b'{"a":1}', REJECTION, output="out", time=TIME).row == ""


@given(st.lists(st.tuples(st.binary(max_size=30), st.text(max_size=20)), max_size=4))
def test_letters_are_lines_that_come_back(rows: list[tuple[bytes, str]]) -> None:
    """Whatever the documents and the sink's reasons are: a letter a line, and each is read back."""
    letters = [
        letter(b"row\n", document, REJECTION._replace(reason=reason), output="out", time=TIME)
        for document, reason in rows
    ]
    data = encode(letters)
    assert data.count(b"\n") == len(letters)
    assert [decode(line) for line in data.splitlines()] == letters


def test_a_torn_letter_is_an_error() -> None:
    """Half a line is no letter, and neither is another object."""
    line = encode([DeadLetter(TIME, "out", 400, "k", "r", "{}")])
    with pytest.raises(msgspec.DecodeError):
        decode(line[:-10])
    with pytest.raises(msgspec.DecodeError):
        decode(b"{}\n")
