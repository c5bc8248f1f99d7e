"""Verdicts: every row of a request has exactly one fate, and none is success unless reported."""

import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.elastic_reply import UNIT, all_created, judge_bulk
from logagent.codecs.refusal import REASON_MAX
from logagent.core.chunk import Rejection, Reply, Request, Verdict

Item = dict[str, dict[str, object]]

AMBIGUOUS = Verdict("again", why="ambiguous")
OPEN = {"again", "halve", "credentials", "hold"}


def item(status: int, kind: str = "", reason: str = "", **more: object) -> Item:
    """One item of a reply."""
    error = {"error": {"type": kind, "reason": reason}} if kind else {}
    return {"create": {"status": status, **error, **more}}


CREATED = item(201)
CONFLICT = item(409, "version_conflict_engine_exception", "[1]: version conflict")
BUSY = item(429, "es_rejected_execution_exception", "rejected execution")
CLOSED = item(400, "index_closed_exception", "closed")
MAPPING = item(400, "document_parsing_exception", "[1:9] failed to parse field [a]")
BROKEN = item(500, "null_pointer_exception")
STORED = item(201, failure_store="used")


def bulk(items: list[Item], *, errors: bool | None = None) -> bytes:
    """A reply's body. errors: by default what the servers say."""
    said = any("error" in result["create"] for result in items) if errors is None else errors
    return orjson.dumps({"errors": said, "took": 7, "items": items})


def request_of(rows: int) -> Request:
    """A request of `rows` rows; its bytes don't matter here."""
    return Request(b"", rows, 0, gzipped=True)


def judged(rows: int, body: bytes, status: int = 200, *, ids: bool = True) -> Verdict:
    """The verdict on a complete reply, after the arithmetic of verdicts was checked."""
    verdict = judge_bulk(request_of(rows), Reply(status, body), ids=ids)
    closed = verdict.delivered + verdict.duplicates + len(verdict.rejected)
    if verdict.step in OPEN:
        assert (closed, verdict.retry) == (0, ())
        assert verdict.why
    else:
        assert closed + len(verdict.retry) == rows
        assert (verdict.step == "retry") == bool(verdict.retry) == bool(verdict.why)
        assert verdict.redirected <= verdict.delivered
        named = [*verdict.retry, *(rejection.row for rejection in verdict.rejected)]
        assert len(set(named)) == len(named)
        assert set(named) <= set(range(rows))
    return verdict


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    "head",
    [
        b'{"errors":false,"took":7,"items":',
        b'{"took":7,"errors":false,"items":',
        b'{"took":7,"ingest_took":1,"errors":false,"items":',
        b'{"errors": false, "took": 7, "items": ',  # not the fast path; the same verdict
    ],
)
def test_all_created(rows: int, head: bytes) -> None:
    """The reply that nearly always comes, from either product, delivers all rows and no others."""
    body = head + b"[" + b",".join([UNIT] * rows) + b"]}"
    assert all_created(body, rows) == (b" " not in head)
    assert judged(rows, body) == Verdict("done", delivered=rows)
    for wrong in {rows - 1, rows + 1, 0}:
        assert not all_created(body, wrong)
        assert judged(wrong, body) == AMBIGUOUS


@pytest.mark.parametrize(
    "body",
    [
        b'{"errors":false,"took":7,"items":[{"create":{"status":400}},%b]}',
        b'{"errors":false,"took":7,"x":[{"create":{"status":400}}],"items":[%b]}',
        b'{"errors":false,"error":{"type":"a"},"items":[%b]}',
        b'["errors":false,"items":[%b]}',
        b'{"errors":true,"items":[%b]}',
        b'{"items":[%b]}',
        b'{"errors":false,"items":[],"x":[%b]}',
        b"[%b]}",
        b'\n{"errors":false,"items":[%b]}',
    ],
)
def test_the_fast_path_takes_nothing_else(body: bytes) -> None:
    """A body with anything unusual in front of the items is parsed, not believed."""
    assert not all_created(body % UNIT, 1)


