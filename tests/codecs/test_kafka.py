"""Kafka's codec: rows through a request and back, and what a consumer sees of them."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from logagent.codecs.kafka_plan import KafkaSettings, file_key
from logagent.codecs.kafka_records import Compression
from logagent.codecs.naming import TOPIC, Template
from logagent.core.chunk import Codec, Origin, Reply, Verdict
from logagent.render.metadata import build
from logagent.render.program import Spec, compile_program
from tests.codecs.kafka_support import (
    NOW_MS,
    Row,
    codec_of,
    decode,
    pieces_of,
    request_of,
    settings,
)
from tests.fakes.origin import ORIGIN

POD = Origin("app", "/var/log/a.log", 1, {"namespace": "shop", "pod": "web-1", "node": "n1"})

PATHS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=20)
ORIGINS = st.builds(
    lambda path, pod: Origin("app", "/" + path, 1, {"pod": pod} if pod else {}),
    PATHS,
    st.sampled_from(["", "web-1", "web-2"]),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
DOCUMENTS = st.builds(
    lambda text, time, team: orjson.dumps(
        {"@timestamp": time, "message": text, **({"team": team} if team else {})}
    ),
    TEXTS,
    st.sampled_from([NOW_MS, NOW_MS + 70, "2026-11-24T10:11:12.345Z", None]),
    st.sampled_from(["", "pay", "evil"]),
)
IDS = st.sampled_from([b"EjRWeJq83vA", b"AAAAAAAAAAA"]).flatmap(
    lambda generation: st.integers(0, 2**64 - 1).map(
        lambda n: generation + (b"%016x" if n % 3 else b"%024x") % n
    )
)
ROWS = st.lists(st.builds(Row, DOCUMENTS, IDS, ORIGINS), min_size=1, max_size=40)


@given(ROWS, st.sampled_from(["file", "none", "field"]), st.sampled_from(["", "path"]))
def test_a_consumer_sees_each_row_once(rows: list[Row], key: str, file_header: str) -> None:
    """Each row is in one piece, with its document, key, headers; in order within a partition."""
    chosen = KafkaSettings(
        topic=Template("app-{team}", TOPIC, settings("{team}").topic.choices),
        key="none" if key == "none" else "file",
        key_field="team" if key == "field" else "",
        headers=(("static", "\t\n"),),
        file_header=file_header,
    )
    pieces = pieces_of(codec_of(chosen), rows)
    assert sorted(index for piece in pieces for index in piece.rows) == list(range(len(rows)))
    last: dict[tuple[str, int], int] = {}
    for piece in pieces:
        assert list(piece.rows) == sorted(piece.rows)
        assert last.get(piece[:2], -1) < piece.rows[0]
        last[piece[:2]] = piece.rows[-1]
        for index, record in zip(piece.rows, decode(piece.batch), strict=True):
            row, team = rows[index], orjson.loads(rows[index].document).get("team")
            assert record.value == row.document
            headers = [("static", b"\t\n"), ("logagent-id", row.id)]
            if file_header:
                headers.insert(1, ("path", row.origin.path.encode()))
            assert record.headers == headers
            assert piece.topic == ("app-pay" if team == "pay" else "app-other")
            whole = None if key == "none" else file_key(row.origin).encode()
            assert record.key == (team.encode() if key == "field" and team else whole)


@given(ROWS, st.booleans())
def test_rows_are_taken_apart(rows: list[Row], ids: bool) -> None:  # noqa: FBT001 - hypothesis
    """Split and pack agree, and each row still knows its document, its id and its file."""
    codec = codec_of(replace(settings(), id_header="logagent-id" if ids else ""))
    rows = rows if ids else [row._replace(id=b"") for row in rows]
    speaks: Codec = codec
    request = request_of(codec, rows)
    assert (request.rows, request.gzipped) == (len(rows), False)
    assert request.raw_bytes == len(request.body)
    split = speaks.split(request)
    assert [codec.document(row) for row in split] == [row.document for row in rows]
    assert [codec.event_id(row) for row in split] == [row.id for row in rows]
    half = speaks.pack(split[len(split) // 2 :])
    assert speaks.split(half) == split[len(split) // 2 :]
    assert speaks.split(speaks.pack(split)) == split
    whole = [r.value for p in codec.split_pieces(half, lambda _: 1) for r in decode(p.batch)]
    assert whole == [row.document for row in rows[len(split) // 2 :]]


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_rendered_lines_arrive(compression: Compression) -> None:
    """What the real renderer makes of lines, in steps of many, comes out as it was."""
    codec = codec_of(replace(settings(), compression=compression))
    metadata = build("ecs", {"POD_NAME": "web-1"}, {}, container="app", path=b"/var/log/a.log")
    origin = replace(POD, metadata=b",".join(metadata.encode().values()))
    render = compile_program(Spec(format="json", wire_bytes_max=1 << 20))
    renderer = render.bind(metadata, codec.frame(origin), 7)
    packer, count = codec.packer(), 0
    for chunk in range(3):
        lines = b"".join(
            b'{"@timestamp":"2026-11-24T10:11:12.%03dZ","n":%d,"text":"\\u0000 [{"}\n'
            % (n % 1000, n)
            for n in range(1000 * chunk, 1000 * chunk + 1000)
        )
        rows = renderer.render(lines, chunk * 100_000, 1.0)
        assert rows is not None
        packer.add(rows.wire, origin)
        count += rows.count
    (piece,) = codec.split_pieces(packer.close(count), lambda _: 1)
    assert piece.rows == range(3000)
    records = decode(piece.batch)
    assert [orjson.loads(record.value)["n"] for record in records] == list(range(3000))
    assert {record.key for record in records} == {b"shop/web-1:/var/log/a.log"}
    assert len({record.headers[0][1] for record in records}) == 3000
    assert records[5].time_ms == 1_795_515_072_005


def test_keys_tell_pods_apart() -> None:
    """The same path in two pods is two files; without a pod the node is named, or nothing."""
    assert file_key(POD) == "shop/web-1:/var/log/a.log"
    assert file_key(replace(POD, names={"pod": "web-1"})) == "web-1:/var/log/a.log"
    assert file_key(replace(POD, names={"namespace": "x", "node": "n1"})) == "n1:/var/log/a.log"
    assert file_key(ORIGIN) == ORIGIN.path


def test_replies_are_judged() -> None:
    """By the codes, one a row."""
    codec = codec_of()
    request = request_of(codec, [Row(b"{}"), Row(b"{}")])
    assert codec.judge(request, Reply(200, bytes(4))) == Verdict("done", delivered=2)
    assert codec.judge(request, Reply(200, b"\x2f\0\x2f\0")).step == "retry"
    fenced = codec_of(replace(settings(), transactional=True))
    assert fenced.judge(request, Reply(200, b"\x2f\0\x2f\0")).step == "hold"
