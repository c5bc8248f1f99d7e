"""Delivering a batch: each step that a verdict may ask for, until every row is final."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.core.chunk import Batch, Reply, Request, Verdict
from logagent.delivery import RETRY_AFTER_MAX_S
from tests.fakes.delivering import ROW_BYTES, Delivering, body, rejected, row
from tests.fakes.loop import run

AGAIN = Verdict("again", why="ambiguous")
LOST = Reply(0, fault="reset", sent=True)


def test_a_batch_that_is_taken_is_settled() -> None:
    """One request, each share's rows settled, duplicates told apart from deliveries."""
    d = Delivering()
    verdict = Verdict("done", delivered=4, duplicates=1, redirected=1)
    assert d.deliver(2, 3, verdicts=[verdict]) == [body(0, 1, 2, 3, 4)]
    counts = [d.outcome(name) for name in ("delivered", "duplicate", "redirected")]
    assert counts == [3, 1, 1]
    assert d.metrics.cell("sent_requests_total", "out", "200").value == 1
    assert d.metrics.cell("sent_bytes_total", "out").value == 5 * ROW_BYTES
    assert d.log.lines == []


def test_only_failed_rows_are_sent_again() -> None:
    """After a partial failure the rest is settled at once, and the second request holds just the
    rows that failed, in their order."""
    d = Delivering()
    retry = Verdict("retry", delivered=3, retry=(1, 4), why="busy")

    async def scenario() -> None:
        d.codec.verdicts.append(retry)
        async with asyncio.TaskGroup() as group:
            d.sink._allowed = 1
            group.create_task(d.delivery.deliver(d.batch(1, 2, 2)))
            await asyncio.sleep(1)
            assert d.ledger.open_rows == 2
            assert d.ledger.settled(1).position.offset == 10
            await d.sink.allow(1)

    run(scenario())
    assert d.sink.bodies == [body(0, 1, 2, 3, 4), body(1, 4)]
    assert d.ledger.settled(1).position.offset == 50
    assert d.outcome("delivered") == 5
    assert d.metrics.cell("retried_rows_total", "out").value == 2
    assert d.metrics.cell("retries_total", "out", "busy").value == 1


def test_a_body_that_is_too_large_goes_in_halves() -> None:
    """Halves in order, each half of the bytes, again and again, without a pause."""
    d = Delivering()
    halve = Verdict("halve", why="too_large")
    bodies = d.deliver(4, verdicts=[halve, halve])
    assert bodies == [body(0, 1, 2, 3), body(0, 1), body(0), body(1), body(2, 3)]
    assert d.pauses() == [0, 0, 0, 0]


@pytest.mark.parametrize("place", range(8))
def test_halves_go_by_bytes(place: int) -> None:
    """One huge row among small ones is alone after three cuts at most, wherever it stands."""
    d = Delivering()
    batch = d.batch(8)
    huge = [b"%0*d\n" % (5000 if n == place else 10, n) for n in range(8)]
    d.codec.script = lambda request: Verdict(
        "halve" if request.rows > 1 and len(request.body) > 5000 else "done"
    )
    run(d.delivery.deliver(Batch(d.codec.pack(huge), batch.shares)))
    taken = [
        request for request in d.sink.requests if request.rows == 1 or len(request.body) < 5000
    ]
    assert b"".join(request.body for request in taken) == b"".join(huge)
    assert len(d.sink.requests) - len(taken) <= 3
    assert d.ledger.open_rows == 0


def test_an_ambiguous_reply_repeats_the_same_bytes() -> None:
    """Twice without an answer: the same body; three times: it may be too large for what is in
    between, so halves."""
    d = Delivering()
    d.sink.replies.extend([LOST] * 4)
    bodies = d.deliver(2, verdicts=[AGAIN] * 4)
    assert bodies == [body(0, 1)] * 3 + [body(0), body(0), body(1)]
    assert d.pauses() == [0.05, 0.1, 0.2, 0.05, 0]
    assert d.metrics.cell("sent_requests_total", "out", "fault").value == 4


def test_a_single_row_is_never_halved() -> None:
    """However often its reply is lost, a row is sent as it is."""
    d = Delivering()
    d.sink.replies.extend([LOST] * 5)
    assert d.deliver(1, verdicts=[AGAIN] * 5) == [body(0)] * 6


def test_only_ambiguity_in_a_row_halves() -> None:
    """A refused connection in between starts the count anew: nothing says that the body is too
    large."""
    d = Delivering()
    refused = Verdict("again", why="unreachable")
    verdicts = [AGAIN, AGAIN, refused, AGAIN, AGAIN]
    assert d.deliver(2, verdicts=verdicts) == [body(0, 1)] * 6


def test_pauses_grow_and_obey_the_server() -> None:
    """Full jitter on doubling steps; Retry-After is a floor, within reason."""
    d = Delivering()
    busy = Verdict("again", why="busy")
    d.sink.replies.extend([Reply(429), Reply(429), Reply(429, retry_after_s=7.0)])
    d.sink.replies.append(Reply(429, retry_after_s=1e9))
    d.deliver(1, verdicts=[busy] * 4)
    assert d.pauses() == [0.05, 0.1, 7.0, RETRY_AFTER_MAX_S]


