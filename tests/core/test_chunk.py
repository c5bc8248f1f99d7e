"""What travels: values that can't be changed on their way."""

from __future__ import annotations

import pytest

from logagent.core.chunk import Batch, Chunk, Outcome, Reply, Request, Rows, Share, Ticket, Verdict
from logagent.core.files import NO_GUARD, START
from tests.fakes.origin import ORIGIN

REQUEST = Request(b"", 0, 0, gzipped=False)


@pytest.mark.parametrize(
    "value",
    [
        Chunk(1, 0, b"", START, NO_GUARD),
        Ticket(1, 0, START, NO_GUARD, 0),
        Rows(b"", 0),
        REQUEST,
        Batch(REQUEST, (Share(1, 1, ORIGIN),)),
        Reply(200),
        Verdict("done"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_travels_is_frozen(value: object) -> None:
    """A ticket never changes, nor does anything else that several steps hold."""
    name = next(iter(value.__struct_fields__))  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        setattr(value, name, None)


def test_a_reply_and_a_verdict_claim_nothing_by_default() -> None:
    """Without being told so, no row is delivered and nothing was taken by the sink."""
    verdict = Verdict("again")
    assert (verdict.delivered, verdict.duplicates, verdict.rejected, verdict.retry) == (
        0,
        0,
        (),
        (),
    )
    assert (Reply(0).sent, Reply(0).retry_after_s) == (False, 0.0)
    assert {outcome.value for outcome in Outcome} == {
        "delivered",
        "duplicate",
        "rejected",
        "filtered",
    }
