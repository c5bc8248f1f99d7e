"""Requests that are refused as a whole, and requests without an answer."""

import msgspec
import orjson
import pytest
from msgspec.structs import replace

from logagent.codecs.elastic_reply import judge_bulk
from logagent.codecs.refusal import read_error
from logagent.core.chunk import Reply, Request, Verdict


def request_of(rows: int) -> Request:
    """A request of `rows` rows; its bytes don't matter here."""
    return Request(b"", rows, 0, gzipped=True)


def judged(rows: int, body: bytes, status: int) -> Verdict:
    """The verdict on a complete reply."""
    return judge_bulk(request_of(rows), Reply(status, body), ids=True)


def test_an_error_without_an_object() -> None:
    """No error at all has neither type nor reason."""
    assert read_error(msgspec.Raw(b"")) == ("", "")
    assert read_error(msgspec.Raw(b'{"type":"a","reason":"b","more":[1]}')) == ("a", "b")


def test_faults() -> None:
    """Without a complete answer the bytes go again; `why` tells whether the sink may have them.
    Where TLS fails, the certificates are read again before that."""

    def why(fault: str, *, sent: bool) -> str:
        verdict = judge_bulk(request_of(3), Reply(0, fault=fault, sent=sent), ids=True)
        assert verdict == Verdict("hold" if verdict.why == "tls" else "again", why=verdict.why)
        return verdict.why

    assert why("refused", sent=False) == "unreachable"
    assert why("tls: certificate has expired", sent=False) == "tls"
    assert why("secret: reading the key: Permission denied", sent=False) == "credentials"
    assert why("reset", sent=True) == "ambiguous"
    assert why("tls: decryption failed", sent=True) == "ambiguous"


def refusal(kind: str, reason: str = "", status: int = 400) -> bytes:
    """An error body as the servers write it."""
    error = {"type": kind, "reason": reason, "root_cause": [{"type": kind}]}
    return orjson.dumps({"error": error, "status": status})


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (413, b"", Verdict("halve", why="too_large")),
        (
            400,
            refusal("illegal_argument_exception", "Malformed"),
            Verdict("halve", why="malformed"),
        ),
        (400, refusal("task_cancelled_exception"), Verdict("again", why="unavailable")),
        (400, b"", Verdict("halve", why="malformed")),
        (400, b" <html>plain HTTP on an HTTPS port", Verdict("hold", why="configuration")),
        (400, b"unsupported path requested: x", Verdict("hold", why="configuration")),
        (400, b'{"error":"text"}', Verdict("halve", why="malformed")),
        (400, b'{"error":' + b"[" * 100_000, Verdict("halve", why="malformed")),
        (401, refusal("security_exception"), Verdict("credentials", why="credentials")),
        (403, b"", Verdict("credentials", why="credentials")),
        (404, b"", Verdict("hold", why="configuration")),
        (302, b"", Verdict("hold", why="redirect")),
        (408, b"", Verdict("again", why="unavailable")),
        (429, b"", Verdict("again", why="busy")),
        (429, refusal("cluster_block_exception"), Verdict("again", why="disk_full")),
        (500, b"", Verdict("again", why="server_error")),
        (503, b"<html>", Verdict("again", why="unavailable")),
        (201, b'{"items":[{"create":{"status":201}}]}' * 2, Verdict("again", why="ambiguous")),
    ],
)
def test_a_refused_request(status: int, body: bytes, expected: Verdict) -> None:
    """A request that is refused as a whole leaves its rows open; nothing is dropped."""
    assert replace(judged(2, body, status), detail="") == expected


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (refusal("security_exception", "secret"), "security_exception"),
        (refusal("John Smith"), "status_401"),
        (b"<html>", "html"),
        (b"", ""),
    ],
)
def test_a_refusal_is_named(body: bytes, detail: str) -> None:
    """The error's type tells people what to look for; its text isn't repeated."""
    assert judged(2, body, 401).detail == detail


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (413, b"<html>", "too_large"),
        (413, refusal("whatever_exception"), "too_large"),
        (400, refusal("illegal_argument_exception", "Malformed"), "illegal_argument_exception"),
        (400, refusal("John Smith"), "status_400"),
        (400, b"", "malformed"),
    ],
)
def test_a_row_alone_is_rejected(status: int, body: bytes, kind: str) -> None:
    """What is left of a request after all halvings is the row that the sink can't take."""
    (rejection,) = judged(1, body, status).rejected
    assert (rejection.row, rejection.status, rejection.kind) == (0, status, kind)
    held = refusal("media_type_header_exception")
    assert judged(1, held, 400).step == "hold"
