"""What Loki's replies mean; the texts are those of its sources (see the module's docstring)."""

from __future__ import annotations

import pytest

from logagent.codecs.loki_reply import judge_push
from logagent.core.chunk import Reply, Request, Verdict

MANY = Request(b"x", 3, 1, gzipped=False)
ONE = Request(b"x", 1, 1, gzipped=False)

BEHIND = (
    b"entry with timestamp 2026-09-21 14:13:20 +0000 UTC ignored, reason: 'entry too far behind, "
    b"entry timestamp is: 2026-09-21T14:13:20Z, oldest acceptable timestamp is: "
    b"2026-09-21T15:13:20Z',\nuser 'fake', total ignored: %d out of %d for stream: {app=\"a\"}"
)
OLD = (
    b"entry for stream '{app=\"a\"}' has timestamp too old: 2020-01-01T00:00:00Z, oldest "
    b"acceptable timestamp is: 2026-09-14T14:13:20Z"
)
LONG = (
    b"Max entry size '262144' bytes exceeded for stream '{}' while adding an entry with length '9'"
)


@pytest.mark.parametrize("status", [200, 204])
def test_success(status: int) -> None:
    """204 is Loki's, 200 that of others."""
    assert judge_push(MANY, Reply(status)) == Verdict("done", delivered=3)
    assert judge_push(MANY, Reply(status, b"<html>")) == Verdict("hold", why="configuration")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (BEHIND % (1, 3), "too_far_behind"),
        (b"entry with timestamp X ignored, reason: 'entry out of order',\n", "out_of_order"),
        (OLD, "greater_than_max_sample_age"),
        (OLD.replace(b"too old", b"too new"), "too_far_in_future"),
        (LONG, "line_too_long"),
        (b"stream '{}' has structured metadata too large: '9'", "structured_metadata_too_large"),
        (b"stream '{}' has too many structured metadata labels", "structured_metadata_too_many"),
        (b"something new", "malformed"),
    ],
)
def test_a_bad_entry_is_found_by_halves(text: bytes, kind: str) -> None:
    """What was stored isn't said: halves, and a single row is rejected with Loki's reason."""
    verdict = judge_push(MANY, Reply(400, text))
    assert verdict.step == "halve"
    assert verdict.detail == (kind if kind != "malformed" else "")
    single = judge_push(ONE, Reply(400, text))
    assert single.step == "done"
    ((row, status, found, reason),) = single.rejected
    assert (row, status, found) == (0, 400, kind)
    assert reason.startswith(text[:50].decode())


def test_all_ignored_are_rejected_at_once() -> None:
    """The text counts all rows of the request, in one stream: each is known to be refused."""
    verdict = judge_push(MANY, Reply(400, BEHIND % (3, 3)))
    assert verdict.step == "done"
    assert [rejection.row for rejection in verdict.rejected] == [0, 1, 2]
    assert judge_push(MANY, Reply(400, BEHIND % (2, 2))).step == "halve"
    assert judge_push(MANY, Reply(400, BEHIND % (3, 4))).step == "halve"
    assert judge_push(MANY, Reply(400, BEHIND % (3, 3) + BEHIND % (3, 3))).step == "halve"


@pytest.mark.parametrize(
    "text",
    [
        b"Error parsing labels '{a-b=\"c\"}' with error: 1:3: parse error",
        b"couldn't parse push request: couldn't parse labels: 1:3",
        b"error at least one label pair is required per stream",
        b"stream '{}' has label value too long: 'x'",
        b"stream '{}' has duplicate label name: 'x'",
        b"entry for stream '{}' has 20 label names; limit 15",
        b"stream '{}' includes structured metadata, but this feature is disallowed. Please see",
        b"missing required labels team for user fake for stream {}",
        b"no org id",
        b'unsupported path requested: "/nowhere"',
        b"<html>400 plain HTTP to HTTPS port</html>",
    ],
)
def test_what_all_rows_share_is_for_a_person(text: bytes) -> None:
    """Labels, tenant, path: halves would reject every single row, so it waits and says so."""
    assert judge_push(ONE, Reply(400, text)) == Verdict("hold", why="configuration")
    assert judge_push(MANY, Reply(400, text)) == Verdict("hold", why="configuration")


def test_limits_are_waited_for() -> None:
    """Rates: the same again. Too many streams: slowly, for only fewer labels help."""
    rate = b"Per stream rate limit exceeded (limit: 3MB/sec) while attempting to ingest for stream"
    assert judge_push(MANY, Reply(429, rate)) == Verdict("again", why="busy")
    tenant = b"Ingestion rate limit exceeded for user fake (limit: 1 bytes/sec)"
    assert judge_push(ONE, Reply(429, tenant)) == Verdict("again", why="busy")
    streams = b"Maximum active stream limit exceeded when trying to create stream {}, reduce"
    assert judge_push(MANY, Reply(429, streams)) == Verdict(
        "again", why="configuration", detail="stream_limit"
    )


def test_the_rest_is_as_everywhere() -> None:
    """Credentials, size, ingesters that aren't there, faults."""
    assert judge_push(MANY, Reply(401)).step == "credentials"
    assert judge_push(MANY, Reply(403)).step == "credentials"
    assert judge_push(MANY, Reply(413)).step == "halve"
    assert judge_push(ONE, Reply(413)).rejected[0].kind == "too_large"
    assert judge_push(MANY, Reply(404)).step == "hold"
    replicas = b"at least 2 live replicas required, could only find 1"
    assert judge_push(MANY, Reply(500, replicas)) == Verdict("again", why="unavailable")
    assert judge_push(MANY, Reply(503)).step == "again"
    assert judge_push(MANY, Reply(0, fault="reset", sent=True)) == Verdict("again", why="ambiguous")
    assert judge_push(MANY, Reply(0, fault="refused")).why == "unreachable"


def test_a_line_cannot_choose_its_fate() -> None:
    """Texts that are quoted far behind the server's own words decide nothing."""
    quoted = b"something new " + b"x" * 400 + b" no org id, entry too far behind"
    assert judge_push(ONE, Reply(400, quoted)).rejected[0].kind == "malformed"
