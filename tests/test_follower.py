"""One file's read position: whole events whatever the reads are, guards on every read."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.core.chunk import Chunk
from logagent.core.files import GUARD_BYTES, Position, guard_of
from logagent.follower import CHUNK_BYTES_MIN
from tests.fakes.following import PATH, File

LINES = st.lists(
    st.one_of(
        st.text("ab\r é€", max_size=12).map(str.encode),
        st.sampled_from([b"", b"x" * 31, b"x" * 32, b"x" * 33, b"y" * 65, b"z" * 200, b"\r"]),
    ),
    min_size=1,
    max_size=30,
)


@given(LINES, st.binary(max_size=80), st.integers(33, 300), st.integers(1, 400))
def test_any_reads_give_the_same_events(
    parts: list[bytes], rest: bytes, chunk_bytes: int, read_bytes: int
) -> None:
    """Whatever the chunk's size and however short the reads are: the same events, the same marks,
    the same end, and anchors that guard what precedes."""
    data = b"".join(part + b"\n" for part in parts) + rest
    whole = File(data, chunk_bytes=4096).ready().read_all()
    assert File(data, chunk_bytes=chunk_bytes).ready().read_all() == whole
    short = File(data, chunk_bytes=chunk_bytes)
    short.fs.read_bytes_max = max(read_bytes, 33)  # what a line needs at least
    assert short.ready().read_all() == whole


@given(LINES)
def test_the_events_are_the_lines(parts: list[bytes]) -> None:
    """What is read is the file's lines; an over-long one is cut at the limit, between characters,
    and nothing of the next line is missing."""
    events, why = File(b"".join(part + b"\n" for part in parts)).ready().read_all()
    assert why == "end"
    assert len(events) == len(parts)
    for (event, mark), part in zip(events, parts, strict=True):
        if len(part) <= 32:
            assert (event, mark) == (part + b"\n", "")
        else:
            assert mark == "truncated"
            assert part.startswith(event)
            assert 29 <= len(event) <= 32
            event.decode()


def test_an_over_long_line_costs_bounded_memory() -> None:
    """However long a line is, no read asks for more than a chunk; its rest is passed over in
    chunks without data, and the following line is whole."""
    f = File(b"first\n" + b"x" * 1_000_000 + b"\nlast\n", chunk_bytes=4096, line_bytes_max=1000)
    f.ready()
    assert f.read().data == b"first\n"
    chunk = f.read()
    assert (chunk.data, chunk.mark) == (b"x" * 1000, "truncated")
    assert chunk.end == (1006, "long")
    discarded = 0
    while f.follower.position.inside == "long":
        chunk = f.read()
        assert chunk.data == b""
        discarded += chunk.end.offset - chunk.start
    assert discarded == 1_000_000 - 1000 + 1
    assert f.read().data == b"last\n"
    assert max(size for size, _ in f.fs.reads) == 4096


def test_a_line_longer_than_the_present_chunk_is_read_whole() -> None:
    """A chunk that shrank with the last expansion doesn't make long lines over-long."""
    line = b"x" * 20_000 + b"\n"
    f = File(line * 2, chunk_bytes=65_536, line_bytes_max=30_000).ready()
    f.follower.expanded(raw=1000, wire=10_000_000, batch_bytes=1)
    chunk = f.read()
    assert (chunk.data, chunk.mark) == (line, "")


def test_the_chunk_follows_the_expansion() -> None:
    """Rows ten times as large as the lines make the next chunks smaller, within bounds."""
    f = File(b"12345678\n" * 100_000, chunk_bytes=256 << 10).ready()
    for wire in (1, 1000, 10, 10**9):
        f.follower.expanded(raw=100, wire=wire, batch_bytes=400 << 10)
        f.read()
    asked = [size for size, _ in f.fs.reads if size > GUARD_BYTES]
    assert asked == [256 << 10, 40 << 10, 256 << 10, CHUNK_BYTES_MIN]


