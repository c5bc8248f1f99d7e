"""A place for dead letters on the server that isn't as it should be holds nothing up for long."""

from __future__ import annotations

from typing import Literal

import pytest

from logagent.core.chunk import Verdict
from logagent.core.deadletter import decode
from logagent.delivery import DEAD_ATTEMPTS_MAX
from tests.fakes.delivering import Delivering, body, rejected

FIRST = Verdict("done", delivered=1, rejected=rejected(0, 2))
MISSING = Verdict("retry", retry=(0, 1), why="configuration", detail="404 index_not_found")


def buried(d: Delivering) -> list[tuple[int, str]]:
    """Offset and kind of each letter on disk."""
    found = map(decode, b"".join(d.journal.data).splitlines())
    return [(letter.offset, letter.kind) for letter in found]


def test_letters_go_to_disk_when_their_place_is_missing() -> None:
    """After a few slow attempts, with the reason why the row was refused, not the letter."""
    d = Delivering("dead_letter", burying=True)
    bodies = d.deliver(3, verdicts=[FIRST, *[MISSING] * DEAD_ATTEMPTS_MAX])
    assert len(bodies) == 1 + DEAD_ATTEMPTS_MAX
    assert buried(d) == [(0, "mapper_parsing_exception"), (20, "mapper_parsing_exception")]
    assert (d.outcome("delivered"), d.outcome("dead_letter")) == (1, 2)


def test_what_their_place_has_taken_is_not_written_again() -> None:
    """Only the rest goes to disk."""
    d = Delivering("dead_letter", burying=True)
    half = Verdict("retry", delivered=1, retry=(1,), why="configuration")
    rest = Verdict("retry", retry=(0,), why="configuration")
    d.deliver(3, verdicts=[FIRST, half, rest, rest])
    assert buried(d) == [(20, "mapper_parsing_exception")]
    assert (d.outcome("delivered"), d.outcome("dead_letter")) == (1, 2)


@pytest.mark.parametrize("step", ["hold", "credentials"])
def test_a_whole_request_of_letters_can_be_refused(step: Literal["hold", "credentials"]) -> None:
    """A topic that isn't there, or isn't ours to write."""
    d = Delivering("dead_letter", burying=True)
    held = Verdict(step, why="configuration")
    d.deliver(3, verdicts=[FIRST, *[held] * DEAD_ATTEMPTS_MAX])
    assert len(buried(d)) == 2
    assert d.sink.refreshes == DEAD_ATTEMPTS_MAX - 1


def test_letters_wait_for_a_server_that_is_only_busy() -> None:
    """As all rows do, for as long as it takes."""
    d = Delivering("dead_letter", burying=True)
    busy = Verdict("retry", retry=(0, 1), why="busy")
    away = Verdict("again", why="unavailable")
    bodies = d.deliver(3, verdicts=[FIRST, *[busy, away] * 4])
    assert len(bodies) == 10
    assert not d.journal.data


def test_rows_themselves_wait_for_ever() -> None:
    """It is for letters alone that a place is given up."""
    d = Delivering("dead_letter", burying=True)
    held = Verdict("hold", why="configuration")
    bodies = d.deliver(2, verdicts=[held] * 9)
    assert bodies == [body(0, 1)] * 10
    assert d.outcome("delivered") == 2