def test_what_only_a_person_can_help_is_repeated_slowly() -> None:
    """A misconfigured sink is asked each few seconds, then each half minute, and never given up."""
    d = Delivering()
    verdict = Verdict("again", why="configuration")
    d.deliver(1, verdicts=[verdict] * 6)
    assert d.pauses() == [2.5, 5.0, 10.0, 15.0, 15.0, 15.0]


@pytest.mark.parametrize("step", ["credentials", "hold"])
def test_credentials_are_read_again(step: str) -> None:
    """The first refusal may be a rotated secret: read it and try soon; then slowly, and read it
    again each time."""
    d = Delivering()
    verdict = Verdict("credentials" if step == "credentials" else "hold", why=step)
    d.sink.replies.extend([Reply(401)] * 3)
    assert d.deliver(2, verdicts=[verdict] * 3) == [body(0, 1)] * 4
    assert d.sink.refreshes == 3
    assert d.metrics.cell("retries_total", "out", step).value == 3
    assert d.pauses() == [0.05, 5.0, 10.0]


def test_trouble_is_shown_while_it_lasts() -> None:
    """The status says why nothing flows; one line in the log when it does again."""
    d = Delivering()
    seen: list[str] = []

    async def scenario() -> None:
        d.codec.verdicts.extend([Verdict("again", why="unreachable")] * 2)
        d.sink.replies.extend([Reply(0, fault="refused")] * 2)
        task = asyncio.ensure_future(d.delivery.deliver(d.batch(1)))
        await asyncio.sleep(0.06)
        seen.append(d.delivery.trouble)
        await task
        seen.append(d.delivery.trouble)

    run(scenario())
    assert seen == ["unreachable: refused", ""]
    assert len(d.log.of("sending works again")) == 1
    assert len(d.log.of("sending will be tried again")) == 2


def test_trouble_names_what_the_sink_called_it() -> None:
    """The fault when nothing came, else the sink's own word, else the status."""

    def trouble(reply: Reply, detail: str) -> str:
        d = Delivering()
        d.sink.replies.append(reply)
        d.codec.verdicts.append(Verdict("again", why="busy", detail=detail))

        async def scenario() -> str:
            task = asyncio.ensure_future(d.delivery.deliver(d.batch(1)))
            await asyncio.sleep(0.01)
            seen = d.delivery.trouble
            await task
            return seen

        return run(scenario())

    assert trouble(Reply(0, fault="reset"), "word") == "busy: reset"
    assert trouble(Reply(429), "word") == "busy: word"
    assert trouble(Reply(429), "") == "busy: 429"


def test_load_halves_the_concurrency() -> None:
    """429, 503 and lost replies are signs of load; a refused connection is none; successes bring
    it back."""

    def limit_after(reply: Reply, why: str) -> int:
        d = Delivering()
        d.sink.replies.append(reply)
        limits: list[int] = []

        async def scenario() -> None:
            d.codec.verdicts.append(Verdict("again", why=why))
            task = asyncio.ensure_future(d.delivery.deliver(d.batch(1)))
            await asyncio.sleep(0.04)
            limits.append(d.concurrency.limit)
            await task

        run(scenario())
        return limits[0]

    assert limit_after(Reply(429), "busy") == 2
    assert limit_after(Reply(503), "unavailable") == 2
    assert limit_after(LOST, "ambiguous") == 2
    assert limit_after(Reply(0, fault="refused"), "unreachable") == 4
    d = Delivering()
    d.concurrency.congested()
    for _ in range(3):
        d.deliver(1, verdicts=[])
    assert d.concurrency.limit == 3


@given(st.data())
def test_any_course_of_a_batch_settles_each_row_once(data: st.DataObject) -> None:
    """Whatever the sink says, in any order: each row is final exactly once (the ledger asserts
    that), and each was delivered or is a dead letter."""
    d = Delivering("dead_letter")

    shares = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    total = sum(shares)
    fates = {row(n): data.draw(st.integers(0, 3)) for n in range(total)}
    final: list[bytes] = []

    def script(request: Request) -> Verdict:
        rows = d.codec.split(request)
        if len(rows) > 1 and data.draw(st.booleans()):
            return data.draw(st.sampled_from([Verdict("halve"), AGAIN, Verdict("hold")]))
        retry, refused = [], []
        for index, each in enumerate(rows):
            if fates[each] > 1:
                fates[each] -= 1
                retry.append(index)
            else:
                final.append(each)
                refused += [index] if fates[each] == 1 else []
        done = len(rows) - len(retry) - len(refused)
        return Verdict(
            "retry" if retry else "done",
            delivered=done,
            rejected=rejected(*refused),
            retry=tuple(retry),
        )

    d.codec.script = script
    d.deliver(*shares, verdicts=[])
    assert sorted(final) == sorted(row(n) for n in range(total))
    assert d.outcome("delivered") + d.outcome("dead_letter") == total
    letters = b"".join(d.journal.data).count(b"\n")
    assert letters == d.outcome("dead_letter")
