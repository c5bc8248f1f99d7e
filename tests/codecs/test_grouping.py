"""Bodies in groups: put together, taken apart, regrouped."""

from __future__ import annotations

import json
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logagent.codecs.grouping import GroupPacking, Heads, Shape
from logagent.codecs.packing import STEP_BYTES, pieces
from logagent.core.chunk import Request

SHAPE = Shape(b'{"groups":[', b"]}", b"]}")


def body(request: Request) -> bytes:
    """What a request holds, before compression."""
    return b"".join(pieces(request))


def parsed(request: Request) -> list[tuple[str, list[object]]]:
    """Names and rows of a request's groups."""
    return [(group["name"], group["rows"]) for group in json.loads(body(request))["groups"]]


def head(name: str) -> bytes:
    """A group's head."""
    return b'{"name":"%b","rows":[' % name.encode()


def packed(packing: GroupPacking, adds: list[tuple[str, list[object]]]) -> Request:
    """A request of these chunks."""
    packer = packing.group_packer()
    for name, rows in adds:
        lines = b"".join(b",%b\n" % json.dumps(row).encode() for row in rows)
        packer.add(head(name), lines)
    return packer.close(sum(len(rows) for _, rows in adds))


@pytest.mark.parametrize("gzip", [False, True])
def test_chunks_of_one_group_share_its_head(*, gzip: bool) -> None:
    """Rows stand below the head they came with; a head is repeated only when it changes."""
    packing = GroupPacking(SHAPE, gzip=gzip)
    request = packed(packing, [("a", [1, 2]), ("a", [3]), ("b", [4]), ("a", [{"x": " ,y"}])])
    assert parsed(request) == [("a", [1, 2, 3]), ("b", [4]), ("a", [{"x": " ,y"}])]
    assert request.rows == 5
    assert request.gzipped == gzip
    assert request.raw_bytes == len(body(request))


def test_a_body_without_rows_is_json() -> None:
    """Nothing was added: still a document."""
    assert parsed(GroupPacking(SHAPE, gzip=False).group_packer().close(0)) == []


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.lists(st.text() | st.integers(), min_size=1, max_size=5)
        ),
        min_size=1,
        max_size=8,
    ),
    st.data(),
)
def test_any_rows_of_a_request_are_a_request(
    adds: list[tuple[str, list[object]]], data: st.DataObject
) -> None:
    """All rows make the same body again, and a choice of them the groups that they were in."""
    packing = GroupPacking(SHAPE, gzip=True)
    request = packed(packing, adds)
    rows = packing.split(request)
    assert body(packing.pack(rows)) == body(request)
    flat = [(name, row) for name, rows in adds for row in rows]
    chosen = data.draw(
        st.lists(st.sampled_from(range(len(flat))), unique=True, min_size=1).map(sorted)
    )
    part = packing.pack([rows[index] for index in chosen])
    wanted = [
        (name, [row for _, row in group])
        for name, group in groupby((flat[index] for index in chosen), key=lambda pair: pair[0])
    ]
    assert parsed(part) == wanted
    assert part.rows == len(chosen)


def test_bodies_longer_than_a_step_are_taken_apart() -> None:
    """Lines that end in another piece of the decompressed body are whole."""
    packing = GroupPacking(SHAPE, gzip=True)
    rows: list[object] = ["x" * (STEP_BYTES + 7), "y", "z" * STEP_BYTES, 4]
    request = packed(packing, [("a", rows)])
    assert [json.loads(row.partition(b" ")[2]) for row in packing.split(request)] == rows


def test_parts_have_one_head_each() -> None:
    """Rows of one head together, in their order; what has one head is left as it is."""
    packing = GroupPacking(SHAPE, gzip=True)
    request = packed(packing, [("a", [1, 2]), ("b", [3]), ("a", [4])])
    parts = packing.parts(request)
    assert [parsed(part) for part in parts] == [[("a", [1, 2, 4])], [("b", [3])]]
    assert [part.rows for part in parts] == [3, 1]
    single = packed(packing, [("a", [1]), ("a", [2])])
    assert packing.parts(single) == [single]
    assert packing.parts(parts[0]) == [parts[0]]


def test_heads_keep_their_numbers() -> None:
    """The same head has one number for good."""
    heads = Heads()
    assert [heads.number(each) for each in (b"a", b"b", b"a")] == [0, 1, 0]
    assert heads.head(1) == b"b"
