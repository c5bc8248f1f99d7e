"""Dead letters are lines that can be read, and sent again."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from logagent.core.chunk import Rejection
from logagent.core.deadletter import (
    UNKNOWN,
    DeadLetter,
    Place,
    decode,
    encode,
    event_id,
    is_sendable,
    letter,
)
from tests.fakes.origin import ORIGIN

REJECTION = Rejection(0, 400, "mapper_parsing_exception", 'failed to parse field "a"\nof type long')
TIME = "2026-11-24T10:00:00.000Z"
PLACE = Place("abc", 7, 0, 8)
OLD = DeadLetter(TIME, "out", 400, "k", "r", "{}")


def test_a_letter_says_what_why_and_where_from() -> None:
    """The document as text, the sink's words, and the very bytes of the file."""
    found = letter(b'{"a":1}', REJECTION, ORIGIN, PLACE, output="out", time=TIME)
    assert found.document == '{"a":1}'
    assert (found.output, found.status, found.kind) == ("out", 400, REJECTION.kind)
    assert (found.reason, found.time) == (REJECTION.reason, TIME)
    assert (found.input, found.file) == (ORIGIN.input, ORIGIN.path)
    assert (found.id, found.generation, found.offset, found.length) == ("abc", 7, 0, 8)
    assert (found.exact, found.attempts) == (True, 1)
    assert b'"offset":0' in encode([found])  # the first line of a file says so too


def test_a_letter_counts_those_before_it() -> None:
    """A row that is refused again after a replay is a new letter, which knows that."""
    place = PLACE._replace(buried=2, exact=False)
    found = letter(b"{}", REJECTION, ORIGIN, place, output="out", time=TIME)
    assert (found.attempts, found.exact) == (3, False)


@given(st.lists(st.tuples(st.binary(max_size=30), st.text(max_size=20)), max_size=4))
def test_letters_are_lines_that_come_back(rows: list[tuple[bytes, str]]) -> None:
    """Whatever the documents and the sink's reasons are: a letter a line, and each is read back."""
    letters = [
        letter(document, REJECTION._replace(reason=reason), ORIGIN, PLACE, output="out", time=TIME)
        for document, reason in rows
    ]
    data = encode(letters)
    assert data.count(b"\n") == len(letters)
    assert [decode(line) for line in data.split(b"\n")[:-1]] == letters


def test_a_torn_letter_is_an_error() -> None:
    """Half a line is no letter, and neither is another object."""
    line = encode([OLD])
    with pytest.raises(msgspec.DecodeError):
        decode(line[:-10])
    with pytest.raises(msgspec.DecodeError):
        decode(b"{}\n")


def test_letters_of_earlier_versions_are_read() -> None:
    """They have no place, and their id is in the action in front of the document."""
    line = b'{"time":"t","output":"o","status":400,"kind":"k","reason":"r","document":"{}"'
    found = decode(line + rb',"row":"{\"create\":{\"_index\":\"i\",\"_id\":\"Ab-9_\"}}"}')
    assert (found.offset, found.length, found.generation) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert event_id(found) == "Ab-9_"
    assert event_id(decode(line + b"}")) == ""
    assert event_id(decode(line + rb',"row":"{\"create\":{}}"}')) == ""
    assert event_id(decode(line + rb',"row":"nonsense"}')) == ""


def test_only_what_can_be_an_id_is_one() -> None:
    """It goes into an action line: a quote in it would be the start of something else."""
    assert event_id(replace(OLD, id="AAAAAAAAAAE0000000000000008")) == "AAAAAAAAAAE0000000000000008"
    assert event_id(replace(OLD, id='x"}}')) == ""
    assert event_id(replace(OLD, id="x" * 65)) == ""


def test_only_one_object_on_one_line_can_be_sent() -> None:
    """Anything else in a document would be rows of somebody else's making."""
    assert is_sendable(replace(OLD, document='{"a":1}'))
    for document in ("", "[]", '{"a":1}\n{"delete":{}}', '{"a":1}\r{}', '"x"', "{"):
        assert not is_sendable(replace(OLD, document=document)), document