def test_a_mixed_reply() -> None:
    """Each row gets its own fate, in the order of the request."""
    items = [CREATED, CONFLICT, BUSY, MAPPING, item(200), CLOSED, STORED]
    assert judged(7, bulk(items)) == Verdict(
        "retry",
        delivered=3,
        duplicates=1,
        redirected=1,
        rejected=(
            Rejection(3, 400, "document_parsing_exception", "[1:9] failed to parse field [a]"),
        ),
        retry=(2, 5),
        why="busy",
        detail="429 es_rejected_execution_exception",
    )


def test_the_failure_store_is_a_success() -> None:
    """A redirected row is delivered and counted, also when the reply says `errors: false`."""
    assert judged(2, bulk([STORED, CREATED])) == Verdict("done", delivered=2, redirected=1)
    plain = item(201, failure_store="not_applicable_or_unknown")
    assert judged(1, bulk([plain])) == Verdict("done", delivered=1)


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ([BUSY], "busy"),
        ([CLOSED, CREATED], "configuration"),
        ([CLOSED, BROKEN], "server_error"),
        ([CLOSED, BROKEN, BUSY], "busy"),
        ([item(429, "cluster_block_exception", "index [a] blocked"), CLOSED], "disk_full"),
        ([item(503), BUSY], "unavailable"),
        ([item(202), BUSY], "ambiguous"),
    ],
)
def test_the_promptest_reason_names_a_retry(items: list[Item], why: str) -> None:
    """Rows that may go soon aren't slowed by rows that wait for a person."""
    assert judged(len(items), bulk(items)).why == why


def test_conflicts_need_our_ids() -> None:
    """409 closes a row as a duplicate with ids, and is a rejection without."""
    assert judged(1, bulk([CONFLICT]), ids=True) == Verdict("done", duplicates=1)
    verdict = judged(1, bulk([CONFLICT]), ids=False)
    assert [rejection.status for rejection in verdict.rejected] == [409]


def test_errors_false_is_not_believed() -> None:
    """Items decide, whatever the summary says; a summary alone decides nothing."""
    assert judged(1, bulk([MAPPING], errors=False)).rejected
    assert judged(1, bulk([CREATED], errors=True)) == Verdict("done", delivered=1)
    assert judged(1, b'{"errors":false}') == AMBIGUOUS
    assert judged(0, b'{"errors":false}') == AMBIGUOUS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"null",
        b"[]",
        b"{}",
        b'{"items":null}',
        b'{"items":[{}]}',
        b'{"items":[null]}',
        b'{"items":[{"create":{}}]}',
        b'{"items":[{"create":{"status":null}}]}',
        b'{"items":[{"create":{"status":"201"}}]}',
        b'{"items":[{"create":{"status":true}}]}',
        b'{"items":[{"create":{"status":201.5}}]}',
        b'{"items":[{"index":{"status":201}}]}',
        b'{"items":[{"delete":{"status":200}}]}',
        b'{"items":[{"create":{"status":201},"index":{"status":201}}]}',
        b'{"items":[{"create":{"status":201,"failure_store":7}}]}',
        b'{"items":[{"create":{"status":201}}]}{"items":[]}',
        b'{"items":[{"create":{"status":201,"x":' + b"[" * 100_000,
        b'{"items":[{"create":{"status":201}}]}\xff',
    ],
)
def test_a_reply_in_doubt_leaves_the_request_open(body: bytes) -> None:
    """What isn't a report on exactly this request is no report: the same bytes are sent again."""
    assert judged(1, body) == AMBIGUOUS


