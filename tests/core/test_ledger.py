"""The ledger: settled in any order, the prefix is the contiguous low watermark."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.core.chunk import Ticket
from logagent.core.files import NO_GUARD, START, Guard, Position
from logagent.core.ledger import Ledger, Settled


def ticket(start: int, end: int, rows: int, *, generation: int = 1) -> Ticket:
    """A ticket whose anchor tells where it ends."""
    return Ticket(generation, start, Position(end), Guard(1, end), rows)


def begun(*generations: int) -> Ledger:
    """A ledger with these generations at 0."""
    ledger = Ledger()
    for generation in generations or (1,):
        ledger.begin(generation, START, NO_GUARD)
    return ledger


@given(
    sizes=st.lists(st.tuples(st.integers(1, 2), st.integers(0, 4)), min_size=1, max_size=20),
    data=st.data(),
)
def test_the_settled_prefix_is_the_low_watermark(
    sizes: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Rows of two generations, final in any order and any portions, taken while others settle: the
    prefix ends at the first open byte, never beyond it, and never goes back."""
    ledger = begun(1, 2)
    left: dict[int, int] = {}
    spans: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    before = {1: 0, 2: 0}
    ends = {1: 0, 2: 0}
    todo = list(sizes)
    while todo or left:
        if todo and (not left or data.draw(st.booleans())):
            generation, rows = todo.pop(0)
            start = ends[generation]
            ends[generation] = start + 10
            key = ledger.open(ticket(start, start + 10, rows, generation=generation))
            spans[generation].append((key, start, start + 10))
            if rows:
                left[key] = rows
        else:
            key = data.draw(st.sampled_from(sorted(left)))
            portion = data.draw(st.integers(1, left[key]))
            ledger.settle(key, portion)
            left[key] -= portion
            if not left[key]:
                del left[key]
        assert ledger.open_rows == sum(left.values())
        for generation in (1, 2):
            opened = [start for key, start, _ in spans[generation] if key in left]
            expected = min(opened, default=ends[generation])
            settled = ledger.settled(generation)
            assert settled.position.offset == expected >= before[generation]
            assert settled.anchor.crc == expected
            before[generation] = expected
            if generation in spans:
                assert ledger.is_settled(generation) == (not opened)


def test_a_ticket_without_rows_settles_when_made() -> None:
    """All filtered, or discarded: nothing is open, and the prefix grows at once."""
    ledger = begun()
    ledger.open(ticket(0, 10, 0))
    assert ledger.settled(1).position == Position(10)
    assert ledger.is_settled(1)


def test_a_ticket_without_rows_waits_for_those_before_it() -> None:
    """A hole behind an open ticket doesn't let the prefix jump over it."""
    ledger = begun()
    first = ledger.open(ticket(0, 10, 2))
    ledger.open(ticket(10, 20, 0))
    assert ledger.settled(1).position == START
    ledger.settle(first, 2)
    assert ledger.settled(1) == Settled(Position(20), Guard(1, 20))


def test_a_ticket_may_end_where_it_starts() -> None:
    """A last line that is sent at a stop has rows and moves nothing: the next ticket starts where
    it did."""
    ledger = begun()
    ledger.settle(ledger.open(ticket(0, 0, 1)), 1)
    assert ledger.settled(1).position == START
    ledger.settle(ledger.open(ticket(0, 10, 1)), 1)
    assert ledger.settled(1).position == Position(10)


def test_changed_tells_that_something_moved() -> None:
    """Only growth of a prefix, or a generation that went, makes a commit worth while."""
    ledger = begun()
    first = ledger.open(ticket(0, 10, 1))
    second = ledger.open(ticket(10, 20, 1))
    ledger.settle(second, 1)
    ledger.settle(first, 0)
    seen = [ledger.changed]
    ledger.settle(first, 1)
    seen.append(ledger.changed)
    ledger.changed = False
    ledger.retire(1)
    assert [*seen, ledger.changed] == [False, True, True]


def test_what_must_not_be_is_an_assertion() -> None:
    """Holes, overlaps, rows that settle twice and generations that begin twice are our bugs."""
    ledger = begun()
    key = ledger.open(ticket(0, 10, 1))
    with pytest.raises(AssertionError, match="contiguous"):
        ledger.open(ticket(11, 20, 1))
    with pytest.raises(AssertionError, match="contiguous"):
        ledger.open(ticket(9, 20, 1))
    with pytest.raises(AssertionError):
        ledger.open(ticket(10, 9, 1))
    with pytest.raises(AssertionError, match="exactly once"):
        ledger.settle(key, 2)
    with pytest.raises(AssertionError, match="begins once"):
        ledger.begin(1, START, NO_GUARD)


def test_a_settled_ticket_is_gone() -> None:
    """Settling a ticket once more, after its last row, is an error and moves nothing."""
    ledger = begun()
    key = ledger.open(ticket(0, 10, 1))
    ledger.settle(key, 1)
    with pytest.raises(KeyError):
        ledger.settle(key, 1)


def test_rows_of_a_retired_generation_may_still_settle() -> None:
    """A truncation retires a generation whose rows are under way; their end moves nothing."""
    ledger = begun(1, 2)
    old = ledger.open(ticket(0, 10, 3))
    ledger.retire(1)
    ledger.settle(old, 3)
    assert ledger.open_rows == 0
    with pytest.raises(KeyError):
        ledger.settled(1)
    assert ledger.settled(2).position == START


def test_a_generation_begins_where_the_checkpoint_says() -> None:
    """A resumed generation's first ticket starts at its position."""
    ledger = Ledger()
    ledger.begin(7, Position(50, "long"), Guard(3, 4))
    assert ledger.settled(7) == Settled(Position(50, "long"), Guard(3, 4))
    key = ledger.open(ticket(50, 60, 1, generation=7))
    ledger.settle(key, 1)
    assert ledger.settled(7).position == Position(60)
