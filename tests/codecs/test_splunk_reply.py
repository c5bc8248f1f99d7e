"""The collector's codes: each row of the documented table, and what isn't the collector's word."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.splunk_reply import (
    ACK_LATE,
    CODES,
    NO_ACKS,
    OnConfigError,
    ack_id,
    ack_question,
    acked,
    judge_hec,
)
from logagent.core.chunk import Rejection, Reply, Request, Verdict

THREE: Final = Request(b"{}\n{}\n{}\n", 3, 9, gzipped=False)
ONE: Final = Request(b"{}\n", 1, 3, gzipped=False)


def reply(code: int, **more: object) -> Reply:
    """A reply with a code, its status and its text, as documented."""
    text = CODES[code].text
    body = msgspec.json.encode({"text": text, "code": code, **more})
    return Reply(CODES[code].status, body, sent=True)


def judge(
    answer: Reply,
    request: Request = THREE,
    *,
    needs_ack: bool = False,
    on_config_error: OnConfigError = "hold",
) -> Verdict:
    """The verdict."""
    return judge_hec(request, answer, needs_ack=needs_ack, on_config_error=on_config_error)


def rejects(row: int, code: int, *others: int) -> Verdict:
    """One row is rejected, the others are sent again."""
    rejection = Rejection(row, CODES[code].status, f"code_{code}", CODES[code].text)
    if not others:
        return Verdict("done", rejected=(rejection,))
    detail = f"code_{code}"
    return Verdict("retry", rejected=(rejection,), retry=others, why="malformed", detail=detail)


@pytest.mark.parametrize(
    ("code", "status", "step", "why"),
    [
        (0, 200, "done", ""),
        (1, 403, "credentials", "credentials"),
        (2, 401, "credentials", "credentials"),
        (3, 401, "credentials", "credentials"),
        (4, 403, "credentials", "credentials"),
        (5, 400, "hold", "configuration"),
        (6, 400, "halve", "malformed"),
        (7, 400, "hold", "configuration"),
        (8, 500, "again", "server_error"),
        (9, 503, "again", "busy"),
        (10, 400, "hold", "configuration"),
        (11, 400, "hold", "configuration"),
        (12, 400, "halve", "malformed"),
        (13, 400, "halve", "malformed"),
        (14, 400, "hold", "configuration"),
        (15, 400, "hold", "configuration"),
        (16, 400, "hold", "configuration"),
        (17, 200, "again", "ambiguous"),
        (18, 503, "again", "unavailable"),
        (19, 503, "again", "unavailable"),
        (20, 503, "again", "unavailable"),
        (21, 400, "credentials", "credentials"),
        (22, 400, "credentials", "credentials"),
        (23, 503, "again", "unavailable"),
        (24, 200, "done", ""),
        (25, 200, "done", ""),
        (26, 429, "again", "busy"),
        (27, 429, "again", "busy"),
    ],
)
def test_each_code(code: int, status: int, step: str, why: str) -> None:
    """What each code means when it names no event."""
    assert CODES[code].status == status
    verdict = judge(reply(code))
    assert (verdict.step, verdict.why) == (step, why)
    assert verdict.delivered == (3 if step == "done" else 0)
    assert verdict.detail == ("" if step == "done" else f"code_{code}")


def test_all_codes_are_listed() -> None:
    """The table is the documentation's, 0 to 27."""
    assert sorted(CODES) == list(range(28))


@pytest.mark.parametrize("code", [6, 12, 13])
def test_the_invalid_event_is_rejected_and_no_other(code: int) -> None:
    """Counted from 0; whether those in front were taken isn't known, so they go again."""
    number = {"invalid-event-number": 1}
    assert judge(reply(code, **number)) == rejects(1, code, 0, 2)
    assert judge(reply(code, **{"invalid-event-number": 0})) == rejects(0, code, 1, 2)
    assert judge(reply(code, **{"invalid-event-number": 2})) == rejects(2, code, 0, 1)
    assert judge(reply(code, **{"invalid-event-number": 0}), ONE) == rejects(0, code)


