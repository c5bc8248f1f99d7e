"""JSON arrays: one a request, made as rows come, taken apart by lines."""

import gzip

import msgspec
import pytest

from logagent.codecs.array import ArrayCodec
from logagent.codecs.statuses import StatusJudge
from logagent.core.chunk import Codec, Reply, Request
from tests.fakes.origin import ORIGIN

DOCUMENTS = [b'{"a":1}', b"{}", b'{"b":"],[\\n,"}']


def make(*, gzip: bool) -> Codec:
    """A codec."""
    return ArrayCodec(gzip=gzip, judge=StatusJudge())


def raw(request: Request) -> bytes:
    """A body as it was before compression."""
    return gzip.decompress(request.body) if request.gzipped else request.body


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("cuts", [(3,), (1, 2), (2, 0, 1)])
def test_a_body_is_one_array(compressed: bool, cuts: tuple[int, ...]) -> None:  # noqa: FBT001
    """However the rows come in chunks, the body is the array of the documents, and what `split`
    makes of it packs to the same."""
    codec = make(gzip=compressed)
    frame = codec.frame(ORIGIN)
    packer = codec.packer()
    rest = list(DOCUMENTS)
    for count in cuts:
        some, rest = rest[:count], rest[count:]
        packer.add(b"".join(frame.head + each + frame.tail for each in some), ORIGIN)
    size = packer.raw_bytes
    request = packer.close(3)
    body = raw(request)
    assert msgspec.json.decode(body) == [msgspec.json.decode(each) for each in DOCUMENTS]
    assert request.raw_bytes == len(body) == size + 2
    assert (request.rows, request.gzipped) == (3, compressed)
    rows = codec.split(request)
    assert [codec.document(row) for row in rows] == DOCUMENTS
    assert raw(codec.pack(rows)) == body


def test_halves_are_arrays() -> None:
    """Any rows of a body pack to an array of these."""
    codec = make(gzip=True)
    rows = codec.split(codec.pack([each + b"\n" for each in DOCUMENTS]))
    for part in (rows[:1], rows[1:], [rows[2], rows[0]]):
        assert msgspec.json.decode(raw(codec.pack(part))) == [
            msgspec.json.decode(codec.document(row)) for row in part
        ]


def test_an_empty_array() -> None:
    """No rows are an empty array."""
    request = make(gzip=False).packer().close(0)
    assert msgspec.json.decode(request.body) == []
    assert make(gzip=False).split(request) == []


def test_replies_are_judged_by_status() -> None:
    """A codec's verdicts are those of the judge it was given."""
    codec = make(gzip=False)
    request = codec.pack([b"{}\n"])
    assert codec.judge(request, Reply(204)).delivered == 1
    assert codec.judge(request, Reply(429)).why == "busy"
