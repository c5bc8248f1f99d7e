"""Loki's streams and entries."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from logagent.codecs.loki import LABELS_MAX, VALUE, LokiCodec
from logagent.codecs.naming import Choice, Template
from logagent.codecs.packing import pieces
from logagent.core.chunk import Codec, Reply, Request
from tests.fakes.origin import ORIGIN

T = "2026-09-21T14:13:20"
NS = 1_790_000_000_000_000_000
POD = replace(ORIGIN, names={"input": "app", "pod": 'p"1'})


def labels(**texts: str) -> dict[str, Template]:
    """Labels of templates."""
    return {name: Template(text, VALUE) for name, text in texts.items()}


def codec(**texts: str) -> LokiCodec:
    """A codec with these labels, plain."""
    return LokiCodec(labels(**texts or {"app": "{input}"}), gzip=False)


def streams(request: Request) -> list[tuple[dict[str, str], list[list[object]]]]:
    """Labels and entries of a body."""
    found = json.loads(b"".join(pieces(request)))
    assert found.keys() == {"streams"}
    return [(each["stream"], each["values"]) for each in found["streams"]]


def wire(*documents: Mapping[str, object]) -> bytes:
    """What the render makes of them, without ids."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in documents)


DOCUMENTS: list[dict[str, object]] = [
    {"@timestamp": f"{T}.001Z", "message": 'a "q" %d \\ ~', "n": 1},
    {"@timestamp": f"{T}.002Z", "message": "two\nlines", "n": 2},
    {"@timestamp": f"{T}.003Z", "n": 3},
]


def test_an_entry_is_time_and_document() -> None:
    """Each row stands in its stream with its time in nanoseconds; labels are the origin's."""
    speak: Codec = codec(app="{input}", pod="{pod}")
    packer = speak.packer()
    packer.add(wire(*DOCUMENTS[:2]), POD)
    packer.add(b"", POD)
    packer.add(wire(DOCUMENTS[2]), POD)
    assert packer.raw_bytes > 0
    request = packer.close(3)
    lines = wire(*DOCUMENTS).decode().splitlines()
    entries = [[str(NS + (n + 1) * 1_000_000), line] for n, line in enumerate(lines)]
    assert streams(request) == [({"app": "app", "pod": 'p"1'}, entries)]
    rows = speak.split(request)
    assert [speak.document(row).decode() for row in rows] == lines
    assert speak.pack(rows).body == request.body
    assert speak.judge(request, Reply(204)).delivered == 3


def test_ids_are_structured_metadata() -> None:
    """With ids each entry has its own; the frame puts it in front of the document."""
    speak = LokiCodec(labels(app="{input}"), gzip=True, ids=True)
    frame = speak.frame(ORIGIN)
    packer = speak.packer()
    packer.add(b"ab1" + frame.middle + wire(DOCUMENTS[0]), ORIGIN)
    packer.add(b"ab2" + frame.middle + b'{"m":"a\\tb"}' + frame.tail, ORIGIN)
    request = packer.close(2)
    assert request.gzipped
    ((_, entries),) = streams(request)
    assert [entry[2] for entry in entries] == [{"logagent_id": "ab1"}, {"logagent_id": "ab2"}]
    assert [json.loads(str(entry[1])) for entry in entries] == [DOCUMENTS[0], {"m": "a\tb"}]
    assert json.loads(speak.document(speak.split(request)[0])) == DOCUMENTS[0]


def test_a_line_may_be_the_message_alone() -> None:
    """The message as text, or the document where there is none; a dead letter has what is left."""
    speak = LokiCodec(labels(app="{input}"), gzip=False, line="message")
    packer = speak.packer()
    packer.add(wire(*DOCUMENTS), ORIGIN)
    request = packer.close(3)
    ((_, entries),) = streams(request)
    assert [entry[1] for entry in entries] == [
        DOCUMENTS[0]["message"],
        DOCUMENTS[1]["message"],
        json.dumps(DOCUMENTS[2]),
    ]
    assert json.loads(speak.document(speak.split(request)[1])) == {
        "@timestamp": NS + 2_000_000,
        "message": "two\nlines",
    }


