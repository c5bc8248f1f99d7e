"""Segments as a replay sees them: listed, claimed, emptied, also while the agent writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from logagent.core.deadletter import Segment
from logagent.edge.segments import Claims, count_lines, list_segments


def fill(folder: Path, **contents: bytes) -> Claims:
    """Segments by their number's last digits (`s1` is number 1)."""
    for name, data in contents.items():
        (folder / f"{int(name[1:]):010}.ndjson").write_bytes(data)
    return Claims(str(folder))


def test_segments_are_listed_oldest_first(tmp_path: Path) -> None:
    """Those that a replay has begun with come first; what else is there is left alone."""
    claims = fill(tmp_path, s10=b"a\n", s9=b"bb\n", s11=b"")
    (tmp_path / "unreadable.txt").write_bytes(b"x\n")
    assert [(each.number, each.size) for each in claims.segments()] == [(9, 3), (10, 2), (11, 0)]
    assert claims.claim(claims.segments()[1]) is not None
    assert [each.number for each in claims.segments()] == [10, 9, 11]
    assert Claims(str(tmp_path / "none")).segments() == []
    assert list_segments(str(tmp_path / "none")) == []


def test_progress_is_in_the_name(tmp_path: Path) -> None:
    """What is delivered of a segment outlives the process, and what is done is gone."""
    claims = fill(tmp_path, s1=b"one\ntwo\n")
    segment = claims.claim(claims.segments()[0])
    assert segment is not None
    assert segment.is_claimed
    assert claims.claim(segment) == segment
    segment = claims.advance(segment, 4)
    (found,) = Claims(str(tmp_path)).segments()
    assert found == segment == Segment(1, "0000000001.000000000004.replay", 8, 4)
    assert claims.read(found, found.done, 100) == b"two\n"
    claims.remove(found)
    assert not list(tmp_path.iterdir())


def test_a_segment_that_is_gone_is_none(tmp_path: Path) -> None:
    """The agent may have dropped it meanwhile."""
    claims = fill(tmp_path, s1=b"one\n")
    (segment,) = claims.segments()
    (tmp_path / segment.name).unlink()
    assert claims.claim(segment) is None
    assert claims.read(segment, 0, 10) == b""


@pytest.mark.parametrize("size", [1, 3, 4, 5, 7, 9, 100])
def test_lines_are_read_whole(tmp_path: Path, size: int) -> None:
    """However little is asked for, at least one line comes; one without a newline never does."""
    claims = fill(tmp_path, s1=b"one\nfour\nfive\nto")
    (segment,) = claims.segments()
    at, pieces = 0, []
    while piece := claims.read(segment, at, size):
        assert piece.endswith(b"\n")
        pieces.append(piece)
        at += len(piece)
    assert b"".join(pieces) == b"one\nfour\nfive\n"
    assert count_lines(str(tmp_path / segment.name)) == 3
