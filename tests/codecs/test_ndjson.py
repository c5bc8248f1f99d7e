"""NDJSON: a document a line, all rows or none."""

import pytest

from logagent.codecs.ndjson import NdjsonCodec
from logagent.core.chunk import Codec, Reply, Request, Verdict
from tests.fakes.origin import ORIGIN

REQUEST = Request(b'{"a":1}\n{"a":2}\n', 2, 16, gzipped=False)


@pytest.mark.parametrize("gzip", [False, True])
def test_rows_are_lines(*, gzip: bool) -> None:
    """What the frame makes of documents is taken apart into the same documents."""
    codec: Codec = NdjsonCodec(gzip=gzip)
    documents = [b'{"a":1}', b"{}", b'{"b":"\\n"}']
    frame = codec.frame(ORIGIN)
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


def test_a_full_disk_is_waited_for() -> None:
    """No room on the disk is a reason of its own, which is tried again slowly."""
    verdict = NdjsonCodec().judge(REQUEST, Reply(0, fault="disk full: writing /x: No space left"))
    assert verdict == Verdict("again", why="disk_full")


def test_a_judge_is_asked() -> None:
    """With a judge of its own a codec's verdicts are that one's."""
    codec = NdjsonCodec(judge=lambda _, reply: Verdict("hold", why=f"{reply.status}"))
    assert codec.judge(REQUEST, Reply(418)) == Verdict("hold", why="418")
