"""NDJSON: a document a line, all rows or none."""

import orjson
import pytest

from logagent.codecs.ndjson import NdjsonCodec
from logagent.core.chunk import Codec, Reply, Request, Verdict

REQUEST = Request(b'{"a":1}\n{"a":2}\n', 2, 16, gzipped=False)


@pytest.mark.parametrize("gzip", [False, True])
def test_rows_are_lines(*, gzip: bool) -> None:
    """What the frame makes of documents is taken apart into the same documents."""
    codec: Codec = NdjsonCodec(gzip=gzip)
    documents = [b'{"a":1}', b"{}", b'{"b":"\\n"}']
    frame = codec.frame
    assert (frame.middle, frame.dated) == (b"", None)
    rows = [frame.head + document + frame.tail for document in documents]
    request = codec.pack(rows)
    assert request.gzipped == gzip
    assert codec.split(request) == rows
    assert [codec.document(row) for row in rows] == documents
    if not gzip:
        assert request.body == b'{"a":1}\n{}\n{"b":"\\n"}\n'


def test_verdicts() -> None:
    """200 delivers every row; anything else leaves all of them open."""
    judge = NdjsonCodec().judge
    assert judge(REQUEST, Reply(200)) == Verdict("done", delivered=2)
    assert judge(REQUEST, Reply(0, fault="no space left")).step == "again"
    assert judge(REQUEST, Reply(0, fault="short write", sent=True)) == Verdict(
        "again", why="ambiguous"
    )
    assert judge(REQUEST, Reply(500)).step == "again"


def test_a_wrapped_row_is_a_line() -> None:
    """Wrapping gives one line with the document as text."""
    row = NdjsonCodec().wrap(b'{"a":1}\n', b'"m":2,', kind="mapping", now="2026-11-24T11:15:00Z")
    assert row.count(b"\n") == 1
    assert row.endswith(b"\n")
    assert orjson.loads(row) == {
        "@timestamp": "2026-11-24T11:15:00Z",
        "m": 2,
        "message": '{"a":1}',
        "logagent": {"error": "mapping"},
    }
