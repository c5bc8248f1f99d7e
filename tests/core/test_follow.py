"""The decisions about a followed file, as a table."""

from __future__ import annotations

from msgspec.structs import replace

from logagent.core.files import FileId, Generation, Position, guard_of
from logagent.core.follow import (
    Known,
    View,
    at_end,
    at_start,
    first_prefix,
    lost_bytes,
    may_close,
)

HEAD, BEFORE = b"first line\n", b"last line\n"
KNOWN = Generation(
    id=1,
    file=FileId("/logs", 5, 6),
    input="app",
    path=b"a.log",
    prefix=guard_of(HEAD),
    anchor=guard_of(BEFORE),
    position=Position(500),
    seen=600,
)


def test_at_start_all_must_fit() -> None:
    """Only a file that is long enough, with both guards intact, is read on."""

    def check(expected: str, size: int, head: bytes = HEAD, before: bytes = BEFORE) -> None:
        assert at_start(KNOWN, size, head, before) == expected

    check("resume", 500)
    check("resume", 9000)
    check("reset", 499)
    check("reset", 0, b"", b"")
    check("reset", 500, head=b"other line\n")
    check("reset", 500, before=b"past line\n")
    check("reset", 500, head=HEAD[:-1])
    check("reset", 500, before=b"x" + BEFORE)


def test_at_its_end_a_file_waits_or_is_finished() -> None:
    """A last line is final only when its file is renamed or deleted, and quiet for long enough."""

    def check(
        expected: str,
        *,
        linked: bool = True,
        rotated: bool = False,
        quiet_s: float = 99.0,
        size: int = 100,
    ) -> None:
        view = View(size, linked, rotated, quiet_s)
        assert at_end(view, Position(100), rotate_wait_s=10.0) == expected

    check("wait")
    check("finish", rotated=True)
    check("finish", linked=False)
    check("finish", linked=False, rotated=True, quiet_s=10.0)
    check("wait", rotated=True, quiet_s=9.9)
    check("wait", linked=False, quiet_s=0.0)
    check("wait", rotated=True, size=99)
    check("finish", rotated=True, size=200)


def test_a_file_closes_when_it_has_no_name_and_all_is_settled() -> None:
    """A name, growth a moment ago, or one unsettled byte keeps it open."""

    def check(
        *, closes: bool, linked: bool = False, quiet_s: float = 10.0, settled: int = 100
    ) -> None:
        view = View(100, linked, rotated=True, quiet_s=quiet_s)
        assert may_close(view, Position(settled), rotate_wait_s=10.0) == closes

    check(closes=True)
    check(closes=False, linked=True)
    check(closes=False, quiet_s=9.9)
    check(closes=False, settled=99)
    check(closes=True, settled=101)


def test_lost_bytes_are_what_was_seen_and_not_read() -> None:
    """Never less than nothing: an offset may be ahead of the last scan."""
    assert lost_bytes(600, 500) == 100
    assert lost_bytes(500, 500) == 0
    assert lost_bytes(500, 600) == 0


def test_a_generation_starts_with_the_guard_of_its_first_event() -> None:
    """The guard covers the first line, or 1 KiB of it; less only when no more will come."""

    def check(head: bytes, expected: bytes | None, *, final: bool = False) -> None:
        guard = None if expected is None else guard_of(expected)
        assert first_prefix(head, final=final) == guard

    check(b"", None)
    check(b"", None, final=True)
    check(b"part", None)
    check(b"part", b"part", final=True)
    check(b"one\ntwo\nthr", b"one\ntwo\n")
    check(b"banner\n" + b"x" * 2000, b"banner\n" + b"x" * 1017)
    check(b"one\ntwo", b"one\n", final=True)
    check(b"\n", b"\n")
    check(b"x" * 1023, None)
    check(b"x" * 1024, b"x" * 1024)
    check(b"x" * 1023 + b"\n", b"x" * 1023 + b"\n")
    check(b"x" * 1024 + b"\n", b"x" * 1024)
    check(b"x" * 5000 + b"\n", b"x" * 1024)


def test_what_is_known_is_kept_until_it_is_taken() -> None:
    """Each commit holds what a checkpoint said of files that nobody follows yet."""
    known = Known()
    other = replace(KNOWN, id=2, file=FileId("/logs", 7, 8))
    known.add(KNOWN)
    known.add(other)
    assert set(known.files()) == {KNOWN.file, other.file}
    assert known.take(KNOWN.file) == KNOWN
    assert known.take(KNOWN.file) is None
    assert known.rest() == [other]


def test_a_known_file_is_gone_when_two_scans_miss_it() -> None:
    """A listing can pass over a file that is being renamed; what was missed once and came back
    isn't gone, what is gone is so once."""
    known = Known()
    known.add(KNOWN)
    seen, missed = {KNOWN.file}, set[FileId]()
    found = [known.gone(each.__contains__) for each in (missed, seen, missed, missed, missed)]
    assert found == [[], [], [], [KNOWN], []]
    assert known.rest() == []


def test_an_ended_generation_is_gone_at_once() -> None:
    """Of two generations of one file the earlier had ended when the agent died: nobody can read it
    any more, while the later one goes on."""
    known = Known()
    later = replace(KNOWN, id=2)
    known.add(KNOWN)
    known.add(later)
    assert known.rest() == [KNOWN, later]
    assert known.gone(lambda _: True) == [KNOWN]
    assert known.gone(lambda _: True) == []
    assert known.take(KNOWN.file) == later
