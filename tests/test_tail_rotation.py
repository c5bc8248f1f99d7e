"""Truncations, rotations and deletions as one output's tail sees them."""

from __future__ import annotations

import errno

import pytest

from tests.fakes.tailing import ROOT, SETTINGS, Rig, lines
from tests.test_tail import A, numbered

WAIT_S = SETTINGS.rotate_wait_s + 1.0


def generations(rig: Rig) -> list[int]:
    """The generations that a commit would hold."""
    return [generation.id for generation in rig.tail.generations()]


def test_a_truncated_file_starts_over() -> None:
    """All was read: nothing is lost; the new content is read from 0 under a new generation."""
    rig = Rig()
    rig.fs.put(A, b"one\ntwo\n")
    (first,) = rig.read_all()
    rig.fs.truncate(A, b"new\n")
    (second,) = rig.read_all()
    assert (second.start, second.data) == (0, b"new\n")
    assert second.generation != first.generation
    assert rig.lost() == 0
    (line,) = rig.log.of("file was truncated, reading it from its start")
    assert (line.facts["offset"], line.facts["lost_bytes"]) == (8, 0)
    assert rig.metrics.cell("truncations_total", "app", "out").value == 1
    assert not rig.tail.live(first.generation)


def test_what_was_seen_and_not_read_is_lost() -> None:
    """Bytes that a scan saw, and that were gone before they could be read, are counted."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.fs.append(A, b"unread\n")
    rig.scan()
    rig.fs.truncate(A)
    rig.read_all()
    assert rig.lost() == len(b"unread\n")
    assert lines(rig.read_all()) == b""


def test_several_truncations_while_blocked_are_counted_to_the_byte() -> None:
    """The sink is down, scans go on, nothing is read: each generation that came and went is lost
    whole, of the first what was unread, and what is there now isn't lost."""
    rig = Rig()
    rig.fs.put(A, numbered(0, 10))
    rig.read_all()
    rig.fs.append(A, numbered(10, 15))
    rig.table.scan(rig.now, rig.now)
    for size in (7, 0, 3, 30):
        rig.fs.truncate(A, numbered(100, 100 + size))
        rig.table.scan(rig.now, rig.now)
    rig.fs.truncate(A, numbered(200, 204))
    assert lines(rig.read_all()) == numbered(200, 204)
    # 7 lines, then none, then 3 that grew to 30 between two scans: the largest size counts.
    assert rig.lost() == 20 * (5 + 7 + 30)
    rig.fs.truncate(A)
    rig.read_all()
    assert rig.lost() == 20 * (5 + 7 + 30)


def test_a_file_that_came_and_was_truncated_while_blocked() -> None:
    """What a scan saw of a file that this output hadn't begun yet is counted too."""
    rig = Rig()
    rig.read_all()
    rig.fs.put(A, numbered(0, 5))
    rig.table.scan(rig.now, rig.now)
    rig.fs.truncate(A, numbered(10, 12))
    rig.table.scan(rig.now, rig.now)
    assert lines(rig.read_all()) == numbered(10, 12)
    assert rig.lost() == 20 * 5


def test_regrown_past_the_offset_between_two_polls() -> None:
    """Lines of a fixed length, truncated and longer than before at the next look: seen by the
    guards, read from 0, not from the middle."""
    rig = Rig()
    rig.fs.put(A, numbered(0, 200))
    rig.read_all()
    rig.fs.truncate(A, numbered(1000, 1500))
    assert lines(rig.read_all()) == numbered(1000, 1500)
    assert rig.metrics.cell("truncations_total", "app", "out").value == 1


@pytest.mark.parametrize("size", [5, 20, 21, 60])
def test_truncated_while_down(size: int) -> None:
    """Shorter, as long, or longer than it was: read from 0 as a new generation; what had been seen
    and not settled is lost, whatever is there now."""
    rig = Rig()
    rig.fs.put(A, numbered(0, 20))
    (chunk,) = rig.read_all()
    rig.fs.append(A, numbered(20, 24))
    rig.scan()
    rig.commit()
    rig.fs.truncate(A, numbered(500, 500 + size))
    rig.start()
    chunks = rig.read_all()
    assert lines(chunks) == numbered(500, 500 + size)
    assert chunks[0].generation != chunk.generation
    assert rig.lost() == 20 * 4


def test_a_reset_is_durable_before_it_is_read() -> None:
    """A new generation after a truncation waits for its commit like that of a new file."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.fs.truncate(A, b"n\n")
    rig.scan()
    assert rig.tail.read(rig.now + 1.0) is None
    assert rig.tail.waits_for_commit(rig.now + 1.0)
    made = rig.commit()
    chunk = rig.tail.read(rig.now + 2.0)
    assert chunk is not None
    assert chunk.generation in {generation.id for generation in made}
    assert chunk.generation in {generation.id for generation in rig.durable()}


def test_rows_of_a_truncated_generation_may_settle_later() -> None:
    """Rows under way when their file is truncated settle without moving the new generation."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.scan()
    rig.tail.waits_for_commit(rig.now)
    rig.commit()
    chunk = rig.tail.read(rig.now)
    assert chunk is not None
    key = rig.take(chunk, settle=False)
    rig.fs.truncate(A, b"")
    rig.scan()
    rig.fs.append(A, b"new\n")
    (second,) = rig.read_all()
    rig.ledger.settle(key, 1)
    assert rig.ledger.open_rows == 0
    rig.commit()
    assert generations(rig) == [second.generation]
    assert rig.lost() == 0


