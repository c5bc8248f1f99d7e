"""Codecs that can send a letter themselves: to an index or a topic for dead letters."""

from __future__ import annotations

import orjson
import pytest
from msgspec.structs import replace

from logagent.codecs.elastic import ElasticCodec, Target
from logagent.core.deadletter import Burier, DeadLetter, Identifier, decode
from tests.codecs.kafka_support import Row, codec_of, pieces_of, settings
from tests.codecs.kafka_support import decode as decode_batch

LETTER = DeadLetter(
    "2026-11-24T10:00:00.000Z",
    "out",
    400,
    "mapper_parsing_exception",
    'failed to parse "a"',
    '{"@timestamp":"2001-01-01T00:00:00Z","a":{"b":1}}',
    id="AAAAAAAAAAE0000000000000008",
    input="app",
    file="/var/log/ä.log",
    generation=1,
    offset=0,
    length=8,
)


def test_a_letter_in_an_index() -> None:
    """Flat, the document as text, dated by the letter's own time; sent past the output's own
    pipeline, and whatever kind of target the output has."""
    codec = ElasticCodec(
        Target("logs-app-prod", require_data_stream=True),
        ids=True,
        gzip=False,
        pipeline="parse",
        dead=Target("dead-%Y.%m"),
    )
    assert isinstance(codec, Burier)
    row = codec.to_dead(LETTER)
    action, document, rest = row.split(b"\n")
    assert rest == b""
    assert orjson.loads(action) == {
        "create": {
            "_index": "dead-2026.11",
            "_id": LETTER.id,
            "require_data_stream": False,
            "pipeline": "_none",
        }
    }
    members = orjson.loads(document)
    assert members["@timestamp"] == LETTER.time
    assert members["document"] == LETTER.document
    assert all(isinstance(value, str | int | bool) for value in members.values())
    assert decode(codec.document(row)) == LETTER
    assert codec.split(codec.pack([row, row])) == [row, row]


def test_each_refusal_is_a_document_of_its_own() -> None:
    """A row that is refused again after a replay isn't a copy of the first letter; without ids the
    server makes them."""
    codec = ElasticCodec(Target("logs"), ids=True, gzip=False, dead=Target("dead"))
    again = orjson.loads(codec.to_dead(replace(LETTER, attempts=2)).split(b"\n")[0])
    assert again == {"create": {"_index": "dead", "_id": f"{LETTER.id}-2"}}
    bare = ElasticCodec(Target("logs"), ids=False, gzip=False, dead=Target("dead"))
    action = bare.to_dead(LETTER).split(b"\n")[0]
    assert orjson.loads(action) == {"create": {"_index": "dead"}}


def test_a_row_tells_its_id() -> None:
    """Whichever form the action has, and also when the row was wrapped."""
    for target in ("logs", "logs-%Y"):
        codec = ElasticCodec(Target(target), ids=True, gzip=False)
        assert isinstance(codec, Identifier)
        index = b'"_index":"logs-2026",' if "%" in target else b""
        row = b'{"create":{%b"_id":"AbC-_9"}}\n{"_id":"x"}\n' % index
        assert codec.event_id(row) == b"AbC-_9"
        assert codec.event_id(codec.wrap(row, b"", kind="k", now="n")) == b"AbC-_9"
    assert ElasticCodec(Target("logs"), ids=False, gzip=False).event_id(b"{}\n{}\n") == b""


def test_wrapping_is_undone() -> None:
    """A letter holds the document as it was, after either form."""
    codec = ElasticCodec(Target("logs"), ids=False, gzip=False)
    row = b'{"create":{}}\n{"@timestamp":1,"a":"\xc3\xa4\\u0000"}\n'
    wrapped = codec.wrap(row, b'"service":{"name":"x"}', kind="k", now="n")
    assert codec.unwrap(wrapped) == codec.document(row)
    assert codec.unwrap(codec.bare(wrapped)) == codec.document(row)


@pytest.mark.parametrize("topic", ["app-logs", "app-{team}", "app-%Y"])
def test_a_letter_in_a_topic(topic: str) -> None:
    """Beside rows that choose their topic; keyed by the file, with the event's id as a header."""
    codec = codec_of(replace(settings(topic), dead_topic="dead"))
    assert isinstance(codec, Burier)
    row = codec.to_dead(LETTER)
    assert codec.event_id(row) == LETTER.id.encode()
    assert decode(codec.document(row)) == LETTER
    request = codec.pack([row, row])
    assert codec.split(request) == [row, row]
    (piece,) = codec.split_pieces(request, lambda _: 3)
    assert piece.topic == "dead"
    first, _ = decode_batch(piece.batch)
    assert first.key == LETTER.file.encode()
    assert orjson.loads(first.value)["document"] == LETTER.document
    assert ("logagent-id", LETTER.id.encode()) in first.headers
    assert first.time_ms == 1_795_514_400_000
    (other,) = pieces_of(codec, [Row(b'{"team":"pay"}')])
    assert other.topic != "dead"


def test_a_letter_in_a_topic_without_ids() -> None:
    """Rows have one line less then."""
    codec = codec_of(replace(settings(), dead_topic="dead", id_header=""))
    row = codec.to_dead(LETTER)
    assert codec.event_id(row) == b""
    assert decode(codec.document(row)) == LETTER
