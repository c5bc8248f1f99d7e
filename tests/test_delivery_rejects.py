"""Rows that a sink will never take as they are: wrapped, buried, dropped, or left to block."""

from __future__ import annotations

import asyncio
import errno
from itertools import cycle
from typing import Literal

import orjson
from hypothesis import given
from hypothesis import strategies as st

from logagent.core.chunk import Request, Verdict
from logagent.core.deadletter import decode
from tests.fakes.delivering import Delivering, body, rejected
from tests.fakes.loop import run
from tests.fakes.sink import take_all

FULL = OSError(errno.ENOSPC, "No space left on device")


def letters(d: Delivering) -> list[tuple[str, str, int]]:
    """Document, kind and status of each dead letter."""
    lines = b"".join(d.journal.data).splitlines()
    return [(found.document, found.kind, found.status) for found in map(decode, lines)]


def test_a_rejected_row_is_sent_once_more_wrapped() -> None:
    """As text in `message`, with its share's metadata, the kind of error and the time; the others
    of its batch aren't sent again."""
    d = Delivering()
    bodies = d.deliver(2, 2, verdicts=[Verdict("done", delivered=3, rejected=rejected(2))])
    assert bodies[0] == body(0, 1, 2, 3)
    (wrapped,) = bodies[1].splitlines()
    assert orjson.loads(wrapped) == {
        "@timestamp": "2027-01-15T08:00:00.250Z",
        "m": 1,
        "message": '{"n":2}',
        "logagent": {"error": "mapper_parsing_exception"},
    }
    assert (d.outcome("delivered"), d.rejected()) == (4, 1)
    assert d.metrics.cell("wrapped_rows_total", "out").value == 1
    assert d.journal.data == []


def test_a_wrapped_row_that_is_rejected_goes_bare() -> None:
    """Lines may have given `message`, or a name of the metadata, another type: the row goes again
    with the agent's own keys alone, and its text below one of them."""
    d = Delivering()
    first = Verdict("done", delivered=1, rejected=rejected(1))
    bodies = d.deliver(2, verdicts=[first, Verdict("done", rejected=rejected(0, kind="again"))])
    assert [orjson.loads(line) for line in bodies[2].splitlines()] == [
        {
            "@timestamp": "2027-01-15T08:00:00.250Z",
            "logagent": {"error": "mapper_parsing_exception", "message": '{"n":1}'},
        }
    ]
    assert (d.outcome("delivered"), d.rejected(), d.journal.data) == (2, 2, [])


def test_a_bare_row_that_is_rejected_again_is_buried() -> None:
    """Twice more and no more: it is a dead letter then, and final."""
    d = Delivering()
    again = Verdict("done", rejected=rejected(0, kind="again"))
    first = Verdict("done", delivered=1, rejected=rejected(1))
    bodies = d.deliver(2, verdicts=[first, again, again])
    assert len(bodies) == 3
    assert letters(d) == [('{"n":1}', "again", 400)]  # as it was before it was wrapped
    assert (d.outcome("dead_letter"), d.outcome("delivered")) == (1, 1)
    (letter,) = map(decode, b"".join(d.journal.data).splitlines())
    assert (letter.output, letter.time) == ("out", "2027-01-15T08:00:00.250Z")


def test_a_wrapped_row_can_be_retried() -> None:
    """While it is on its way a busy sink is just a busy sink."""
    d = Delivering()
    first = Verdict("done", delivered=1, rejected=rejected(0))
    busy = Verdict("retry", retry=(0,), why="busy")
    last = Verdict("done", rejected=rejected(0))
    bodies = d.deliver(2, verdicts=[first, busy, last, busy, last])
    assert bodies[1] == bodies[2]
    assert bodies[3] == bodies[4]
    assert len(letters(d)) == 1


def test_what_is_too_large_is_not_wrapped() -> None:
    """A wrapped row is larger still, so it goes to the dead letters at once."""
    d = Delivering()
    d.deliver(2, verdicts=[Verdict("done", delivered=1, rejected=rejected(0, kind="too_large"))])
    assert letters(d) == [('{"n":0}', "too_large", 400)]
    assert len(d.sink.requests) == 1


def test_rows_to_retry_go_before_rows_to_wrap() -> None:
    """Of one request some must be sent again, some wrapped: two requests, each in the order of the
    rows, whatever the verdict's order is."""
    d = Delivering()
    verdict = Verdict("retry", delivered=1, rejected=rejected(2, 0), retry=(3, 1), why="busy")
    bodies = d.deliver(3, 2, verdicts=[verdict])
    assert bodies[1] == body(1, 3)
    assert [orjson.loads(line)["message"] for line in bodies[2].splitlines()] == [
        '{"n":0}',
        '{"n":2}',
    ]
    assert d.pauses() == [0.05, 0]


