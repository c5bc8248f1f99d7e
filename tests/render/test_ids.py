"""Event ids depend on generation, offset and length alone."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.render.ids import Event, line_lengths, read_id, spell, spell_all, spell_generation

starts = st.one_of(st.integers(0, 1 << 20), st.integers((1 << 40) - 500, (1 << 40) + 500))
lengths = st.lists(
    st.one_of(st.integers(1, 300), st.integers((1 << 24) - 2, (1 << 24) + 2)), max_size=8
)


@given(starts, lengths)
def test_columns_are_single_ids(start: int, sizes: list[int]) -> None:
    """What is spelled at once is what each event gets by itself, in both forms."""
    begins = list(accumulate(sizes, initial=start))[:-1]
    assert spell_all(start, sizes) == [spell(*each) for each in zip(begins, sizes, strict=True)]


@given(st.tuples(starts, st.integers(1, 1 << 25)), st.tuples(starts, st.integers(1, 1 << 25)))
def test_ids_are_unique(one: tuple[int, int], other: tuple[int, int]) -> None:
    """Different events of a generation have different ids."""
    assert (spell(*one) == spell(*other)) == (one == other)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ((0, 1), b"0000000000000001"),
        ((0x12345, 0xDA), b"00000123450000da"),
        (((1 << 40) - 1, (1 << 24) - 1), b"ffffffffffffffff"),
        ((1 << 40, 5), b"000001000000000000000005"),
        ((7, 1 << 24), b"000000000000000701000000"),
    ],
)
def test_spelling(event: tuple[int, int], expected: bytes) -> None:
    """The spelling stays: other versions of the agent must make the same ids."""
    assert spell(*event) == expected


def test_generations() -> None:
    """A generation is eleven characters that no JSON string has to escape."""
    assert spell_generation(0) == b"AAAAAAAAAAA"
    assert spell_generation(7) == b"AAAAAAAAAAc"
    assert spell_generation((1 << 64) - 1) == b"__________8"


def test_lengths() -> None:
    """Lengths are raw: with newlines and returns, and also of a last line without."""
    assert line_lengths(b"a\r\n\nbc") == [3, 1, 2]


@given(st.integers(0, (1 << 63) - 1), starts, st.integers(1, 1 << 25))
def test_ids_are_read_again(generation: int, start: int, length: int) -> None:
    """A dead letter says where its row is by the id alone."""
    spelled = spell_generation(generation) + spell(start, length)
    assert read_id(spelled) == Event(generation, start, length)


@given(st.binary(max_size=40))
def test_other_bytes_are_no_id(data: bytes) -> None:
    """Whatever is read is spelled like that again; all else is none."""
    event = read_id(data)
    assert event is None or spell_generation(event.generation) + spell(*event[1:]) == data
    for bad in (b"", b"AAAAAAAAAAB0000000000000001", b"A" * 11 + b"+000000000000001"):
        assert read_id(bad) is None
