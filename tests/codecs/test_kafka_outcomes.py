"""Kafka's codes: one case a row of the table, and what a request's verdict comes to."""

from array import array
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.kafka_outcomes import (
    CODE_MEANINGS,
    NOT_SENT,
    PROMPTNESS,
    UNKNOWN,
    Fate,
    judge_codes,
    meaning_of,
)
from logagent.codecs.outcomes import SLOW, Why
from logagent.core.chunk import NextStep, Rejection, Reply, Request, Verdict

CASES: list[tuple[int, Fate, Why]] = [
    (0, "delivered", ""),
    (46, "duplicate", ""),
    (UNKNOWN, "retry", "ambiguous"),
    (NOT_SENT, "retry", "unavailable"),
    (5, "retry", "unavailable"),
    (6, "retry", "unavailable"),
    (7, "retry", "ambiguous"),
    (8, "retry", "unavailable"),
    (9, "retry", "unavailable"),
    (13, "retry", "ambiguous"),
    (14, "retry", "unavailable"),
    (15, "retry", "unavailable"),
    (16, "retry", "unavailable"),
    (19, "retry", "unavailable"),
    (20, "retry", "ambiguous"),
    (51, "retry", "unavailable"),
    (56, "retry", "unavailable"),
    (72, "retry", "unavailable"),
    (74, "retry", "unavailable"),
    (75, "retry", "unavailable"),
    (89, "retry", "busy"),
    (-1, "retry", "server_error"),
    (2, "retry", "server_error"),
    (45, "retry", "unavailable"),
    (48, "retry", "unavailable"),
    (49, "retry", "unavailable"),
    (59, "retry", "unavailable"),
    (120, "retry", "unavailable"),
    (10, "refused", "too_large"),
    (18, "refused", "too_large"),
    (32, "refused", ""),
    (43, "refused", ""),
    (44, "refused", ""),
    (87, "refused", ""),
    (29, "credentials", "credentials"),
    (31, "credentials", "credentials"),
    (53, "credentials", "credentials"),
    (58, "credentials", "credentials"),
    (3, "hold", "configuration"),
    (17, "hold", "configuration"),
    (33, "hold", "configuration"),
    (34, "hold", "configuration"),
    (35, "hold", "configuration"),
    (76, "hold", "configuration"),
    (47, "hold", "configuration"),
    (90, "hold", "configuration"),
]

STEPS: dict[Fate, NextStep] = {
    "delivered": "done",
    "duplicate": "done",
    "retry": "retry",
    "refused": "halve",
    "credentials": "credentials",
    "hold": "hold",
}


def judge(codes: list[int], *, transactional: bool = False) -> Verdict:
    """The verdict on rows with these codes."""
    body = b"".join(code.to_bytes(2, "little", signed=True) for code in codes)
    request = Request(b"", len(codes), 0, gzipped=False)
    return judge_codes(request, Reply(200, body), transactional=transactional)


@pytest.mark.parametrize(("code", "fate", "why"), CASES)
def test_each_code(code: int, fate: Fate, why: Why) -> None:
    """A request whose rows all have the code goes on as it says, under the protocol's name."""
    meaning = CODE_MEANINGS[code]
    assert (meaning.fate, meaning.why) == (fate, why)
    verdict = judge([code, code], transactional=True)
    assert verdict.step == STEPS[fate]
    assert verdict.why == (why or ("malformed" if fate == "refused" else ""))
    assert verdict.detail == ("" if fate in {"delivered", "duplicate"} else meaning.name)
    assert (verdict.why in SLOW) == (fate in {"credentials", "hold"})
    if fate == "refused":
        (rejection,) = judge([code]).rejected
        assert rejection == Rejection(0, code, why or meaning.name.lower(), meaning.name)


def test_the_cases_are_the_table() -> None:
    """No row is untested, and each reason has its place."""
    assert sorted(code for code, _, _ in CASES) == sorted(CODE_MEANINGS)
    reasons = {meaning.why for meaning in CODE_MEANINGS.values()} - {""}
    assert reasons <= set(PROMPTNESS) <= set(get_args(Why))


