"""Pieces: which partition rows go to, and how large a batch gets."""

from __future__ import annotations

from random import Random

import orjson
import pytest
from aiokafka.record.default_records import DefaultRecordBatch  # type: ignore[import-untyped]
from msgspec.structs import replace

from logagent.codecs.kafka_partition import partition_of
from logagent.codecs.kafka_pieces import STEP_BYTES, steps
from logagent.codecs.kafka_plan import HEAD
from logagent.core.chunk import Origin
from tests.codecs.kafka_support import Row, codec_of, decode, pieces_of, request_of, settings
from tests.fakes.origin import ORIGIN

RANDOM = Random(3)
NOISE = [orjson.dumps({"noise": RANDOM.randbytes(150).hex()}) for _ in range(400)]


def test_a_file_has_one_partition() -> None:
    """Its key chooses it as Java's client does; files may share one, and then share a batch."""
    origins = [Origin("app", f"/var/log/{n}.log", 1, {}) for n in range(20)]
    rows = [Row(b'{"n":%d}' % n, origin=origins[n % 20]) for n in range(200)]
    pieces = pieces_of(codec_of(), rows, lambda _: 6)
    assert len(pieces) == len({piece.partition for piece in pieces}) > 1
    for piece in pieces:
        for index, record in zip(piece.rows, decode(piece.batch), strict=True):
            assert record.key == rows[index].origin.path.encode()
            assert partition_of(record.key, 6) == piece.partition


def test_without_keys_a_request_has_one_partition() -> None:
    """All its rows go to the one that its first row chooses; requests are spread over all."""
    codec = codec_of(replace(settings(), key="none"))
    chosen = set()
    for n in range(40):
        rows = [Row(b'{"n":%d}' % n, id=b"EjRWeJq83vA%016x" % (n + m)) for m in range(5)]
        (piece,) = pieces_of(codec, rows, lambda _: 4)
        (again,) = pieces_of(codec, rows, lambda _: 4)
        assert piece.partition == again.partition
        chosen.add(piece.partition)
    assert chosen == {0, 1, 2, 3}


def test_a_topic_that_is_not_there_has_no_batch() -> None:
    """Rows of an unknown topic are named as such, those of others are sent."""
    codec = codec_of(settings("app-{team}"))
    teams = ["pay", "evil", "search", "pay"]
    rows = [Row(orjson.dumps({"team": team})) for team in teams]
    known = {"app-pay": 2, "app-other": 1}
    pieces = pieces_of(codec, rows, lambda topic: known.get(topic, 0))
    found = {piece.topic: piece for piece in pieces}
    assert found["app-search"][1:] == (-1, (2,), None) or found["app-search"].rows == range(2, 3)
    assert found["app-search"].partition == -1
    assert found["app-search"].batch is None
    assert list(found["app-pay"].rows) == [0, 3]
    assert [r.value for r in decode(found["app-pay"].batch)] == [rows[0].document, rows[3].document]
    assert list(found["app-other"].rows) == [1]


def test_partitions_are_asked_for_once() -> None:
    """One answer a topic and request: pieces must not disagree about how many there are."""
    asked: list[str] = []

    def partitions(topic: str) -> int:
        asked.append(topic)
        return len(asked)

    origins = [Origin("app", f"/{n}", 1, {}) for n in range(5)]
    pieces_of(codec_of(), [Row(b"{}", origin=origin) for origin in origins], partitions)
    assert asked == ["app-logs"]


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_no_batch_is_too_large(compression: str) -> None:
    """Too many rows go in several batches of the same partition, in order."""
    codec = codec_of(replace(settings(), compression=compression, max_message_bytes=20_000))
    pieces = pieces_of(codec, [Row(document) for document in NOISE], lambda _: 9)
    assert len(pieces) > 2
    assert len({piece.partition for piece in pieces}) == 1
    assert [index for piece in pieces for index in piece.rows] == list(range(len(NOISE)))
    assert [r.value for piece in pieces for r in decode(piece.batch)] == NOISE
    assert all(piece.batch and piece.batch.size() <= 20_000 for piece in pieces)