def test_rows_of_a_truncated_generation_that_never_settled_are_counted() -> None:
    """Sent, not settled, its file truncated, then a death: what can't be read again is lost, and
    counted once, by the next start; the new content is read as if nothing had been."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.fs.append(A, b"under way\n")
    rig.scan()
    chunk = rig.tail.read(rig.now + 1.0)
    assert chunk is not None
    rig.take(chunk, settle=False)
    rig.fs.truncate(A, b"new\n")
    rig.read_all()
    rig.commit()
    for _ in range(2):
        rig.start()
        assert rig.read_all() == []
        rig.scan()
        rig.commit()
        assert rig.lost("deleted") == len(b"under way\n")
    rig.fs.append(A, b"more\n")
    assert lines(rig.read_all()) == b"more\n"


def test_a_rotated_file_is_read_to_its_end() -> None:
    """The writer goes on in the renamed file for a while; its lines come, and the new file's."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.fs.rename(A, f"{ROOT}/a.log.1")
    rig.fs.append(f"{ROOT}/a.log.1", b"two\n")
    rig.fs.put(A, b"new\n")
    assert sorted(lines(rig.read_all()).split()) == [b"new", b"two"]
    rig.fs.append(f"{ROOT}/a.log.1", b"three\n")
    assert lines(rig.read_all()) == b"three\n"


@pytest.mark.parametrize("gone", ["renamed", "deleted"])
def test_the_last_line_of_a_finished_file(gone: str) -> None:
    """Without newline it is held while the file may grow; when it is over and quiet it goes out,
    marked. A file that has its name keeps it."""
    rig = Rig()
    rig.fs.put(A, b"one\ntwo")
    assert lines(rig.read_all()) == b"one\n"
    rig.scan(WAIT_S)
    assert rig.read_all() == []
    if gone == "renamed":
        rig.fs.rename(A, f"{ROOT}/a.log.1")
    else:
        rig.fs.remove(A)
    rig.scan()
    rig.scan(WAIT_S)
    (chunk,) = rig.read_all()
    assert (chunk.data, chunk.mark) == (b"two", "partial")
    assert rig.read_all() == []
    assert rig.tail.lag_bytes() == 0


def test_a_deleted_file_closes_when_its_end_is_committed() -> None:
    """Read isn't enough, settled isn't either: only a durable commit of its end lets it go."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.scan()
    rig.fs.append(A, b"two\n")
    rig.fs.remove(A)
    rig.tail.waits_for_commit(rig.now)
    rig.commit()
    chunk = rig.tail.read(rig.now)
    assert chunk is not None
    key = rig.take(chunk, settle=False)
    rig.scan(WAIT_S)
    rig.scan(WAIT_S)
    assert len(rig.fs.opened) == 1
    rig.ledger.settle(key, 1)
    rig.scan(WAIT_S)
    assert len(rig.fs.opened) == 1
    rig.fs.slot_error = OSError(errno.EIO, "Input/output error")
    with pytest.raises(Exception, match="Input/output"):
        rig.commit()
    rig.scan(WAIT_S)
    assert len(rig.fs.opened) == 1
    rig.fs.slot_error = None
    rig.commit()
    rig.scan(WAIT_S)
    assert rig.fs.opened == {}
    assert generations(rig) == []
    assert rig.log.of("file finished")[0].facts["bytes"] == 8


def test_a_deleted_file_that_still_grows_stays() -> None:
    """Its writer has it open: growth between a scan and the closing is seen, and read."""
    rig = Rig()
    node = rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.fs.remove(A)
    rig.scan()
    rig.commit()
    rig.now += WAIT_S
    rig.table.scan(rig.now, rig.now)
    node.data += b"late\n"
    rig.tail.sync(rig.now)
    assert len(rig.fs.opened) == 1
    assert lines(rig.read_all()) == b"late\n"


def test_a_deleted_empty_file_closes() -> None:
    """Nothing was ever in it; nothing is committed for it."""
    rig = Rig()
    rig.fs.put(A)
    rig.read_all()
    rig.fs.remove(A)
    rig.scan()
    rig.scan(WAIT_S)
    assert (rig.fs.opened, generations(rig)) == ({}, [])


def test_an_inode_number_that_is_used_again_is_another_file() -> None:
    """After a restart: the same number and another birth time is new, and the old one is gone; the
    same identity with other content is a truncation."""
    for birth_ns, reason in ((2, "deleted"), (1, "truncated")):
        rig = Rig()
        rig.fs.put(A, b"one\n", ino=5, birth_ns=1)
        (old,) = rig.read_all()
        rig.fs.append(A, b"more\n")
        rig.scan()
        rig.commit()
        rig.fs.remove(A)
        rig.fs.put(A, b"other content\n", ino=5, birth_ns=birth_ns)
        rig.start()
        (new,) = rig.read_all()
        assert (new.start, new.data) == (0, b"other content\n")
        assert new.generation != old.generation
        rig.scan()
        assert rig.lost(reason) == len(b"more\n")