def test_a_missing_topic_is_named() -> None:
    """It holds, loudly: nobody creates it for us, and a new one is taken without a restart."""
    verdict = judge([3, 3])
    assert verdict == Verdict("hold", why="configuration", detail="UNKNOWN_TOPIC_OR_PARTITION")


def test_a_fence_is_for_transactions_alone() -> None:
    """47 without transactions is a producer that is to be replaced; an unknown code may pass."""
    assert judge([47]).step == "retry"
    assert judge([47], transactional=True).step == "hold"
    assert judge([90]).step == "hold"
    assert meaning_of(999, transactional=False).why == "server_error"
    assert judge([999]).detail == "CODE_999"


def test_rows_go_their_own_ways() -> None:
    """Delivered and duplicate rows are done, whatever the others wait for."""
    verdict = judge([0, 46, 6, 10, 0, 3, 58])
    assert (verdict.step, verdict.delivered, verdict.duplicates) == ("retry", 2, 1)
    assert verdict.retry == (2, 3, 5, 6)
    assert (verdict.why, verdict.detail) == ("unavailable", "NOT_LEADER_OR_FOLLOWER")
    assert judge([0, 46]) == Verdict("done", delivered=1, duplicates=1)
    refused = judge([0, 87])
    assert (refused.step, refused.retry, refused.why) == ("retry", (1,), "malformed")


def test_rows_to_blame_do_not_wait_for_others() -> None:
    """A request with one goes in halves when nothing of it was taken, though others only wait."""
    assert judge([3, 10]).step == "halve"
    assert judge([6, 87]).step == "halve"
    assert judge([29, 3]).step == "credentials"
    assert judge([6, 3]).retry == (0, 1)


@given(st.lists(st.sampled_from([*CODE_MEANINGS, 999, -99]), min_size=1, max_size=9))
def test_each_row_is_counted_once(codes: list[int]) -> None:
    """Delivered, duplicate, rejected and retried rows are all rows, unless none has an outcome."""
    verdict = judge(codes)
    counted = verdict.delivered + verdict.duplicates + len(verdict.rejected) + len(verdict.retry)
    if verdict.step in {"halve", "credentials", "hold"}:
        assert counted == 0
        assert verdict.step != "halve" or len(codes) > 1
    else:
        assert counted == len(codes)
    assert (verdict.step == "done") == (verdict.why == "")


@given(st.binary(max_size=9), st.integers(1, 3), st.sampled_from([200, 0, 500]))
def test_no_reply_raises(body: bytes, rows: int, status: int) -> None:
    """What isn't one code a row says nothing about any row."""
    request = Request(b"", rows, 0, gzipped=False)
    verdict = judge_codes(request, Reply(status, body), transactional=False)
    if status != 200 or len(body) != 2 * rows:
        assert verdict == Verdict("again", why="ambiguous")


@pytest.mark.parametrize(
    ("fault", "sent", "step", "why"),
    [
        ("refused", False, "again", "unreachable"),
        ("dns: no such host", False, "again", "unreachable"),
        ("time-out", True, "again", "ambiguous"),
        ("closed", True, "again", "ambiguous"),
        ("tls: certificate has expired", False, "hold", "tls"),
        ("secret: /p: no such file", False, "credentials", "credentials"),
        ("sasl: authentication failed", False, "credentials", "credentials"),
        ("fenced", False, "hold", "configuration"),
    ],
)
def test_faults(fault: str, step: NextStep, why: Why, *, sent: bool) -> None:
    """When there is no answer at all, the whole request is open."""
    request = Request(b"", 2, 0, gzipped=False)
    reply = Reply(0, fault=fault, sent=sent)
    assert judge_codes(request, reply, transactional=False) == Verdict(step, why=why)


def test_the_body_is_little_endian() -> None:
    """Codes have two bytes, the low one first, whatever the machine's order."""
    assert judge([46]).duplicates == 1
    assert array("h", [46]).itemsize == 2
