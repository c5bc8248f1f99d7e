"""`_bulk`: names, paths, headers, actions, rows."""

from datetime import UTC, datetime

import orjson
import pytest

from logagent.codecs.elastic import ElasticCodec, Target
from logagent.core.chunk import Codec
from tests.fakes.origin import ORIGIN

STREAM = Target("logs-checkout-prod")
DATED = Target("checkout-%Y.%m.%d")
HOUR = "2026-11-24T10"


def codec_of(
    target: Target = STREAM, *, ids: bool = False, gzip: bool = False, pipeline: str = ""
) -> ElasticCodec:
    """A codec with the given options, plain otherwise."""
    return ElasticCodec(target, ids=ids, gzip=gzip, pipeline=pipeline)


def row_of(codec: Codec, document: bytes, event_id: bytes) -> bytes:
    """A row as a renderer makes it from the codec's frame."""
    frame = codec.frame(ORIGIN)
    head = frame.dated(HOUR) if frame.dated else frame.head
    return head + (event_id + frame.middle if frame.middle else b"") + document + frame.tail


@pytest.mark.parametrize(
    ("target", "ids", "action"),
    [
        (STREAM, False, b'{"create":{}}'),
        (STREAM, True, b'{"create":{"_id":"0a1b"}}'),
        (DATED, False, b'{"create":{"_index":"checkout-2026.11.24"}}'),
        (DATED, True, b'{"create":{"_index":"checkout-2026.11.24","_id":"0a1b"}}'),
    ],
)
def test_a_row_is_an_action_and_a_document(target: Target, action: bytes, *, ids: bool) -> None:
    """The frame makes exactly two lines: `create` with index and id as configured, document."""
    row = row_of(codec_of(target, ids=ids), b'{"a":1}', b"0a1b")
    assert row == action + b'\n{"a":1}\n'
    assert all(orjson.loads(line) for line in row.splitlines())


@pytest.mark.parametrize("pattern", ["a-%Y", "a-%Y.%m", "a-%Y.%m.%d", "%Y-%m-%dt%H", "a%d%d"])
def test_dates_are_what_strftime_makes(pattern: str) -> None:
    """A dated name is the one that strftime gives for that hour in UTC."""
    when = datetime(2026, 1, 2, 3, tzinfo=UTC)
    assert Target(pattern).index(f"{when:%Y-%m-%dT%H}") == when.strftime(pattern)


@pytest.mark.parametrize(
    "hour", ["", "2026-11-24", '2026-11-24T1"', "2026-11-24T10\n", "٢026-11-24T10"]
)
def test_an_hour_can_not_bring_other_bytes(hour: str) -> None:
    """What isn't an hour never gets into an action line."""
    with pytest.raises(AssertionError):
        DATED.index(hour)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "Upper",
        ".hidden",
        "_all",
        "-x",
        "a/b",
        "a b",
        "a,b",
        "a*",
        'a"b',
        "a\n",
        "ä",
        "a" * 256,
        "a-%y",
        "a%",
        "a%%",
        "a-%",
        ".%Y",
    ],
)
def test_a_name_that_can_not_be_is_refused(pattern: str) -> None:
    """Names that a server refuses, or that would need escaping, are an error with the name."""
    with pytest.raises(ValueError, match=r"^index ") as caught:
        Target(pattern)
    assert repr(pattern) in str(caught.value)


def test_a_name_is_measured_with_its_dates() -> None:
    """255 bytes count after the dates are filled in."""
    assert Target("%Y" + "a" * 251).index(HOUR) == "2026" + "a" * 251
    with pytest.raises(ValueError, match="1 to 255"):
        Target("%Y" + "a" * 252)


def test_a_data_stream_has_no_dates() -> None:
    """A dated target that must be a data stream is nonsense and refused."""
    with pytest.raises(ValueError, match="no dates"):
        Target("a-%Y", require_data_stream=True)


def test_paths() -> None:
    """A constant target is in the path, a dated one in the actions; parameters when asked."""
    base = (
        "/_bulk?filter_path=errors,took,items.*.status,items.*.error.type,items.*.error.reason,"
        "items.*.failure_store"
    )
    assert codec_of().path == "/logs-checkout-prod" + base
    assert codec_of(DATED).path == base
    required = Target("logs-a-b", require_data_stream=True)
    assert codec_of(required).path == f"/logs-a-b{base}&require_data_stream=true"
    assert codec_of(DATED, pipeline="logs@custom").path == f"{base}&pipeline=logs@custom"
    assert codec_of(pipeline="a&b=ü x").path.endswith("&pipeline=a%26b%3D%C3%BC%20x")


@pytest.mark.parametrize("gzip", [False, True])
def test_headers(*, gzip: bool) -> None:
    """The headers name the body's form and leave its encoding to whoever sees the request."""
    assert codec_of(gzip=gzip).headers == {"content-type": "application/x-ndjson"}


@pytest.mark.parametrize("target", [STREAM, DATED])
@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("gzip", [False, True])
def test_rows_are_taken_apart(target: Target, *, ids: bool, gzip: bool) -> None:
    """A body of n rows has 2·n lines, and split, document and pack agree about them."""
    codec: Codec = codec_of(target, ids=ids, gzip=gzip)
    documents = [b'{"n":%d,"text":"a\\nb"}' % n for n in range(3000)]
    rows = [row_of(codec, doc, b"%016x" % n) for n, doc in enumerate(documents)]
    packer = codec.packer()
    packer.add(b"".join(rows[:7]), ORIGIN)
    packer.add(b"".join(rows[7:]), ORIGIN)
    request = packer.close(len(rows))
    assert request.gzipped == gzip
    split = codec.split(request)
    assert split == rows
    assert b"".join(split).count(b"\n") == 2 * len(rows)
    assert [codec.document(row) for row in split] == documents
    assert codec.split(codec.pack(split[10:20])) == rows[10:20]


def test_a_wrapped_row_keeps_its_action() -> None:
    """The wrapped row has the same index and id, and a document of text."""
    codec = codec_of(DATED, ids=True)
    row = row_of(codec, b'{"@timestamp":5,"a":{}}', b"0a1b")
    wrapped = codec.wrap(row, b'"m":2,', kind="document_parsing_exception", now="x")
    action, document, end = wrapped.split(b"\n")
    assert end == b""
    assert action == row.split(b"\n")[0]
    assert orjson.loads(document) == {
        "@timestamp": 5,
        "m": 2,
        "message": '{"@timestamp":5,"a":{}}',
        "logagent": {"error": "document_parsing_exception"},
    }
    assert codec.document(wrapped) == document
