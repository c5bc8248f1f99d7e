"""The envelope of HEC events: what the rendered rows become, and are taken apart into."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import pytest

from logagent.codecs.naming import Choice, Template
from logagent.codecs.packing import STEP_BYTES
from logagent.codecs.splunk import ID_FIELD, INDEX, TEXT, Envelope, SplunkCodec
from logagent.core.chunk import Codec, Origin, Reply, Request
from logagent.render.metadata import build
from logagent.render.program import Spec, compile_program

NAMES: Final = {"input": "app", "pod": "checkout-1", "node": "worker-3", "namespace": "shop"}
NOW: Final = 1_790_000_123.456
OWN: Final = b'{"@timestamp":"2026-11-24T10:11:12.5Z","level":"info"}\n'
CHOICES: Final = {"team": Choice("team", ("pay", "ops"), "rest")}


def origin(names: Mapping[str, str]) -> Origin:
    """A file of a pod."""
    return Origin("app", "/var/log/app/a.log", 1, names)


def body(envelope: Envelope, lines: bytes, names: Mapping[str, str] = NAMES) -> list[object]:
    """The events that lines become, by the real render, decoded; taken apart and packed again."""
    codec: Codec = SplunkCodec(envelope, gzip=True)
    request = packed(codec, lines, names)
    rows = codec.split(request)
    assert codec.split(codec.pack(rows)) == rows
    events = [json.loads(row) for row in rows]
    assert [json.loads(codec.document(row)) for row in rows] == [each["event"] for each in events]
    return events


def packed(codec: Codec, lines: bytes, names: Mapping[str, str] = NAMES) -> Request:
    """A request of these lines."""
    metadata = build("none", {}, {}, container="", path=b"/var/log/app/a.log")
    program = compile_program(Spec(format="auto"))
    rows = program.bind(metadata, codec.frame(origin(names)), 1).render(lines, 0, NOW)
    assert rows is not None
    packer = codec.packer()
    packer.add(rows.wire, origin(names))
    request = packer.close(rows.count)
    assert request.raw_bytes == packer.raw_bytes
    return request


def test_an_event_has_host_source_and_time() -> None:
    """The pod, the file, the source type of JSON, the document's own time, and the document."""
    assert body(Envelope(), OWN) == [
        {
            "host": "checkout-1",
            "source": "/var/log/app/a.log",
            "sourcetype": "_json",
            "time": 1795515072.5,
            "event": {"@timestamp": "2026-11-24T10:11:12.5Z", "level": "info"},
        }
    ]


def test_text_has_the_time_of_its_reading() -> None:
    """Lines without a time of their own have the reading time, to the millisecond."""
    events = body(Envelope(), b'plain "text" 100%\nmore %b\n')
    assert [(each["time"], each["event"]["message"]) for each in events] == [  # type: ignore[index]
        (NOW, 'plain "text" 100%'),
        (NOW, "more %b"),
    ]


def test_ids_and_fields_are_indexed_fields() -> None:
    """Static fields and each event's own id stand together, flat; ids differ."""
    events = body(Envelope(ids=True, fields={"env": 'a"%b', "event": "x"}), OWN * 2)
    fields = [each["fields"] for each in events]  # type: ignore[index]
    assert [each["env"] for each in fields] == ['a"%b'] * 2
    assert len({each[ID_FIELD] for each in fields}) == 2
    without = body(Envelope(fields={"env": "prod", "event": "x"}), OWN)
    assert without[0]["fields"] == {"env": "prod", "event": "x"}  # type: ignore[index]


def test_members_are_filled_in() -> None:
    """Templates with the agent's names; no host where neither pod nor node is known."""
    envelope = Envelope(
        host=Template("{node}", TEXT),
        source=Template("{namespace}/{container|main}", TEXT),
        sourcetype="log4j",
        index=Template("app-{namespace}", INDEX),
    )
    (event,) = body(envelope, OWN)
    assert isinstance(event, dict)
    assert [event[key] for key in ("host", "source", "sourcetype", "index")] == [
        "worker-3",
        "shop/main",
        "log4j",
        "app-shop",
    ]
    (nowhere,) = body(Envelope(), OWN, {"input": "app"})
    assert isinstance(nowhere, dict)
    assert "host" not in nowhere


@pytest.mark.parametrize("ids", [False, True])
def test_a_line_chooses_its_index(*, ids: bool) -> None:
    """Listed values are taken, all others become the fallback."""
    envelope = Envelope(index=Template("app-{team}", INDEX, CHOICES), ids=ids)
    lines = b'{"team":"pay"}\n{"team":"evil"}\n{"team":5}\n{"x":"%b"}\n{"team":"ops"}\n'
    chosen = [each["index"] for each in body(envelope, lines)]  # type: ignore[index]
    assert chosen == ["app-pay", "app-rest", "app-rest", "app-rest", "app-ops"]


@pytest.mark.parametrize("ids", [True, False])
def test_a_carriage_return_between_members(*, ids: bool) -> None:
    """JSON may have one between two of its parts: it ends no row."""
    envelope = Envelope(index=Template("app-{team}", INDEX, CHOICES), ids=ids)
    lines = b'{"a":1,\r"team":"pay"}\n{"team":\r"ops"}\r\n'
    assert [each["index"] for each in body(envelope, lines)] == [  # type: ignore[index]
        "app-pay",
        "app-ops",
    ]


def test_what_cannot_be_is_refused() -> None:
    """Dates in an index, a host that lines choose, the id's own name; an unknown name in a file."""
    with pytest.raises(ValueError, match="no dates"):
        Envelope(index=Template("app-%Y", INDEX))
    with pytest.raises(ValueError, match="host"):
        Envelope(host=Template("{team}", TEXT, CHOICES))
    with pytest.raises(ValueError, match=ID_FIELD):
        Envelope(fields={ID_FIELD: "1"})
    with pytest.raises(ValueError, match="container"):
        SplunkCodec(Envelope(host=Template("{container}", TEXT)), gzip=False).frame(origin(NAMES))


def test_large_bodies_and_several_chunks() -> None:
    """Chunks of several files in one body; it is taken apart in steps; an empty chunk adds none."""
    codec = SplunkCodec(Envelope(ids=True), gzip=False)
    lines = b'{"@timestamp":"2026-11-24T10:11:12.5Z","pad":"%b"}\n' % (b"x" * 1000)
    one = packed(codec, lines * 300)
    assert one.raw_bytes > STEP_BYTES
    packer = codec.packer()
    packer.add(b"", origin(NAMES))
    assert packer.close(0).body == b""
    assert len(codec.split(one)) == 300


def test_judging_and_headers_are_those_of_the_collector() -> None:
    """A success delivers; one without an id isn't enough for who needs it."""
    request = Request(b"{}\n", 1, 3, gzipped=False)
    success = Reply(200, b'{"text":"Success","code":0}')
    assert SplunkCodec(Envelope(), gzip=True).judge(request, success).delivered == 1
    needing = SplunkCodec(Envelope(), gzip=True, needs_ack=True)
    assert needing.judge(request, success).step == "hold"
    assert needing.headers == {"content-type": "application/json"}