def test_dead_letters_without_wrapping() -> None:
    """`on_reject: dead_letter` sends nothing a second time."""
    d = Delivering("dead_letter")
    d.deliver(3, verdicts=[Verdict("done", delivered=1, rejected=rejected(0, 2))])
    assert [document for document, _, _ in letters(d)] == ['{"n":0}', '{"n":2}']
    assert len(d.sink.requests) == 1


def test_dropping_is_counted() -> None:
    """`on_reject: drop` makes rows final without a letter, and a counter says how many."""
    d = Delivering("drop")
    d.deliver(3, verdicts=[Verdict("done", delivered=1, rejected=rejected(0, 2))])
    assert (d.outcome("dropped"), d.journal.data, len(d.sink.requests)) == (2, [], 1)


def test_blocking_repeats_slowly_and_says_so() -> None:
    """`on_reject: block` keeps the rows and sends them again with the pauses of what only a person
    can help; it shows as trouble, and the other rows are settled."""
    d = Delivering("block")
    verdicts = [
        Verdict("done", delivered=2, rejected=rejected(1)),
        Verdict("done", rejected=rejected(0)),
    ]
    assert d.deliver(3, verdicts=verdicts) == [body(0, 1, 2), body(1), body(1)]
    assert d.pauses() == [2.5, 5.0]
    warned = d.log.of("sending will be tried again")
    assert [line.facts["why"] for line in warned] == ["rejected", "rejected"]
    assert d.delivery.trouble == ""
    assert len(d.log.of("sending works again")) == 1
    assert d.journal.data == []


def test_blocked_rows_go_with_those_to_retry() -> None:
    """One request for all that is left, in the rows' order."""
    d = Delivering("block")
    verdict = Verdict("retry", delivered=1, rejected=rejected(0, 3), retry=(1,), why="busy")
    assert d.deliver(4, verdicts=[verdict])[1] == body(0, 1, 3)


def test_a_letter_that_cannot_be_written_leaves_its_row_open() -> None:
    """The disk is full: the batch isn't settled, no letter counts, it is said loudly and tried
    again; with room it is written once, and then the rows are final."""
    d = Delivering("dead_letter")
    d.journal.errors += [FULL, FULL]
    open_rows: list[int] = []

    async def scenario() -> None:
        d.codec.verdicts.append(Verdict("done", delivered=1, rejected=rejected(1)))
        task = asyncio.ensure_future(d.delivery.deliver(d.batch(2)))
        await asyncio.sleep(5)
        open_rows.append(d.ledger.open_rows)
        assert d.outcome("dead_letter") == 0
        await task

    run(scenario())
    assert open_rows == [2]
    assert (d.ledger.open_rows, d.outcome("dead_letter"), len(letters(d))) == (0, 1, 1)
    errors = d.log.of("dead letters can't be written")
    assert [line.facts["why"] for line in errors] == ["No space left on device"] * 2
    assert {line.level for line in errors} == {"error"}
    assert len(d.sink.requests) == 1


def test_a_cancelled_burial_settles_nothing() -> None:
    """A stop in the middle of it leaves the rows for the next start."""
    d = Delivering("dead_letter")
    d.journal.errors += [FULL] * 9

    async def scenario() -> None:
        d.codec.verdicts.append(Verdict("done", delivered=1, rejected=rejected(1)))
        task = asyncio.ensure_future(d.delivery.deliver(d.batch(2)))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])

    run(scenario())
    assert d.ledger.settled(1).position.offset == 0


def test_rejections_are_logged_by_kind_without_content() -> None:
    """One line a kind with the number of rows; the sink's reason can quote a document, so it is in
    the letters and never in the log."""
    d = Delivering("dead_letter")
    refused = (*rejected(0, 1), *rejected(2, kind="other"))
    d.deliver(3, verdicts=[Verdict("done", rejected=refused)])
    lines = d.log.of("rows were rejected")
    assert [(line.facts["kind"], line.facts["rows"]) for line in lines] == [
        ("mapper_parsing_exception", 2),
        ("other", 1),
    ]
    assert "because of you" not in str(d.log.lines)
    assert "because of you" in str(d.journal.data)


def places(d: Delivering) -> list[tuple[str, int, int, int]]:
    """Document, generation, offset and length of each dead letter."""
    found = map(decode, b"".join(d.journal.data).splitlines())
    return [(each.document, each.generation, each.offset, each.length) for each in found]


