"""The rules for rows with ids and for rows in order: each can be broken."""

from __future__ import annotations

from random import Random

import pytest

from tests.sim.fs import Disk
from tests.sim.outputs import Dice, OutputPlan, draw_output
from tests.sim.records import Records
from tests.sim.rows import Broken, Lines, Seen


def plan(slots: int) -> OutputPlan:
    """The plan of some output that sends so many requests at once."""
    rng = Random(0)
    while True:
        found = draw_output(Dice(rng), "out0", chunk=1000, only="kafka")
        if found.slots == slots:
            return found


def rows(slots: int = 1) -> Records:
    """What is known of an output that got nothing yet; the lines are all in one content."""
    lines = Lines()
    life = Disk(reuse=False, birth_tick_ns=1).create(b"/logs/app.log", 0).life
    lines.homes = {token(n): life for n in range(10)}
    return Records(plan(slots), lines)


def token(number: int) -> bytes:
    """What names a line."""
    return b"<0:%05d>" % number


def seen(number: int, part: str = "") -> Seen:
    """A whole line, or a part of it."""
    return Seen((token(number),), part, token(number), wrapped=False)


def test_a_copy_has_the_same_id() -> None:
    """Another id for the same line is an error; a part of a line may have another one."""
    records = rows()
    records.identified(seen(1), b"a")
    records.identified(seen(1), b"a")
    records.identified(seen(1, "partial"), b"b")
    with pytest.raises(Broken, match="was b'a'"):
        records.identified(seen(1), b"c")


def test_an_id_is_of_one_line() -> None:
    """Two lines with one id are an error."""
    records = rows()
    records.identified(seen(1), b"a")
    with pytest.raises(Broken, match="has the id of"):
        records.identified(seen(2), b"a")


def test_lines_are_in_order_as_they_arrive_first() -> None:
    """A copy may come at any time, in each partition; a line behind a later one is an error."""
    records = rows()
    for number in (1, 2, 1, 4):
        records.ordered(0, seen(number))
    records.ordered(1, seen(3))
    with pytest.raises(Broken, match="is behind"):
        records.ordered(1, seen(0))


def test_what_was_refused_may_come_later() -> None:
    """A line that was refused for its content isn't waited for."""
    records = rows()
    records.refused(seen(1))
    records.ordered(0, seen(2))
    records.ordered(0, seen(1))


def test_several_requests_at_once_have_no_order() -> None:
    """That is what the option says."""
    records = rows(slots=2)
    records.ordered(0, seen(2))
    records.ordered(0, seen(1))
