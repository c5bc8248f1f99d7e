"""What a tail counts and shows, and when it looks at a file again."""

from __future__ import annotations

from msgspec.structs import replace

from tests.fakes.tailing import ROOT, SETTINGS, Rig, lines

A = f"{ROOT}/a.log"


def count(rig: Rig, name: str) -> float:
    """A counter of the input."""
    return rig.metrics.cell(name, "app", "out").value


def test_bytes_and_long_lines_are_counted() -> None:
    """All bytes as read, of an over-long line those behind the limit as discarded, each such line
    once."""
    rig = Rig(settings=replace(SETTINGS, line_bytes_max=100))
    data = b"short\n" + b"x" * 250 + b"\n" + b"y" * 101 + b"\nend\n"
    rig.fs.put(A, data)
    chunks = rig.read_all()
    assert lines(chunks) == b"short\n" + b"x" * 100 + b"y" * 100 + b"end\n"
    assert count(rig, "read_bytes_total") == len(data)
    assert count(rig, "truncated_lines_total") == 2
    assert count(rig, "discarded_bytes_total") == 151 + 2


def test_lag_and_states_follow_what_is_settled() -> None:
    """Behind is what is in the file and not settled; the page shows size, read and settled."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.fs.append(A, b"three\n")
    rig.scan()
    chunk = rig.tail.read(rig.now + 1.0)
    assert chunk is not None
    key = rig.take(chunk, settle=False)
    assert rig.tail.lag_bytes() == 6
    (state,) = rig.tail.states()
    assert (state["size"], state["read"], state["settled"]) == (10, 10, 4)
    rig.ledger.settle(key, 1)
    assert rig.tail.lag_bytes() == 0


def test_a_busy_file_that_shrinks_is_seen_without_a_scan() -> None:
    """A file that had something a moment ago is asked for its size at its end."""
    rig = Rig()
    rig.fs.put(A, b"one\ntwo\n")
    rig.read_all()
    rig.fs.truncate(A, b"n\n")
    chunks = [rig.next_chunk() for _ in range(3)]
    assert [chunk.data for chunk in chunks if chunk] == [b"n\n"]
    assert rig.lost() == 0
    assert count(rig, "truncations_total") == 1
    rig.scan()
    assert count(rig, "truncations_total") == 1


def test_waking_polls_at_once() -> None:
    """At a stop nobody waits for the next poll."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    rig.fs.append(A, b"two\n")
    now = rig.now
    assert rig.tail.due_at() > now
    assert rig.tail.read(now) is None
    rig.tail.wake()
    chunk = rig.tail.read(now)
    assert chunk is not None
    assert chunk.data == b"two\n"


def test_a_file_without_a_first_event_is_polled_too() -> None:
    """The next look at it is no later than a poll away, whatever the others wait for."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    rig.read_all()
    for _ in range(40):
        rig.next_chunk()
    rig.fs.put(f"{ROOT}/b.log")
    rig.scan()
    assert rig.tail.due_at() <= rig.now  # new: now
    assert not rig.tail.waits_for_commit(rig.now)
    assert rig.tail.read(rig.now) is None
    assert rig.now < rig.tail.due_at() <= rig.now + 0.1001


def test_what_is_over_leaves_the_ledger() -> None:
    """A closed file, and a truncated one whose rows are settled, leave nothing behind."""
    rig = Rig()
    rig.fs.put(A, b"one\n")
    (old,) = rig.read_all()
    rig.fs.truncate(A, b"n\n")
    (new,) = rig.read_all()
    rig.commit()
    assert rig.ledger.settled(new.generation).position.offset == 2
    assert old.generation not in rig.ledger._settled
    rig.fs.remove(A)
    rig.scan()
    rig.commit()
    rig.scan(SETTINGS.rotate_wait_s + 1)
    assert rig.fs.opened == {}
    assert rig.ledger._settled == {}