def test_a_letter_says_which_bytes_its_row_is() -> None:
    """Its ticket is asked for the row's own number in it."""
    d = Delivering("dead_letter")
    d.deliver(3, 2, verdicts=[Verdict("done", delivered=3, rejected=rejected(1, 4))])
    assert places(d) == [('{"n":1}', 1, 10, 10), ('{"n":4}', 1, 40, 10)]


def test_rows_are_known_by_number_after_retries_and_halves() -> None:
    """What is left of a batch goes on in other requests, some of it wrapped; each row still knows
    which it was."""
    d = Delivering("wrap")
    last = rejected(0, 1)
    verdicts = [
        Verdict("halve", why="too_large"),  # 8 rows
        Verdict("retry", delivered=2, retry=(1, 3), why="busy"),  # 0 to 3
        Verdict("done", delivered=1, rejected=rejected(1)),  # 1 and 3
        Verdict("done", rejected=rejected(0)),  # 3, wrapped
        Verdict("done", rejected=rejected(0)),  # 3, bare: buried
        Verdict("retry", delivered=1, retry=(0,), rejected=rejected(1, 3), why="busy"),  # 4 to 7
        Verdict("done", delivered=1),  # 4
        Verdict("done", rejected=last),  # 5 and 7, wrapped
        Verdict("retry", retry=(1,), rejected=rejected(0), why="busy"),  # bare: 5 is buried
        Verdict("done", rejected=rejected(0)),  # 7, bare: buried
    ]
    d.deliver(3, 4, 1, verdicts=verdicts)
    assert places(d) == [(f'{{"n":{n}}}', 1, 10 * n, 10) for n in (3, 5, 7)]
    assert (d.outcome("delivered"), d.outcome("dead_letter")) == (5, 3)


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.lists(st.integers(0, 2), min_size=1, max_size=60),
    st.sampled_from(["wrap", "dead_letter"]),
)
def test_each_row_is_where_it_says(
    shares: list[int], fates: list[int], policy: Literal["wrap", "dead_letter"]
) -> None:
    """Whatever becomes of rows, again and again: a letter's document is the row of its bytes."""
    d = Delivering(policy)
    fate = cycle(fates)

    def script(request: Request) -> Verdict:
        if len(d.sink.requests) > 40:
            return take_all(request)
        if request.rows > 1 and next(fate) == 2:
            return Verdict("halve", why="too_large")
        kinds = [next(fate) for _ in range(request.rows)]
        retry = tuple(i for i, kind in enumerate(kinds) if kind == 1)
        refused = rejected(*(i for i, kind in enumerate(kinds) if kind == 2))
        step: Literal["retry", "done"] = "retry" if retry else "done"
        count = kinds.count(0)
        return Verdict(step, delivered=count, retry=retry, rejected=refused, why="busy")

    d.codec.script = script
    d.deliver(*shares, verdicts=[])
    for document, generation, offset, length in places(d):
        assert (document, generation, length) == (f'{{"n":{offset // 10}}}', 1, 10)
    outcomes = ("delivered", "dead_letter")
    assert sum(map(d.outcome, outcomes)) == sum(shares)


def test_letters_can_go_to_the_server() -> None:
    """With a place for dead letters there a letter is a row of its own: sent, retried, settled, and
    counted as a dead letter. Nothing is written to disk."""
    d = Delivering("dead_letter", burying=True)
    verdicts = [
        Verdict("done", delivered=1, rejected=rejected(1, 2)),
        Verdict("retry", delivered=1, retry=(1,), why="busy"),
    ]
    bodies = d.deliver(2, 1, verdicts=verdicts)
    assert [decode(line).offset for line in bodies[1].splitlines()] == [10, 20]
    assert bodies[2] == bodies[1].splitlines(keepends=True)[1]
    assert (d.outcome("delivered"), d.outcome("dead_letter"), d.journal.data) == (1, 2, [])


def test_letters_that_the_server_refuses_go_to_disk() -> None:
    """Once, unwrapped, and as they were; nothing is sent a third time."""
    d = Delivering("wrap", burying=True)
    verdicts = [
        Verdict("done", delivered=1, rejected=rejected(0)),
        *[Verdict("done", rejected=rejected(0))] * 2,  # wrapped, bare
        Verdict("done", rejected=rejected(0, kind="strict")),  # as a letter
    ]
    bodies = d.deliver(2, verdicts=verdicts)
    assert len(bodies) == 4
    assert d.journal.data == [bodies[3]]
    assert places(d) == [('{"n":0}', 1, 0, 10)]
    assert (d.outcome("delivered"), d.outcome("dead_letter")) == (1, 1)
    assert len(d.log.of("dead letters were rejected")) == 1