def test_reading_changes_nothing_until_it_is_taken() -> None:
    """A chunk that found no room is read again, the same."""
    f = File(b"one\ntwo\nthr").ready()
    first = f.follower.read(f.fs)
    assert f.follower.read(f.fs) == first
    assert isinstance(first, Chunk)
    assert (first.data, first.start, first.end) == (b"one\ntwo\n", 0, Position(8))
    f.follower.take(first)
    with pytest.raises(AssertionError, match="taken where it was read"):
        f.follower.take(first)


def test_half_a_line_waits() -> None:
    """An incomplete line is no event; when it is complete it is one, from its start."""
    f = File(b"one\ntw").ready()
    assert f.read().data == b"one\n"
    assert f.follower.read(f.fs) == "line"
    f.fs.append(PATH, b"o\n")
    assert f.read().data == b"two\n"
    assert f.follower.read(f.fs) == "end"


def test_a_generation_is_ready_with_its_first_event() -> None:
    """Half an event guards nothing yet; nothing may be read before."""
    f = File(b"")
    assert not f.follower.prepare(f.fs)
    f.fs.append(PATH, b"half")
    assert not f.follower.prepare(f.fs)
    with pytest.raises(AssertionError, match="head is guarded"):
        f.follower.read(f.fs)
    f.fs.append(PATH, b" whole\nmore\nhal")
    assert f.follower.prepare(f.fs)
    assert f.follower.prefix == guard_of(b"half whole\nmore\n")


def test_the_prefix_grows_once_behind_its_first_kilobyte() -> None:
    """The lines that are there guard a file's start, later its first kilobyte does."""
    f = File(b"12345678\n", chunk_bytes=900).ready()
    f.fs.append(PATH, b"12345678\n" * 399)
    f.read()
    assert f.follower.prefix == guard_of(b"12345678\n")
    f.read()
    f.read()
    assert f.follower.prefix == guard_of((b"12345678\n" * 400)[:GUARD_BYTES])


def test_other_content_is_seen_on_every_read() -> None:
    """Truncated and grown again past the offset with lines of the same length: the first read
    afterwards says so, and gives nothing. The first kilobyte or the last one suffices."""
    old = b"".join(b"line %06d\n" % n for n in range(400))
    new = b"".join(b"line %06d\n" % n for n in range(1000, 1800))

    def check(content: bytes) -> None:
        f = File(old, chunk_bytes=4096).ready()
        f.read()
        f.fs.truncate(PATH, content)
        assert f.follower.read(f.fs) == "replaced"

    check(new)
    check(old[:2000] + new[2000:])
    check(new[:2000] + old[2000:] + new)


def test_a_truncation_between_the_read_and_its_guards_is_seen() -> None:
    """The guards are looked at behind the read: bytes that were read before a truncation and
    bytes from after it are both never used."""
    old, new = b"old line\n" * 300, b"new line\n" * 900
    f = File(old, chunk_bytes=1000).ready()
    f.read()
    f.fs.after_pread.append(lambda: f.fs.truncate(PATH, new))
    assert f.follower.read(f.fs) == "replaced"
    f = File(old, chunk_bytes=1000).ready()
    f.fs.after_pread.append(lambda: f.fs.truncate(PATH, new))
    assert f.follower.read(f.fs) == "replaced"


def test_a_short_read_of_a_guard_is_no_truncation() -> None:
    """A guard that comes in pieces is put together before it is judged."""
    f = File(b"12345678\n" * 400, chunk_bytes=2048).ready()
    f.read()
    f.fs.read_bytes_max = 100
    assert isinstance(f.follower.read(f.fs), Chunk)


def test_errors_of_the_disk_are_the_callers() -> None:
    """EIO is raised, nothing moves, and the next read is as if nothing had been."""
    f = File(b"one\n").ready()
    f.fs.broken["pread"] = OSError(errno.EIO, "Input/output error")
    with pytest.raises(OSError, match="Input/output"):
        f.follower.read(f.fs)
    f.fs.broken.clear()
    assert f.read().data == b"one\n"
