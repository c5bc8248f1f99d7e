"""One output's reading of one input, driven by hand: each file read once, from where it was."""

from __future__ import annotations

import errno

import pytest
from msgspec.structs import replace

from logagent.checkpoint import CheckpointError
from logagent.core.chunk import Chunk
from logagent.core.files import Position, guard_of
from tests.fakes.tailing import ROOT, SETTINGS, Rig, lines

A = f"{ROOT}/a.log"


def numbered(start: int, end: int, width: int = 20) -> bytes:
    """Lines of a fixed length with their numbers."""
    return b"".join(b"%0*d\n" % (width - 1, n) for n in range(start, end))


def test_what_is_written_is_read_once() -> None:
    """Files that are there, that come and that grow: each line once, in its file's order."""
    rig = Rig()
    rig.fs.put(A, b"one\ntwo\n")
    assert lines(rig.read_all()) == b"one\ntwo\n"
    rig.fs.append(A, b"three\nfo")
    rig.fs.put(f"{ROOT}/b.log", b"other\n")
    assert sorted(lines(rig.read_all()).split()) == [b"other", b"three"]
    rig.fs.append(A, b"ur\n")
    assert lines(rig.read_all()) == b"four\n"
    assert rig.read_all() == []
    assert rig.tail.lag_bytes() == 0


def test_nothing_is_read_before_its_generation_is_durable() -> None:
    """Without a commit a new file gives no chunk, and taking one is an assertion."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.scan()
    assert rig.tail.waits_for_commit(rig.now)
    assert rig.tail.read(rig.now) is None
    made = rig.commit()
    assert [(g.position, g.prefix) for g in made] == [(Position(0), guard_of(b"one\n"))]
    assert not rig.tail.waits_for_commit(rig.now)
    chunk = rig.tail.read(rig.now)
    assert chunk is not None
    assert chunk.generation == made[0].id
    follower = rig.tail.follower(chunk.generation)
    follower.durable = False
    with pytest.raises(AssertionError, match="isn't durable"):
        rig.take(chunk)


def test_a_file_without_an_event_needs_no_commit() -> None:
    """Empty, or with half a line: there is nothing yet that a generation could guard."""
    rig = Rig()
    rig.fs.put(A, b"")
    rig.fs.put(f"{ROOT}/b.log", b"half a li")
    rig.scan()
    assert not rig.tail.waits_for_commit(rig.now)
    assert rig.tail.generations() == []
    rig.fs.append(f"{ROOT}/b.log", b"ne\n")
    assert not rig.tail.waits_for_commit(rig.now)  # it is polled, not asked all the time
    assert rig.tail.waits_for_commit(rig.now + 0.1)


def test_at_a_stop_half_a_line_is_a_first_event() -> None:
    """When nothing more will come, what is there is guarded and sent; the cursor stays."""
    rig = Rig()
    rig.fs.put(A, b"half")
    rig.scan()
    assert rig.tail.waits_for_commit(rig.now, final=True)
    rig.commit()
    assert rig.tail.read(rig.now) is None
    (chunk,) = rig.tail.last_lines()
    assert (chunk.data, chunk.mark, chunk.end) == (b"half", "partial", Position(0))
    rig.take(chunk)
    assert rig.tail.lag_bytes() == 0
    assert [g.position for g in rig.commit()] == [Position(0)]
    rig.fs.append(A, b" a line\n")
    rig.start()
    assert lines(rig.read_all()) == b"half a line\n"


def test_a_restart_goes_on_where_all_was_settled() -> None:
    """What was settled isn't read again, what was only read is, under the same generation."""
    rig = Rig(settings=replace(SETTINGS, chunk_bytes=16 << 10))
    rig.fs.put(A, numbered(0, 2000))
    rig.scan()
    assert rig.next_chunk() is not None
    chunk = rig.tail.read(rig.now)
    assert chunk is not None
    rig.take(chunk, settle=False)
    rig.commit()
    generation, offset = chunk.generation, chunk.start
    rig.start()
    rig.scan()
    again = rig.next_chunk()
    assert again is not None
    assert (again.generation, again.start) == (generation, offset)
    assert again.data == chunk.data
    assert rig.log.of("file resumed")[0].facts["offset"] == offset


def test_a_file_renamed_while_down_is_found() -> None:
    """Under another name, in the glob or not, the rest of it is read; the new file too."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.commit()
    rig.fs.append(A, b"two\n")
    rig.fs.rename(A, f"{ROOT}/a.log.1")
    rig.fs.put(A, b"new\n")
    rig.start()
    chunks = rig.read_all()
    assert sorted(lines(chunks).split()) == [b"new", b"two"]
    assert rig.table.files(SETTINGS.user)[0].rotated
    assert rig.lost("deleted") == 0


def test_a_file_that_vanished_while_down_is_counted_once() -> None:
    """What was seen of it and not settled is lost; a later start doesn't count it again."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.fs.append(A, b"two\nthree\n")
    rig.scan()
    rig.commit()
    rig.fs.remove(A)
    rig.start()
    rig.read_all()
    rig.scan()
    assert rig.lost("deleted") == len(b"two\nthree\n")
    (line,) = rig.log.of("file vanished unread")
    assert line.facts["path"] == A
    rig.commit()
    rig.start()
    rig.read_all()
    assert rig.lost("deleted") == len(b"two\nthree\n")


