"""S3 objects: their names, their bodies, and each of the store's answers."""

import gzip

import pytest

from logagent.codecs.outcomes import Why
from logagent.codecs.s3 import Named, S3Codec, error_code, hour_of
from logagent.core.chunk import Codec, NextStep, Origin, Reply, Request, Verdict

ORIGIN = Origin("app", "/x", 1, {"input": "app", "pod": "web-0", "namespace": "shop"})
ROWS = [b'{"@timestamp":"2026-11-24T09:59:59Z","n":1}\n', b'{"n":2}\n', b'{"n":3}\n']
TEMPLATE = "logs/{namespace}/dt=%Y-%m-%d/{pod}-"
FOLDER = "logs/shop/dt=2026-11-24/web-0-"
DIGEST = "0123456789abcdef" * 4
ERROR = b'<?xml version="1.0"?>\n<Error><Code>%b</Code><Message>text</Message>%b</Error>'


def pack(codec: S3Codec) -> Request:
    """A request of ROWS that came in two chunks of two files."""
    packer = codec.packer()
    packer.add(ROWS[0], ORIGIN)
    packer.add(b"".join(ROWS[1:]), Origin("other", "/y", 2, {"pod": "other"}))
    assert packer.raw_bytes == sum(map(len, ROWS))
    return packer.close(3)


@pytest.mark.parametrize("compressed", [False, True])
def test_an_object_is_named_for_its_first_row(*, compressed: bool) -> None:
    """Names and hour are those of the first row, then come content and form; the body is NDJSON."""
    codec = S3Codec(TEMPLATE, gzip=compressed)
    protocol: Codec = codec
    request = pack(codec)
    suffix = ".ndjson.gz" if compressed else ".ndjson"
    assert codec.key(request, DIGEST, 0) == f"{FOLDER}{DIGEST[:32]}{suffix}"
    assert codec.key(request, DIGEST, 2) == f"{FOLDER}{DIGEST[:32]}-2{suffix}"
    body = gzip.decompress(request.body) if compressed else request.body
    assert body == b"".join(ROWS)
    assert protocol.frame(ORIGIN).tail == b"\n"


def test_halves_stay_where_they_were() -> None:
    """Rows that are taken apart keep their object's folder, and are documents inside."""
    codec = S3Codec(TEMPLATE, gzip=True)
    rows = codec.split(pack(codec))
    assert [codec.document(row) + b"\n" for row in rows] == ROWS
    half = codec.pack(rows[1:])
    assert codec.key(half, DIGEST, 0).startswith(FOLDER)
    assert (half.rows, gzip.decompress(half.body)) == (2, b"".join(ROWS[1:]))
    assert codec.pack(rows) == pack(codec)


def test_many_rows_are_packed_in_steps() -> None:
    """More rows than are joined at once are all there."""
    codec = S3Codec("x/", gzip=False)
    rows = [b"x/\n" + b'{"n":%d}\n' % number for number in range(3000)]
    request = codec.pack(rows)
    assert codec.split(request) == rows


@pytest.mark.parametrize(
    ("line", "hour"),
    [
        (b'{"@timestamp":"2026-11-24T10:00:00.000Z"}\n', "2026-11-24T10"),
        (b'{"@timestamp":"2026-11-24T23:30:00-02:00"}\n', "2026-11-25T01"),
        (b'{"a":1,"@timestamp":1700000000}\n', "2023-11-14T22"),
        (b'{"@timestamp":"9999-12-31T23:59:59Z"}\n', "1970-01-01T00"),
        (b'{"@timestamp":"0001-01-01T00:00:00Z"}\n', "1970-01-01T00"),
        (b'{"@timestamp":"../../x"}\n', "1970-01-01T00"),
        (b'{"@timestamp":9e18}\n', "2255-03-14T16"),
        (b"{}\n", "1970-01-01T00"),
    ],
)
def test_hours(line: bytes, hour: str) -> None:
    """Whatever a line calls its time, an hour comes of it, and nothing but an hour."""
    assert hour_of(line) == hour


@pytest.mark.parametrize("key", ["", "/x/", "{x", "%j", "a b/", "x" * 901, "ä/"])
def test_bad_keys(key: str) -> None:
    """A template that gives no key is refused."""
    with pytest.raises(ValueError, match="name"):
        S3Codec(key, gzip=True)


