"""What replies to OTLP mean, rule by rule of the specification (see the module's docstring)."""

from __future__ import annotations

import json

import pytest

from logagent.codecs.otlp_reply import judge_logs
from logagent.core.chunk import Reply, Request, Verdict

MANY = Request(b"x", 3, 1, gzipped=False)
ONE = Request(b"x", 1, 1, gzipped=False)
DELIVERED = Verdict("done", delivered=3)


def partial(rejected: object, message: str = "too old") -> Reply:
    """A partial success."""
    body = {"partialSuccess": {"rejectedLogRecords": rejected, "errorMessage": message}}
    return Reply(200, json.dumps(body).encode())


@pytest.mark.parametrize(
    "body", [b"{}", b"", b'{"partialSuccess":{}}', b'{"partialSuccess":null}', b"OK", b"\n\x02\x08"]
)
def test_full_success(body: bytes) -> None:
    """200 without rejected records; receivers are free with the body."""
    assert judge_logs(MANY, Reply(200, body)) == DELIVERED


def test_a_warning_is_a_success() -> None:
    """Nothing rejected, but a message: taken."""
    assert judge_logs(MANY, partial(0, "slow down")) == DELIVERED
    assert judge_logs(MANY, partial(-1)) == DELIVERED


def test_all_rejected() -> None:
    """As many as there are: each is known."""
    verdict = judge_logs(MANY, partial("3"))
    assert [each.row for each in verdict.rejected] == [0, 1, 2]
    assert {each.kind for each in verdict.rejected} == {"rejected"}
    assert judge_logs(ONE, partial(1)).rejected[0].kind == "rejected"


def test_some_rejected() -> None:
    """It isn't said which, and the request must not be sent again: all are kept as rejected."""
    verdict = judge_logs(MANY, partial(2))
    assert verdict.step == "done"
    assert verdict.delivered == 0
    assert [each.row for each in verdict.rejected] == [0, 1, 2]
    assert {each.kind for each in verdict.rejected} == {"partial_success"}
    assert verdict.rejected[0].reason == ("2 of 3 records were refused, and not which: too old")


@pytest.mark.parametrize(
    "reply",
    [
        partial(2.0),
        partial("x"),
        partial("9" * 5000),
        Reply(200, b'{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":null}}'),
        Reply(200, b'{"partialSuccess":{"rejectedLogRecords":2,"error'),
    ],
)
def test_odd_spellings_of_some_rejected(reply: Reply) -> None:
    """A fraction, no message, a reply cut short: no refused row may count as taken."""
    verdict = judge_logs(MANY, reply)
    assert (verdict.step, verdict.delivered, len(verdict.rejected)) == ("done", 0, 3)
    assert {each.kind for each in verdict.rejected} == {"partial_success"}


@pytest.mark.parametrize("status", [429, 502, 503, 504, 500, 408])
def test_sent_again(status: int) -> None:
    """The retryable statuses, and those whose lines would be lost else."""
    assert judge_logs(MANY, Reply(status)).step == "again"


def test_bad_data() -> None:
    """400 is for some record: found by halves, and a single one is rejected."""
    assert judge_logs(MANY, Reply(400, b'{"code":3}')) == Verdict("halve", why="malformed")
    assert judge_logs(ONE, Reply(400, b'{"code":3}')).rejected[0].kind == "malformed"
    assert judge_logs(MANY, Reply(413)).step == "halve"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b" <html>"),
        Reply(200, b"\xef\xbb\xbf<html>"),
        Reply(202, b"<html>"),
        Reply(400, b'unsupported path requested: "/x"'),
        Reply(404),
        Reply(405),
        Reply(415),
    ],
)
def test_the_wrong_place(reply: Reply) -> None:
    """What answers there takes no such logs: a person has to change something."""
    assert judge_logs(ONE, reply) == Verdict("hold", why="configuration")


def test_credentials_and_faults() -> None:
    """401 and 403 read secrets again; without an answer the outcome is open."""
    assert judge_logs(MANY, Reply(401)).step == "credentials"
    assert judge_logs(MANY, Reply(403)).step == "credentials"
    assert judge_logs(MANY, Reply(0, fault="reset", sent=True)).why == "ambiguous"
    assert judge_logs(MANY, Reply(0, fault="tls: unknown authority")).step == "hold"
