"""Plain HTTP statuses: one row of the table, one test; and a user's own in front of it."""

import pytest

from logagent.codecs.outcomes import SLOW, Why
from logagent.codecs.statuses import RULES, Fate, StatusJudge, own_rules, rule_of
from logagent.core.chunk import NextStep, Rejection, Reply, Request, Verdict

REQUEST = Request(b'{"a":1}\n{"a":2}\n', 2, 16, gzipped=False)
SINGLE = Request(b'{"a":1}\n', 1, 8, gzipped=False)
judge = StatusJudge()


@pytest.mark.parametrize(
    ("status", "step", "why"),
    [
        (200, "done", ""),
        (201, "done", ""),
        (202, "done", ""),
        (204, "done", ""),
        (301, "hold", "redirect"),
        (307, "hold", "redirect"),
        (400, "halve", "malformed"),
        (401, "credentials", "credentials"),
        (403, "credentials", "credentials"),
        (404, "hold", "configuration"),
        (405, "hold", "configuration"),
        (408, "again", "unavailable"),
        (409, "hold", "configuration"),
        (413, "halve", "too_large"),
        (415, "hold", "configuration"),
        (422, "halve", "malformed"),
        (425, "again", "unavailable"),
        (429, "again", "busy"),
        (500, "again", "server_error"),
        (501, "again", "server_error"),
        (502, "again", "unavailable"),
        (503, "again", "unavailable"),
        (504, "again", "unavailable"),
        (507, "again", "disk_full"),
        (101, "again", "ambiguous"),
        (999, "again", "ambiguous"),
    ],
)
def test_statuses(status: int, step: NextStep, why: Why) -> None:
    """Each status means what the table says, for a request of several rows."""
    verdict = judge(REQUEST, Reply(status, b"no", sent=True))
    assert (verdict.step, verdict.why) == (step, why)
    assert verdict.delivered == (2 if step == "done" else 0)
    assert not verdict.rejected


def test_a_single_row_is_rejected() -> None:
    """What would be halved is a rejection when it is one row, with what the server said."""

    def check(status: int, kind: str) -> None:
        verdict = judge(SINGLE, Reply(status, b"field \xff is bad" + b"x" * 9000, sent=True))
        (rejection,) = verdict.rejected
        assert verdict.step == "done"
        assert rejection[:3] == (0, status, kind)
        assert rejection.reason.startswith("field \ufffd is bad")
        assert len(rejection.reason) == 500

    check(400, "malformed")
    check(422, "malformed")
    check(413, "too_large")


def test_a_page_of_a_proxy_rejects_nothing() -> None:
    """A 400 whose body is a web page is about what is in between: no row is at fault."""
    page = Reply(400, b" <html>plain HTTP request was sent to HTTPS port</html>", sent=True)
    assert judge(SINGLE, page) == Verdict("hold", why="configuration")
    assert judge(REQUEST, Reply(422, b"<html>", sent=True)).step == "hold"
    assert judge(REQUEST, Reply(413, b"<html>", sent=True)).step == "halve", "that is for us"


@pytest.mark.parametrize("status", [200, 202])
def test_a_page_of_a_proxy_delivers_nothing(status: int) -> None:
    """A sign-in form under a 200: no row is there, unless the user says that this server is so."""
    page = Reply(status, b"\n<!DOCTYPE html><form>", sent=True)
    assert judge(REQUEST, page) == Verdict("hold", why="configuration")
    told = StatusJudge(own_rules({"delivered": ["2xx"]}))
    assert told(REQUEST, page).step == "done"


def test_faults() -> None:
    """Without a complete answer all rows are open; slowly where only a person helps."""

    def check(reply: Reply, step: NextStep, why: Why) -> None:
        assert judge(REQUEST, reply) == Verdict(step, why=why)

    check(Reply(0, fault="refused"), "again", "unreachable")
    check(Reply(0, fault="reset", sent=True), "again", "ambiguous")
    check(Reply(0, fault="tls: unknown ca"), "hold", "tls")
    check(Reply(0, fault="secret: reading /x: it is empty"), "again", "credentials")
    assert {"tls", "credentials"} <= SLOW


def test_own_statuses_come_first() -> None:
    """A user's statuses win over the table, single ones over classes."""
    own = own_rules(
        {
            "delivered": [409],
            "rejected": ["4xx"],
            "retry": [404, "3xx"],
            "hold": ["5xx"],
            "halve": [500],
            "credentials": [407],
        }
    )
    mine = StatusJudge(own)

    def check(status: int, step: NextStep, why: str, request: Request = REQUEST) -> None:
        verdict = mine(request, Reply(status, b"<html>", sent=True))
        assert (verdict.step, verdict.why) == (step, why)

    check(409, "done", "")
    check(404, "again", "unavailable")
    check(302, "again", "unavailable")
    check(503, "hold", "configuration")
    check(500, "halve", "malformed")
    check(407, "credentials", "credentials")
    assert mine(SINGLE, Reply(500, b"<html>", sent=True)).rejected[0].kind == "malformed"
    verdict = mine(REQUEST, Reply(418, b"short and stout", sent=True))
    assert verdict.rejected == (
        Rejection(0, 418, "status_418", "short and stout"),
        Rejection(1, 418, "status_418", "short and stout"),
    )


def test_own_statuses_keep_the_reason() -> None:
    """The same fate as in the table has the table's reason."""
    assert own_rules({"retry": [429, 507], "halve": [413]}) == (
        rule_of(429, RULES),
        rule_of(507, RULES),
        rule_of(413, RULES),
    )


@pytest.mark.parametrize("status", ["", "600", "2x", "0xx", 42, -200, "٢٠٠"])
def test_no_status(status: int | str) -> None:
    """What is no status is refused."""
    fate: Fate = "retry"
    with pytest.raises(ValueError, match="is not a status"):
        own_rules({fate: [status]})


def test_each_status_has_a_rule() -> None:
    """No status is left over, and the last rule is for anything."""
    assert all(rule_of(status, RULES) for status in range(1000))
    assert (RULES[-1].low, RULES[-1].high) == (0, 999)