@pytest.mark.parametrize(
    ("status", "code", "step", "why"),
    [
        (200, "", "done", ""),
        (301, "PermanentRedirect", "hold", "redirect"),
        (307, "TemporaryRedirect", "hold", "redirect"),
        (400, "AuthorizationHeaderMalformed", "hold", "redirect"),
        (403, "RequestTimeTooSkewed", "hold", "configuration"),
        (400, "ExpiredToken", "credentials", "credentials"),
        (400, "InvalidToken", "credentials", "credentials"),
        (400, "TokenRefreshRequired", "credentials", "credentials"),
        (400, "RequestTimeout", "again", "unavailable"),
        (400, "BadDigest", "again", "ambiguous"),
        (400, "IncompleteBody", "again", "ambiguous"),
        (400, "XAmzContentSHA256Mismatch", "again", "ambiguous"),
        (400, "EntityTooLarge", "halve", "too_large"),
        (400, "InvalidBucketName", "hold", "configuration"),
        (400, "InvalidStorageClass", "hold", "configuration"),
        (400, "", "hold", "configuration"),
        (401, "", "credentials", "credentials"),
        (403, "AccessDenied", "credentials", "credentials"),
        (403, "InvalidAccessKeyId", "credentials", "credentials"),
        (403, "SignatureDoesNotMatch", "credentials", "credentials"),
        (404, "NoSuchBucket", "hold", "configuration"),
        (405, "MethodNotAllowed", "hold", "configuration"),
        (408, "", "again", "unavailable"),
        (409, "OperationAborted", "again", "unavailable"),
        (412, "PreconditionFailed", "hold", "configuration"),
        (413, "", "halve", "too_large"),
        (429, "TooManyRequests", "again", "busy"),
        (500, "InternalError", "again", "server_error"),
        (503, "SlowDown", "again", "busy"),
        (503, "ServiceUnavailable", "again", "unavailable"),
        (507, "XMinioStorageFull", "again", "disk_full"),
        (504, "", "again", "unavailable"),
        (100, "", "again", "ambiguous"),
    ],
)
def test_answers(status: int, code: str, step: NextStep, why: Why) -> None:
    """Each answer means what the table says, and is called what the store calls it."""
    codec = S3Codec("x/", gzip=False)
    request = codec.pack([b"x/\n{}\n"] * 2)
    body = ERROR % (code.encode(), b"") if code else b""
    verdict = codec.judge(request, Reply(status, body, sent=True))
    assert (verdict.step, verdict.why, verdict.detail) == (step, why, code)
    assert verdict.delivered == (2 if step == "done" else 0)


def test_the_region_is_said() -> None:
    """Where a bucket is stands in the verdict's detail, as a region or as an endpoint."""
    codec = S3Codec("x/", gzip=False)
    request = codec.pack([b"x/\n{}\n"])

    def check(code: bytes, extra: bytes, detail: str) -> None:
        verdict = codec.judge(request, Reply(400, ERROR % (code, extra), sent=True))
        assert verdict.detail == detail

    check(
        b"AuthorizationHeaderMalformed",
        b"<Region>eu-west-1</Region>",
        "AuthorizationHeaderMalformed (it is in eu-west-1)",
    )
    check(
        b"PermanentRedirect",
        b"<Endpoint>b.s3-eu-west-1.amazonaws.com</Endpoint>",
        "PermanentRedirect (it is in b.s3-eu-west-1.amazonaws.com)",
    )
    check(b"Other", b"<Region>a b\n</Region>", "Other")


def test_a_single_row_too_large_is_rejected() -> None:
    """One row that is too large for an object is a rejection."""
    codec = S3Codec("x/", gzip=False)
    verdict = codec.judge(codec.pack([b"x/\n{}\n"]), Reply(413, b"big", sent=True))
    assert (verdict.step, verdict.rejected[0].kind) == ("done", "too_large")


def test_a_page_is_no_success() -> None:
    """A 200 with a page, or with an error in it, stored nothing for sure."""
    codec = S3Codec("x/", gzip=False)
    request = codec.pack([b"x/\n{}\n"])
    page = codec.judge(request, Reply(200, b"<html>welcome", sent=True))
    assert page == Verdict("hold", why="configuration"), "in halves each row would be an object"
    inside = codec.judge(request, Reply(200, ERROR % (b"InternalError", b""), sent=True))
    assert inside == Verdict("again", why="ambiguous", detail="InternalError")


def test_faults_leave_all_open() -> None:
    """Without a complete answer the same object is written again."""
    codec = S3Codec("x/", gzip=False)
    request = codec.pack([b"x/\n{}\n"])
    assert codec.judge(request, Reply(0, fault="reset", sent=True)).step == "again"


def test_hostile_errors() -> None:
    """Nothing in an error's body is expanded, and what is no code is none."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><Error><Code>&a;</Code></Error>'
    assert error_code(bomb) == ""
    assert error_code(b"<Code>" + b"A" * 65 + b"</Code>") == ""
    assert error_code(b" " * (16 << 10) + b"<Code>Late</Code>") == ""
    assert error_code(b"\xff<Code>Fine</Code>\x00") == "Fine"


def test_only_our_requests_have_keys() -> None:
    """A request of somebody else is a bug, not an object without a folder."""
    with pytest.raises(AssertionError, match="packed in here"):
        S3Codec("x/", gzip=False).key(Request(b"", 0, 0, gzipped=False), DIGEST, 0)
    assert isinstance(S3Codec("x/", gzip=False).pack([b"x/\n{}\n"]), Named)
