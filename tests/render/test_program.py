"""The routes agree, whatever the bytes are: the properties of the whole render."""

from __future__ import annotations

import json
from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logagent.core.chunk import Frame, Mark
from logagent.render.metadata import OWNED, Metadata, is_owned
from logagent.render.program import Spec
from tests.render.lines import CLASHING, chunks, more
from tests.render.renderers import (
    BARE,
    FORMATS,
    FRAMES,
    METADATA,
    ODD,
    START,
    Kind,
    carefully,
    documents,
    render,
    renderer,
)

metadata = st.sampled_from(METADATA)
formats = st.sampled_from(FORMATS)
stamp_fields = st.sampled_from([Spec("auto").timestamp, (), ("ts", "time"), ("team",)])


@pytest.mark.slow
@more(7)
@given(chunks, formats, metadata, st.sampled_from([*FRAMES, BARE, ODD]), stamp_fields)
def test_routes_agree(
    data: bytes,
    kind: Kind,
    meta: Metadata,
    frame: Frame,
    fields: tuple[str, ...],
) -> None:
    """Whatever route is taken, the rows are those of the edit route, byte for byte."""
    made = renderer(kind, meta, frame, fields)
    fast = render(made, data)
    assert fast == carefully(made, data)
    assert render(made, data) == fast, "what a renderer remembers must not show"


@pytest.mark.slow
@more(3)
@given(chunks, formats, metadata, st.sampled_from(FRAMES), st.data())
def test_chunking_does_not_show(
    data: bytes,
    kind: Kind,
    meta: Metadata,
    frame: Frame,
    draw: st.DataObject,
) -> None:
    """Any cut of the same lines gives the same rows, with the same ids."""
    ends = [0]
    for line in BytesIO(data):
        ends.append(ends[-1] + len(line))
    cuts = [0, *sorted(draw.draw(st.sets(st.sampled_from(ends)))), len(data)]
    made = renderer(kind, meta, frame)
    parts = [
        render(made, data[begin:end], START + begin) for begin, end in pairwise(cuts) if end > begin
    ]
    whole = render(renderer(kind, meta, frame), data)
    assert b"".join(part.wire for part in parts) == whole.wire
    assert sum(part.count for part in parts) == whole.count
    assert sum(part.filtered for part in parts) == whole.filtered
    assert sum(part.malformed for part in parts) == whole.malformed
    assert sum(part.shadowed for part in parts) == whole.shadowed


@pytest.mark.slow
@more(4)
@given(chunks, formats, metadata, st.sampled_from(FRAMES))
def test_nothing_vanishes_and_nothing_is_forged(
    data: bytes, kind: Kind, meta: Metadata, frame: Frame
) -> None:
    """Rows and blank lines are all lines; a row is two lines, ours; our keys hold our values."""
    rows = render(renderer(kind, meta, frame), data)
    assert rows.count + rows.filtered == data.count(b"\n")
    assert rows.wire.count(b"\n") == 2 * rows.count
    actions = rows.wire.split(b"\n")[:-1:2]
    assert all(action.startswith(b'{"create":{') for action in actions)
    malformed = 0
    for document in documents(rows.wire):
        assert "@timestamp" in document
        for key in document:
            if is_owned(key) and key != "logagent":
                assert document[key] == meta.members[key]
        for key in meta.owned:
            assert document[key] == meta.members[key]
        said = document.get("logagent")
        assert said is None or said in ({"error": "parse"}, {"error": "timestamp"})
        malformed += said is not None
    assert malformed == rows.malformed


@pytest.mark.slow
@more(4)
@given(chunks, metadata)
def test_the_app_keeps_what_it_wrote(data: bytes, meta: Metadata) -> None:
    """Each value of a JSON line is in its document, under its key or under `shadowed`."""
    lines = [line for line in data.replace(b"\r\n", b"\n").split(b"\n") if line]
    for line, document in zip(
        lines, documents(render(renderer("json", meta), data).wire), strict=True
    ):
        try:
            value = json.loads(line.decode())
        except (ValueError, RecursionError):
            continue
        if not isinstance(value, dict) or "message" in document.keys() - value.keys():
            continue
        for key, each in value.items():
            if is_owned(key):
                shadowed = document["shadowed"]
                assert isinstance(shadowed, dict)
                assert shadowed[key] == each
            elif key != "shadowed":
                assert document[key] == each


@pytest.mark.slow
@more(3)
@given(chunks, metadata)
def test_no_field_twice(data: bytes, meta: Metadata) -> None:
    """No document has one of our members beside a key of the app that can't stand next to it."""
    lines = [line for line in data.replace(b"\r\n", b"\n").split(b"\n") if line]
    rows = render(renderer("json", meta), data).wire.split(b"\n")[1::2]
    for line, row in zip(lines, rows, strict=True):
        theirs = keys_of(line)
        written = keys_of(row)
        for member in meta.members:
            if is_owned(member):
                assert written.count(member) == 1
            elif member not in theirs:
                assert written.count(member) == (not any(clash(member, key) for key in theirs))


def keys_of(line: bytes) -> list[str]:
    """List the keys of a JSON object, as often as they are there; none if it isn't one."""
    try:
        if not line.decode().lstrip().startswith("{"):
            return []
        return [key for key, _ in json.loads(line, object_pairs_hook=list)]
    except (ValueError, RecursionError):
        return []


def clash(member: str, key: str) -> bool:
    """Whether a key of the app can't stand beside a member of the tests' metadata."""
    path = {"log": "log.file.path", "service": "service.name"}.get(member, member)
    return f"{path}.".startswith(f"{key}.") or key.startswith(f"{path}.")


@pytest.mark.slow
@more(2)
@given(
    st.binary(min_size=1, max_size=80),
    formats,
    st.sampled_from(["", "truncated", "partial", "continued"]),
)
@example(b"\xe2\x82", "text", "truncated")
def test_any_bytes(data: bytes, kind: Kind, mark: Mark) -> None:
    """No bytes raise, with or without a mark, with or without a last newline."""
    rows = render(renderer(kind), data, mark=mark)
    assert rows.count + rows.filtered == len(list(BytesIO(data)))
    for document in documents(rows.wire):
        said = document.get("logagent", {})
        assert isinstance(said, dict)
        assert not mark or said[mark] is True


def test_clashing_names_are_really_tried() -> None:
    """The strategies have names of each kind: reserved by each owner, clashing with each schema."""
    assert {name.split(".")[0] for name in CLASHING} == {"log", "team", "service"}
    assert OWNED == ("kubernetes", "k8s", "data_stream", "logagent")
