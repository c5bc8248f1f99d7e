"""OTLP bodies: resources, records, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from logagent.codecs.otlp import OtlpCodec, without
from logagent.codecs.packing import pieces
from logagent.core.chunk import Codec, Reply, Request
from logagent.render.metadata import build
from tests.fakes.origin import ORIGIN
from tests.fakes.otlp import decode, members, records

T = "2026-09-21T14:13:20"
METADATA = b",".join(
    build("ecs", {"POD_NAME": "p"}, {"team": "pay"}, path=b"/a.log").encode().values()
)
POD = replace(ORIGIN, names={"input": "app", "pod": "p"}, metadata=METADATA)
OTHER = replace(ORIGIN, input="other", names={"input": "other"})


def body(request: Request) -> bytes:
    """What a request holds, before compression."""
    return b"".join(pieces(request))


def wire(*documents: Mapping[str, object], metadata: bytes = b"") -> bytes:
    """What the render makes of them: the time, the agent's members, the app's."""
    lines = []
    for document in documents:
        app = json.dumps(document).encode()
        lines.append(b'{"@timestamp":"%b.5Z",%b%b\n' % (T.encode(), metadata, app[1:]))
    return b"".join(lines)


@pytest.mark.parametrize("gzip", [False, True])
def test_records_stand_below_their_resource(*, gzip: bool) -> None:
    """What the resource says isn't said again by each record; chunks of one origin share it."""
    speak: Codec = OtlpCodec(gzip=gzip)
    packer = speak.packer()
    packer.add(wire({"n": 1}, {"n": 2}, metadata=METADATA + b","), POD)
    packer.add(b"", POD)
    packer.add(wire({"n": 3}, metadata=METADATA + b","), POD)
    packer.add(wire({"n": 4}), OTHER)
    assert packer.raw_bytes > 0
    request = packer.close(4)
    assert request.gzipped == gzip
    found = decode(body(request))
    assert [len(each.scope_logs[0].log_records) for each in found.resource_logs] == [3, 1]
    resource = members(found.resource_logs[0].resource.attributes)
    assert resource == {"k8s.pod.name": "p", "service.name": "app", "team": "pay"}
    assert [members(record.attributes) for record in records(found)] == [
        {"n": n, "log.file.path": ORIGIN.path} for n in (1, 2, 3, 4)
    ]
    rows = speak.split(request)
    assert body(speak.pack(rows)) == body(request)
    assert len(decode(body(speak.pack(rows[2:]))).resource_logs) == 2
    assert speak.judge(request, Reply(200, b"{}")).delivered == 4


def test_a_row_is_a_document_again() -> None:
    """What a dead letter keeps gives the same record once more."""
    speak = OtlpCodec(gzip=False, ids=True)
    frame = speak.frame(POD)
    document = {
        "level": "warn",
        "message": "m",
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "eee19b7ec3c1b174",
        "trace_flags": 1,
        "http": {"codes": [200]},
    }
    packer = speak.packer()
    packer.add(b"id1" + frame.middle + wire(document), POD)
    packer.add(b"id2" + frame.middle + b'{"@timestamp":null,"n":1}\n', POD)
    request = packer.close(2)
    rows = speak.split(request)
    assert json.loads(speak.document(rows[0])) == {
        **{key: value for key, value in document.items() if key != "level"},
        "@timestamp": 1_790_000_000_500_000_000,
        "severity": "warn",
    }
    again = speak.packer()
    for event_id, row in zip((b"id1", b"id2"), rows, strict=True):
        again.add(event_id + frame.middle + speak.document(row) + frame.tail, POD)
    first, second = (records(decode(body(each))) for each in (request, again.close(2)))
    assert first[0].SerializeToString() == second[0].SerializeToString()
    assert members(first[1].attributes) == {
        "@timestamp": None,
        "n": 1,
        "log.record.uid": "id2",
        "log.file.path": ORIGIN.path,
    }


def test_without_ids_the_frame_is_a_line() -> None:
    """A document a line, and the media type of JSON."""
    speak = OtlpCodec(gzip=False)
    assert speak.frame(ORIGIN).middle == b""
    assert speak.headers == {"content-type": "application/json"}


def test_a_text_is_left_out_everywhere_or_found_by_searching() -> None:
    """The long way, where something else starts alike, gives the same."""
    text = b'"kubernetes":{"pod":{"name":"p"}},'
    assert len(text) > 24
    data = b"{" + text + b'"a":1}\n{' + text + b'"b":2}\n'
    assert without(data, text) == b'{"a":1}\n{"b":2}\n'
    assert without(data + text[:26] + b"x", text) == b'{"a":1}\n{"b":2}\n' + text[:26] + b"x"
    assert without(b'{"a":1}\n', text) == b'{"a":1}\n'


def test_a_carriage_return_ends_no_row_with_an_id() -> None:
    """JSON may have one between two of its parts."""
    packer = OtlpCodec(gzip=False, ids=True).packer()
    packer.add(b'id1\t{"a":1,\r"b":2}\nid2\t{"a":3}\n', ORIGIN)
    found = [members(record.attributes) for record in records(decode(body(packer.close(2))))]
    assert [(each["log.record.uid"], each["a"]) for each in found] == [("id1", 1), ("id2", 3)]
