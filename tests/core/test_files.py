"""Identities, guards, and paths as text."""

from __future__ import annotations

from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from logagent.core.files import NO_GUARD, START, Guard, Position, escape, guard_of


def test_a_guard_is_length_and_crc() -> None:
    """A guard remembers as much as the checkpoint's format says."""
    assert guard_of(b"hello") == Guard(5, crc32(b"hello"))
    assert guard_of(b"") == NO_GUARD
    assert Position(0) == START == (0, "")


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_guard_holds_for_its_bytes_alone(data: bytes, other: bytes) -> None:
    """Whoever has other bytes, more or fewer, isn't taken for the guarded ones."""
    assert guard_of(data).holds(data)
    assert guard_of(data).holds(other) == (data == other)


def test_paths_are_escaped_for_people() -> None:
    """What isn't printable, or isn't UTF-8, is written as an escape; the rest stays."""

    def check(path: bytes, text: str) -> None:
        assert escape(path) == text

    check(b"app/a b.log", "app/a b.log")
    check("größe.log".encode(), "größe.log")
    check(b"a\nb\x1b[31m.log", "a\\nb\\x1b[31m.log")
    check(b"\xff.log", "\\xff.log")
    check("a\u2028b\n".encode(), "a\\u2028b\\n")


@given(st.binary(max_size=60))
def test_an_escaped_path_never_forges_a_line(path: bytes) -> None:
    """No path, whatever its bytes, gets a line break or a control character into a log line."""
    assert escape(path).isprintable()