def test_halves_keep_partition_and_rows() -> None:
    """Rows without a key stay where the whole request was to go; scattered rows keep indices."""
    chosen = replace(settings(), key="none", max_message_bytes=10_000)
    pieces = pieces_of(codec_of(chosen), [Row(document) for document in NOISE], lambda _: 50)
    assert len({piece.partition for piece in pieces}) == 1
    scattered = codec_of(replace(settings("app-{team}"), max_message_bytes=10_000))
    rows = [
        Row(NOISE[n][:-1] + b',"team":"%b"}' % (b"pay" if n % 3 else b"search")) for n in range(300)
    ]
    for piece in pieces_of(scattered, rows, lambda _: 1):
        values = [record.value for record in decode(piece.batch)]
        assert values == [rows[index].document for index in piece.rows]


def test_a_single_row_that_is_too_large_is_alone() -> None:
    """It can't be made smaller: the broker's answer rejects it, and no other row with it."""
    codec = codec_of(replace(settings(), max_message_bytes=1000))
    documents = [NOISE[0], b'{"noise":"%b"}' % RANDOM.randbytes(3000).hex().encode(), NOISE[1]]
    pieces = pieces_of(codec, [Row(document) for document in documents])
    assert [list(piece.rows) for piece in pieces] == [[0], [1], [2]]
    assert [r.value for piece in pieces for r in decode(piece.batch)] == documents


def test_a_batch_without_compression_is_not_made_twice() -> None:
    """What is known beforehand isn't tried: batches are near the limit."""
    codec = codec_of(replace(settings(), compression="none", max_message_bytes=500_000))
    rows = [Row(document) for document in NOISE * 20]
    pieces = pieces_of(codec, rows, lambda _: 1)
    sizes = [piece.batch.size() for piece in pieces if piece.batch]
    assert max(sizes) <= 500_000
    assert len(sizes) <= 2 * sum(sizes) / 500_000 + 1


def test_topics_may_have_dates() -> None:
    """Each row goes to the topic of its own hour, in UTC."""
    rows = [
        Row(b'{"@timestamp":"2026-11-24T23:59:59.999Z"}'),
        Row(b'{"@timestamp":"2026-11-25T00:00:00.000Z"}'),
    ]
    pieces = pieces_of(codec_of(settings("{pod|none}-%Y.%m.%d")), rows)
    assert [piece.topic for piece in pieces] == ["none-2026.11.24", "none-2026.11.25"]


def test_a_transaction_is_said_in_the_batch() -> None:
    """Only with the option."""
    for transactional in (True, False):
        chosen = replace(settings(), transactional=transactional)
        (piece,) = pieces_of(codec_of(chosen), [Row(b"{}")])
        assert piece.batch
        read = DefaultRecordBatch(bytes(piece.batch._build()))
        assert read.is_transactional == transactional


@pytest.mark.parametrize("ids", [True, False])
def test_steps_are_whole_rows(*, ids: bool) -> None:
    """A long body is worked on in steps: all of it, whole rows, none much longer than a step."""
    codec = codec_of(replace(settings(), id_header="id" if ids else ""))
    other = replace(ORIGIN, path="/other")
    rows = [
        Row(NOISE[n % 400], id=b"EjRWeJq83vA%016x" % n if ids else b"", origin=origin)
        for origin in (ORIGIN, other)
        for n in range(2000)
    ]
    request = request_of(codec, rows)
    made = list(steps(request.body, 2 if ids else 1))
    assert len(made) > 4
    assert all(head.startswith(HEAD) and head.endswith(b"\n") for head, _ in made)
    assert max(len(wire) for _, wire in made) < STEP_BYTES + 1000
    assert all(wire.endswith(b"}\n") for _, wire in made)
    assert all(wire[:1] == (b"E" if ids else b"{") for _, wire in made)
    bare = request.body.replace(made[0][0], b"").replace(made[-1][0], b"")
    assert b"".join(wire for _, wire in made) == bare


def test_white_space_behind_a_document_is_left_out() -> None:
    """An app may write some in front of its newline; what is inside a document stays."""
    documents = [b'{"a":1} \r', b'{"a": "b \\n" }\t', b'{ "c":\r3}']
    (piece,) = pieces_of(codec_of(), [Row(document) for document in documents])
    assert [record.value for record in decode(piece.batch)] == [d.rstrip() for d in documents]


def test_a_separator_in_a_document_is_no_line() -> None:
    """Should one come through, rows stay whole."""
    documents = [b'{"a":"\x1e"}', b'{"b":1}']
    (piece,) = pieces_of(codec_of(), [Row(document) for document in documents])
    assert [record.value for record in decode(piece.batch)] == documents