def test_a_file_that_vanished_delivered_is_no_loss() -> None:
    """All of it was settled: not a word."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.commit()
    rig.fs.remove(A)
    rig.start()
    rig.read_all()
    assert (rig.lost("deleted"), rig.log.of("file vanished unread")) == (0, [])


def test_what_cannot_be_seen_is_not_gone() -> None:
    """While a root can't be listed, or the file can't be opened, it isn't counted as lost; it goes
    on from its position afterwards."""
    for hide in ("unlisted", "denied"):
        rig = Rig()
        rig.fs.put(A, b"one\n")
        rig.read_all()
        rig.commit()
        rig.fs.append(A, b"two\n")
        rig.start()
        fault = rig.fs.open(ROOT, b"missing", "deny")
        assert not isinstance(fault, int)
        hidden = {ROOT: fault} if hide == "unlisted" else {A: fault._replace(code="EACCES")}
        getattr(rig.fs, hide).update(hidden)
        assert rig.read_all() == []
        rig.commit()
        rig.start()
        for _ in range(3):
            assert rig.read_all() == []
        getattr(rig.fs, hide).clear()
        assert lines(rig.read_all()) == b"two\n"
        assert rig.lost("deleted") == 0


def test_a_read_error_at_adoption_is_tried_again() -> None:
    """EIO while its guards are checked: the file is known on, and resumed at a later scan."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.commit()
    rig.fs.append(A, b"two\n")
    rig.start()
    rig.fs.broken["pread"] = OSError(errno.EIO, "Input/output error")
    for _ in range(3):
        assert rig.read_all() == []
    assert rig.lost("deleted") == 0
    assert [g.position for g in rig.commit()] == [Position(4)]
    rig.fs.broken.clear()
    assert lines(rig.read_all()) == b"two\n"
    assert rig.log.of("reading a file")[0].facts["why"] == "Input/output error"


def test_files_take_turns() -> None:
    """A file with a backlog doesn't keep the others waiting."""
    rig = Rig(settings=replace(SETTINGS, chunk_bytes=16 << 10))
    for name in "abc":
        rig.fs.put(f"{ROOT}/{name}.log", numbered(0, 5000))
    rig.scan()
    chunks = [rig.next_chunk() for _ in range(9)]
    order = [chunk.generation for chunk in chunks if chunk is not None]
    assert len(order) == 9
    for turn in (order[0:3], order[3:6], order[6:9]):
        assert len(set(turn)) == 3


def test_a_quiet_file_is_polled_less() -> None:
    """A file is polled each tenth of a second, after twenty turns without anything each half; all
    of them at the same ticks; growth makes it busy again."""
    rig = Rig()
    for name in "ab":
        rig.fs.put(f"{ROOT}/{name}.log", b"x\n")
    rig.read_all()
    pauses = []
    now = rig.now
    for _ in range(30):
        assert rig.tail.read(now) is None
        due = rig.tail.due_at()
        pauses.append(round(due - now, 3))
        now = due
    assert set(pauses[2:15]) == {0.1}
    assert set(pauses[-5:]) == {0.5}
    rig.fs.append(A, b"y\n")
    assert rig.tail.read(now) is not None
    rig.tail.wake()
    assert rig.tail.due_at() == float("inf")


def test_starting_at_the_end_is_for_what_is_there_at_start() -> None:
    """What the first whole scan finds is passed over; files that come later are read whole."""
    rig = Rig(settings=replace(SETTINGS, start_at_end=True))
    rig.fs.put(A, b"old\n")
    rig.fs.put(f"{ROOT}/empty.log")
    assert rig.read_all() == []
    rig.fs.append(A, b"new\n")
    rig.fs.append(f"{ROOT}/empty.log", b"first\n")
    rig.fs.put(f"{ROOT}/b.log", b"later\n")
    assert sorted(lines(rig.read_all()).split()) == [b"first", b"later", b"new"]
    rig.commit()
    rig.fs.append(A, b"while down\n")
    rig.start()
    assert lines(rig.read_all()) == b"while down\n"


def test_a_failed_commit_holds_new_files_only() -> None:
    """While the disk is full known generations go on; a new one waits until a commit succeeds."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.fs.append(A, b"two\n")
    rig.fs.put(f"{ROOT}/b.log", b"new\n")
    rig.scan()
    assert rig.tail.waits_for_commit(rig.now)
    rig.fs.slot_error = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(CheckpointError):
        rig.commit()
    chunk = rig.tail.read(rig.now + 1.0)
    assert isinstance(chunk, Chunk)
    assert chunk.data == b"two\n"
    rig.take(chunk)
    assert rig.tail.read(rig.now + 2.0) is None
    rig.fs.slot_error = None
    rig.commit()
    assert lines(rig.read_all()) == b"new\n"