def test_an_event_that_is_not_there_is_looked_for() -> None:
    """A number beyond the request: halves, down to a single event, which then is the one."""
    assert judge(reply(6, **{"invalid-event-number": 3})).step == "halve"
    assert judge(reply(6, **{"invalid-event-number": -1})).step == "halve"
    assert judge(reply(6, **{"invalid-event-number": 1}), ONE) == rejects(0, 6)
    assert judge(reply(6), ONE) == rejects(0, 6)


def test_a_wrong_index_can_be_rejected() -> None:
    """As the user has it: wait, or reject the event that is named."""
    wrong = reply(7, **{"invalid-event-number": 2})
    assert judge(wrong).step == "hold"
    assert judge(wrong, on_config_error="reject") == rejects(2, 7, 0, 1)


def test_a_success_without_an_id_is_none_for_who_needs_one() -> None:
    """A token without acknowledgements holds an output that must have them."""
    assert judge(reply(0), needs_ack=True) == Verdict(
        "hold", why="configuration", detail="no_ack_id"
    )
    assert judge(reply(0, ackId=0), needs_ack=True) == Verdict("done", delivered=3)


@pytest.mark.parametrize(
    ("answer", "step", "why"),
    [
        (Reply(0, fault="refused"), "again", "unreachable"),
        (Reply(0, fault="tls: expired"), "hold", "tls"),
        (Reply(0, fault="secret: reading /x: gone"), "again", "credentials"),
        (Reply(0, fault="reset", sent=True), "again", "ambiguous"),
        (Reply(0, fault=ACK_LATE, sent=True), "again", "unavailable"),
        (Reply(0, fault=NO_ACKS), "hold", "configuration"),
        (Reply(200, b""), "again", "ambiguous"),
        (Reply(200, b"<html>"), "hold", "configuration"),
        (Reply(200, b'{"code":28,"text":"new"}'), "again", "ambiguous"),
        (Reply(200, b'{"code":true}'), "again", "ambiguous"),
        (Reply(503, b'{"code":0,"text":"Success"}'), "again", "unavailable"),
        (Reply(200, b'{"code":6,"text":"x"}'), "halve", "malformed"),
        (Reply(302, b""), "hold", "redirect"),
        (Reply(400, b"<html>"), "hold", "configuration"),
        (Reply(400, b'"Error on gzip body"'), "halve", "malformed"),
        (Reply(401, b"who?"), "credentials", "credentials"),
        (Reply(404, b"<html>"), "hold", "configuration"),
        (Reply(413, b"<html>"), "halve", "too_large"),
        (Reply(429, b""), "again", "busy"),
        (Reply(502, b"<html>"), "again", "unavailable"),
        (Reply(500, b"\xff"), "again", "server_error"),
    ],
)
def test_what_is_not_the_collectors_word(answer: Reply, step: str, why: str) -> None:
    """Faults, proxies, other products: never a success, and judged as for any output."""
    verdict = judge(answer)
    assert (verdict.step, verdict.why, verdict.delivered) == (step, why, 0)


def test_acknowledgements() -> None:
    """Which ids a success gives, what is asked, and what the answer grants."""
    assert ack_id(reply(0, ackId=7)) == 7
    assert ack_id(reply(25, ackId=8)) == 8
    assert ack_id(reply(0)) is None
    assert ack_id(reply(9, ackId=7)) is None
    assert ack_id(Reply(503, b'{"code":0,"ackId":7}')) is None
    assert ack_id(Reply(200, b"no")) is None
    assert ack_question({3, 1}) == b'{"acks":[1,3]}'
    granted = Reply(200, b'{"acks":{"0":true,"1":false,"2":true,"x":true}}')
    assert acked(granted) == {0, 2}
    assert acked(Reply(400, granted.body)) == frozenset()
    assert acked(Reply(200, b'{"acks":{"0":1}}')) == frozenset()
    assert acked(Reply(0, fault="reset", sent=True)) == frozenset()


@given(st.binary(), st.integers(100, 599))
def test_no_bytes_make_it_raise_or_deliver(body: bytes, status: int) -> None:
    """Whatever comes: a verdict that accounts for every row or leaves all open."""
    verdict = judge(Reply(status, body))
    counted = verdict.delivered + len(verdict.rejected) + len(verdict.retry)
    assert counted == (3 if verdict.step in {"done", "retry"} else 0)
    assert acked(Reply(status, body)) == frozenset() or b"true" in body