def test_equal_messages_of_unlike_documents_are_two_entries() -> None:
    """Loki would keep one of two entries with the same time and the same line."""
    speak = LokiCodec(labels(app="{input}"), gzip=False, line="message")
    packer = speak.packer()
    stamps = (".5Z", ".5Z", ".6Z")
    packer.add(
        wire(*({"@timestamp": T + at, "message": "x", "n": n} for n, at in enumerate(stamps))),
        ORIGIN,
    )
    ((_, values),) = streams(packer.close(3))
    assert values == [[str(NS + ns), "x"] for ns in (500_000_000, 500_000_001, 600_000_000)]


def test_two_batches_of_one_moment_share_no_time() -> None:
    """Lines without a time of their own have that of their reading, and a batch may be full within
    a millisecond: an entry of the next one with the same time and text would be dropped."""
    speak = codec()
    tick = f'{{"@timestamp":"{T}.001Z","message":"tick"}}\n'.encode() * 3
    times: list[object] = []
    for _ in range(2):
        packer = speak.packer()
        packer.add(tick, ORIGIN)
        ((_, entries),) = streams(packer.close(3))
        times += [entry[0] for entry in entries]
    assert times == [str(NS + 1_000_000 + n) for n in range(6)]


def test_metadata_is_escaped_once_and_is_in_each_line() -> None:
    """The agent's members stand behind times of their own: each line is its document."""
    metadata = b'"pod":{"name":"100 %"},"team":"a\\"b"'
    origin = replace(ORIGIN, metadata=metadata)
    lines = [
        b'{"@timestamp":"%b.%dZ",%b,"n":"%d \\"x"}' % (T.encode(), n // 2, metadata, n)
        for n in range(6)
    ]
    for ids in (False, True):
        speak = LokiCodec(labels(app="{input}"), gzip=False, ids=ids)
        packer = speak.packer()
        packer.add(b"".join((b"id\t" if ids else b"") + line + b"\n" for line in lines), origin)
        ((_, entries),) = streams(packer.close(6))
        assert [str(entry[1]).encode() for entry in entries] == lines


def test_a_line_chooses_among_streams() -> None:
    """Rows stand in the stream that their field names, in their order; no line makes one up."""
    choice = {"level": Choice("level", ("error", "warn"), "other")}
    made = {"app": Template("{input}", VALUE), "level": Template("l-{level}", VALUE, choice)}
    speak = LokiCodec(made, gzip=False)
    packer = speak.packer()
    levels = ["warn", "error", "x", "warn", None]
    packer.add(
        wire(*({"@timestamp": f"{T}.{n}Z", "level": level} for n, level in enumerate(levels))),
        ORIGIN,
    )
    request = packer.close(5)
    found = {
        stream["level"]: [json.loads(str(entry[1]))["@timestamp"][-2] for entry in entries]
        for stream, entries in streams(request)
    }
    assert found == {"l-warn": ["0", "3"], "l-error": ["1"], "l-other": ["2", "4"]}
    assert {stream["app"] for stream, _ in streams(request)} == {"app"}
    rows = speak.split(request)
    assert speak.pack(rows).body == request.body


def test_what_is_constant_is_checked() -> None:
    """Names of labels, their number, dates, and names that the agent doesn't know."""
    for bad in ("1a", "a-b", "__name__", ""):
        with pytest.raises(ValueError, match="label"):
            codec(**{bad: "x"})
    with pytest.raises(ValueError, match="date"):
        codec(app="a-%Y")
    with pytest.raises(ValueError, match="0 labels"):
        LokiCodec({}, gzip=False)
    with pytest.raises(ValueError, match=f"1 to {LABELS_MAX}"):
        codec(**{f"l{n}": "x" for n in range(LABELS_MAX + 1)})
    with pytest.raises(ValueError, match="doesn't know its pod"):
        codec(pod="{pod}").frame(ORIGIN)
    assert codec(pod="{pod|none}").frame(ORIGIN).middle == b""
    assert codec().headers == {"content-type": "application/json"}
