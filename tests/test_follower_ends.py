"""Where a file's reading starts and ends: resuming, last lines, truncations, dense chunks."""

from __future__ import annotations

from zlib import crc32

import pytest

from logagent.core.chunk import Chunk
from logagent.core.files import NO_GUARD, START, Guard, Position, guard_of
from logagent.follower import REWRITE_TURNS
from logagent.held import User
from tests.fakes.following import PATH, File, known
from tests.fakes.tailing import SETTINGS


def test_resuming_goes_on_at_the_offset() -> None:
    """The position is the checkpoint's, durable and committed, also within a long line."""
    data = b"one\ntwo\nthree\n"
    f = File(data)
    assert f.follower.resume(f.fs, known(data, 8)) == "resume"
    assert (f.follower.durable, f.follower.committed) == (True, Position(8))
    assert f.read().data == b"three\n"
    f = File(b"one\nxxxxx\nthree\n", line_bytes_max=4)
    f.follower.resume(f.fs, known(b"one\nxxxxx\n", 8, position=Position(8, "long")))
    assert (f.read().data, f.follower.position) == (b"", Position(10))


def test_resuming_another_content_is_a_reset() -> None:
    """A file that is shorter, or whose head or anchor differs, isn't what it was. Its loss is what
    had been seen and not settled, whatever size the new content has."""

    def check(content: bytes) -> None:
        f = File(content)
        before = known(b"one\ntwo\nthree\n", 8)
        assert f.follower.resume(f.fs, before) == "reset"
        assert f.follower.lost_bytes() == 6

    check(b"")
    check(b"one\n")
    check(b"one\ntwX\nthree\n")
    check(b"onX\ntwo\nthree\n")
    check(b"other content, and much longer than before, too\n")


def test_guards_of_a_resumed_file_hold_on() -> None:
    """After a resume the next reads are guarded by what the checkpoint knew."""
    data = b"12345678\n" * 200
    f = File(data)
    f.follower.resume(f.fs, known(data, 900))
    f.fs.truncate(PATH, b"87654321\n" * 300)
    assert f.follower.read(f.fs) == "replaced"


def test_user_and_state() -> None:
    """Who reads, and what the status page shows of it."""
    assert SETTINGS.user == User("out", "app")
    f = File(b"one\n").ready()
    f.read()
    assert f.follower.state(Position(0)) == {
        "path": "/logs/a.log",
        "size": 4,
        "read": 4,
        "settled": 0,
        "rotated": False,
        "waits": "first event, or a commit",
    }
    assert f.follower.anchor() == Guard(4, crc32(b"one\n"))
    assert f.follower.view(5.0) == (4, True, False, 5.0)


def test_a_last_line_at_a_stop_leaves_the_cursor() -> None:
    """What has no newline is sent as partial, and the position stays in front of it, so that the
    whole line goes later."""
    f = File(b"one\ntwo").ready()
    f.read()
    chunk = f.follower.rest(f.fs, stop=True)
    assert chunk == Chunk(7, 4, b"two", Position(4), guard_of(b"one\n"), "partial")
    f.follower.take(chunk)
    f.fs.append(PATH, b" and more\n")
    assert f.read().data == b"two and more\n"


def test_a_last_line_of_a_finished_file_is_consumed() -> None:
    """The position moves behind it; should the line go on, its rest is marked as continued."""
    f = File(b"one\ntwo").ready()
    f.read()
    chunk = f.follower.rest(f.fs, stop=False)
    assert chunk == Chunk(7, 4, b"two", Position(7, "partial"), guard_of(b"one\ntwo"), "partial")
    f.follower.take(chunk)
    assert f.follower.read(f.fs) == "end"
    f.fs.append(PATH, b" goes on")
    assert f.follower.read(f.fs) == "line"
    again = f.follower.rest(f.fs, stop=False)
    assert again is not None
    assert (again.data, again.mark, again.end) == (b" goes on", "continued", (15, "partial"))
    f.fs.append(PATH, b"\nthree\n")
    chunk = f.read()
    assert (chunk.data, chunk.mark) == (b" goes on\n", "continued")
    assert (f.read().data, f.follower.position) == (b"three\n", Position(22))


