"""`_bulk` to places whose names are made while running: of the agent's names, of lines."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.elastic import ElasticCodec, Target
from logagent.codecs.naming import DATASET, INDEX, NAMESPACE, Choice, Joined, Template
from logagent.core.chunk import Origin, Request

TEAM = Choice("team", ("a", "b"), "other")
TEAMS = {"team": TEAM}
HOURS = ["2026-11-24T10", "2026-11-24T23", "2027-01-01T00"]


def origin(**names: str) -> Origin:
    """Where rows come from, with these names."""
    return Origin("app", "/var/log/app/app.log", 1, names)


def codec_of(name: Template | Joined, *, ids: bool = False, gzip: bool = False) -> ElasticCodec:
    """A codec for a name."""
    return ElasticCodec(Target(name), ids=ids, gzip=gzip)


def body_of(
    codec: ElasticCodec, documents: list[bytes], where: Origin, hours: list[str] | None = None
) -> Request:
    """What the renderer and the packer make of documents."""
    frame = codec.frame(where)
    wire = b""
    for number, document in enumerate(documents):
        hour = hours[number % len(hours)] if hours else ""
        head = frame.dated(hour) if frame.dated else frame.head
        event = b"%04x" % number + frame.middle if frame.middle else b""
        wire += head + event + document + frame.tail
    packer = codec.packer()
    packer.add(wire, where)
    request = packer.close(len(documents))
    assert request.raw_bytes == packer.raw_bytes
    return request


def places(codec: ElasticCodec, request: Request) -> list[str]:
    """The index of each row."""
    rows = codec.split(request)
    return [orjson.loads(row.split(b"\n")[0])["create"]["_index"] for row in rows]


def test_names_of_the_agent_are_in_the_action() -> None:
    """One constant action for a file; the path has no target any more."""
    codec = codec_of(Template("app-{namespace}-{pod|none}", INDEX))
    frame = codec.frame(origin(namespace="Shop"))
    assert frame.head == b'{"create":{"_index":"app-shop-none"}}\n'
    assert frame.dated is None
    assert codec.path.startswith("/_bulk?")
    with_ids = codec_of(Template("app-{namespace}-%Y", INDEX), ids=True)
    dated = with_ids.frame(origin(namespace="x")).dated
    assert dated is not None
    assert dated(HOURS[0]) == b'{"create":{"_index":"app-x-2026","_id":"'
    required = ElasticCodec(
        Target(Template("logs-{pod}-x", INDEX), require_data_stream=True), ids=False, gzip=True
    )
    assert required.path.startswith("/_bulk?")
    assert required.path.endswith("&require_data_stream=true")


def test_an_unknown_name_is_an_error_not_an_index() -> None:
    """It is found when the file is bound, so `check` and the start tell it."""
    for text in ("app-{namespace}", "{team}-{namespace}-%Y"):
        with pytest.raises(ValueError, match=r"know its namespace .*; write \{namespace\|TEXT"):
            codec_of(Template(text, INDEX, TEAMS)).frame(origin(pod="p"))


@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("gzip", [False, True])
def test_a_line_chooses_its_index(*, ids: bool, gzip: bool) -> None:
    """By its field, the agent's names and its hour; ids and documents are as they were."""
    codec = codec_of(Template("{team}-{namespace}-%Y.%H", INDEX, TEAMS), ids=ids, gzip=gzip)
    documents = [b'{"team":"a"}', b'{"team":"b","x":"\\n"}', b'{"team":"evil"}', b"{}"]
    request = body_of(codec, documents, origin(namespace="n"), HOURS)
    assert request.gzipped == gzip
    assert places(codec, request) == [
        "a-n-2026.10",
        "b-n-2026.23",
        "other-n-2027.00",
        "other-n-2026.10",
    ]
    rows = codec.split(request)
    assert [codec.document(row) for row in rows] == documents
    actions = [orjson.loads(row.split(b"\n")[0])["create"] for row in rows]
    assert [action.get("_id") for action in actions] == (
        ["0000", "0001", "0002", "0003"] if ids else [None] * 4
    )
    assert codec.split(codec.pack(rows[1:])) == rows[1:]
    assert codec.wrap(rows[0], b"", kind="k", now="n").startswith(rows[0].split(b"\n")[0])


def test_a_data_stream_of_the_line_s_choice() -> None:
    """Its parts follow their own rules."""
    name = Joined(
        Template("logs", INDEX),
        Template("{container}.{team}", DATASET, TEAMS),
        Template("{namespace}", NAMESPACE),
    )
    codec = codec_of(name)
    request = body_of(codec, [b'{"team":"b"}'], origin(container="my-app", namespace="a-B"))
    assert places(codec, request) == ["logs-my_app.b-a-b"]


VALUES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["a", "b", '","_id":"x', '"}}\n{"delete":{"_index":"a"}}', ".", "*", "A"]),
    st.integers(),
    st.none(),
    st.lists(st.text(max_size=3), max_size=2),
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["team", "_index", "create", "x"]), VALUES, max_size=3),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["{team}", "{team}-%H"]),
)
def test_no_line_can_make_up_an_index(lines: list[dict[str, object]], text: str) -> None:
    """Whatever is in documents: twice as many lines as rows, all actions `create`, all indices out
    of the finite set."""
    name = Template(text, INDEX, TEAMS)
    codec = codec_of(name, ids=True)
    documents = [json.dumps(line, ensure_ascii=False).encode() for line in lines]
    request = body_of(codec, documents, origin(), HOURS if name.dated else None)
    finite = set().union(*(name.every({}, hour) for hour in HOURS))
    assert len(finite) == (9 if name.dated else 3)
    wire = request.body.split(b"\n")
    assert wire.pop() == b""
    assert len(wire) == 2 * len(lines)
    for action, document, given_document in zip(wire[::2], wire[1::2], documents, strict=True):
        decoded = orjson.loads(action)
        assert list(decoded) == ["create"]
        assert list(decoded["create"]) == ["_index", "_id"]
        assert decoded["create"]["_index"] in finite
        assert document == given_document


def test_a_constant_name_costs_nothing() -> None:
    """The frame is one and the same object for all files, the target is in the path, and the body
    is what the renderer made."""
    codec = codec_of(Joined(Template("logs", INDEX), Template("x", DATASET), Template("y", INDEX)))
    assert codec.frame(origin(pod="p")) is codec.frame(origin())
    assert codec.path.startswith("/logs-x-y/_bulk?")
    assert body_of(codec, [b"{}"], origin()).body == b'{"create":{}}\n{}\n'
    target = Target("app", in_path=False)
    elsewhere = ElasticCodec(target, ids=False, gzip=False)
    assert elsewhere.path.startswith("/_bulk?")
    assert body_of(elsewhere, [b"{}"], origin()).body == b'{"create":{"_index":"app"}}\n{}\n'