@pytest.mark.parametrize(
    "contradiction",
    [
        item(201, "null_pointer_exception"),
        item(201, failure_store="failed"),
        {"create": {"status": 200, "error": "text"}},
        {"create": {"status": 200, "error": {}}},
    ],
)
def test_a_success_with_an_error_is_none(contradiction: Item) -> None:
    """A row that is reported as both is sent again."""
    body = orjson.dumps({"items": [CREATED, contradiction]})
    assert judged(2, body) == Verdict("retry", delivered=1, retry=(1,), why="ambiguous")
    assert judged(1, b'{"items":[{"create":{"status":201,"error":null}}]}').delivered == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (b'{"type":"x_exception","reason":"a\xffb"}', '{"type":"x_exception","reason":"a\ufffdb"}'),
        (b'{"type":7}', '{"type":7}'),
        (b'"only text"', '"only text"'),
        (b"null", "null"),
        (b'{"type":null,"reason":null}', ""),
        (b'{"reason":"why"}', "why"),
    ],
)
def test_an_error_that_is_no_text_does_not_hide_the_others(error: bytes, reason: str) -> None:
    """A quoted document of bad bytes can't make a reply unreadable and its request endless."""
    body = b'{"items":[{"create":{"status":400,"error":%b}},%b]}' % (error, UNIT)
    assert judged(2, body) == Verdict(
        "done", delivered=1, rejected=(Rejection(0, 400, "status_400", reason),)
    )


def test_half_a_character_does_not_hide_the_others() -> None:
    """A text that a server cut within a surrogate pair is read, with a replacement for the half."""
    error = b'{"type":"a_exception","reason":"Preview: \\ud83d..."}'
    body = b'{"items":[{"create":{"status":400,"error":%b}},%b]}' % (error, UNIT)
    assert judged(2, body) == Verdict(
        "done",
        delivered=1,
        rejected=(Rejection(0, 400, "a_exception", "Preview: \ufffd..."),),
    )


def test_a_reason_is_kept_short() -> None:
    """A server that quotes a whole document doesn't fill our memory with it."""
    (rejection,) = judged(1, bulk([item(400, "a_exception", "x" * 9999)])).rejected
    assert rejection.reason == "x" * REASON_MAX
    body = b'{"items":[{"create":{"status":400,"error":["%b"]}}]}' % (b"x" * 9999)
    assert len(judged(1, body).rejected[0].reason) <= 4 * REASON_MAX


FATES = st.lists(
    st.sampled_from([CREATED, CREATED, CONFLICT, BUSY, CLOSED, MAPPING, BROKEN, STORED]),
    min_size=1,
    max_size=12,
)


@given(items=FATES, ids=st.booleans())
def test_fates_are_kept_in_order(items: list[Item], *, ids: bool) -> None:
    """Each row's fate is the one of its own item: counts and indices agree with the reply."""
    verdict = judged(len(items), bulk(items), ids=ids)
    assert verdict.delivered == sum(result in (CREATED, STORED) for result in items)
    assert verdict.redirected == items.count(STORED)
    assert verdict.duplicates == (items.count(CONFLICT) if ids else 0)
    wait = tuple(row for row, result in enumerate(items) if result in (BUSY, CLOSED, BROKEN))
    assert verdict.retry == wait


@given(FATES)
def test_a_truncated_reply_reports_nothing(items: list[Item]) -> None:
    """Cut at any byte, a reply is no reply: no row of it is closed."""
    body = bulk(items)
    for end in range(len(body)):
        assert judged(len(items), body[:end]) == AMBIGUOUS


@given(FATES, FATES)
def test_missing_and_extra_items_report_nothing(items: list[Item], more: list[Item]) -> None:
    """A report on another number of rows is about another request."""
    assert judged(len(items) + len(more), bulk(items)) == AMBIGUOUS
    assert judged(len(items), bulk(items + more)) == AMBIGUOUS


@given(FATES, st.randoms(use_true_random=False))
def test_a_flipped_byte_closes_no_row_as_another(items: list[Item], rng: random.Random) -> None:
    """Any changed byte gives a verdict that adds up, and no more successes than it reports."""
    body = bytearray(bulk(items))
    at = rng.randrange(len(body))
    body[at] = rng.randrange(256)
    verdict = judged(len(items), bytes(body))
    reported = sum(bytes(body).count(b'"status":%d' % status) for status in (200, 201, 409))
    assert verdict.delivered + verdict.duplicates <= reported


@given(st.binary(max_size=60), st.integers(0, 3), st.integers(0, 999))
def test_junk_closes_nothing(body: bytes, rows: int, status: int) -> None:
    """Arbitrary bytes with any status are never a success and never an exception."""
    verdict = judged(rows, body, status)
    assert verdict.delivered == verdict.duplicates == 0