def test_a_continued_line_has_the_same_limit() -> None:
    """The rest of a partial line is cut like any other line when it is too long."""
    f = File(b"one\ntwo", line_bytes_max=8).ready()
    f.read()
    chunk = f.follower.rest(f.fs, stop=False)
    assert chunk is not None
    f.follower.take(chunk)
    f.fs.append(PATH, b"0123456789\nend\n")
    chunk = f.read()
    assert (chunk.data, chunk.mark, chunk.end) == (b"01234567", "truncated", (15, "long"))
    assert (f.read().data, f.read().data) == (b"", b"end\n")


@pytest.mark.parametrize("stop", [True, False])
def test_what_is_no_last_line(*, stop: bool) -> None:
    """At the end, in front of a whole or an over-long line, or within a discarded one there is no
    last line to send; nor when the content is another."""
    f = File(b"one\n").ready()
    assert f.follower.rest(f.fs, stop=stop) is None
    f.read()
    assert f.follower.rest(f.fs, stop=stop) is None
    f = File(b"x" * 33).ready()
    assert f.follower.rest(f.fs, stop=stop) is None
    f.read()
    f.fs.append(PATH, b"xx")
    assert f.follower.rest(f.fs, stop=stop) is None
    f = File(b"one\ntwo").ready()
    f.read()
    f.fs.truncate(PATH, b"oneXtwo")
    assert f.follower.rest(f.fs, stop=stop) is None


def test_a_chunk_that_is_too_dense_is_halved_at_a_line() -> None:
    """The first half of the lines stays, at least one of them; the next reads are smaller too."""
    data = b"".join(b"%03d\n" % n for n in range(20_000))
    f = File(data, chunk_bytes=64 << 10).ready()
    chunk = f.follower.read(f.fs)
    assert isinstance(chunk, Chunk)
    half = f.follower.shorten(chunk)
    assert half.data == data[: len(half.data)]
    assert half.data.endswith(b"\n")
    assert len(chunk.data) // 2 - 5 <= len(half.data) <= len(chunk.data) // 2
    assert half.end == Position(len(half.data))
    assert half.anchor == guard_of(half.data[-1024:])
    while half.data.count(b"\n") > 1:
        half = f.follower.shorten(half)
    assert half.data == b"000\n"
    f.follower.take(half)
    f.read()
    assert f.fs.reads[-3][0] < 64 << 10


def test_a_chunk_of_two_unequal_lines_is_still_shortened() -> None:
    """When the first line is longer than half, it alone is what stays."""
    f = File(b"x" * 30 + b"\n" + b"y\n").ready()
    chunk = f.follower.read(f.fs)
    assert isinstance(chunk, Chunk)
    assert f.follower.shorten(chunk).data == b"x" * 30 + b"\n"


def test_starting_at_the_end() -> None:
    """What is there is passed over, to the next line's start, and guarded; an empty file loses
    nothing of what comes."""
    f = File(b"one\ntwo\n")
    f.follower.skip_to_end(f.fs)
    f.ready()
    f.fs.append(PATH, b"three\n")
    assert f.read().data == b"three\n"
    f = File(b"one\ntw")
    f.follower.skip_to_end(f.fs)
    f.fs.append(PATH, b"o\nthree\n")
    assert (f.read().data, f.read().data) == (b"", b"three\n")
    f.fs.truncate(PATH, b"another file\nof more\nlines\n")
    assert f.follower.read(f.fs) == "replaced"
    f = File(b"")
    f.follower.skip_to_end(f.fs)
    assert (f.follower.position, f.follower.prefix, f.follower.anchor()) == (START, None, NO_GUARD)


def test_what_several_truncations_lost() -> None:
    """Of the read generation what was seen and not read, and all of those that came and went; the
    present content is still there."""
    f = File(b"12345678\n" * 10, chunk_bytes=45).ready()
    f.read()
    assert (f.follower.lost_bytes(), f.follower.is_truncated) == (45, False)
    f.held.peaks += [30, 0, 17, 200]
    assert f.follower.is_truncated
    assert f.follower.lost_bytes() == 45 + 30 + 0 + 17


def test_other_content_of_the_same_size_is_seen_at_the_end() -> None:
    """A file that is rewritten to the very size at which it is read to its end isn't taken for a
    quiet one for ever: the guards are looked at now and then."""
    f = File(b"one\ntwo\n").ready()
    f.read()
    f.fs.truncate(PATH, b"uno\ndos\n")
    found = []
    for turn in range(REWRITE_TURNS):
        f.follower.idle_turns = turn
        found.append(f.follower.read(f.fs))
    assert found.count("replaced") == 1
    assert set(found) == {"replaced", "end"}
