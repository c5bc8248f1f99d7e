"""The journal of dead letters: segments, their cap, and what faults leave of them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.edge.dead_letters import SEGMENT_BYTES, LetterJournal
from logagent.edge.segments import Claims, list_segments

BIG = 1 << 30


async def at_once(work: Callable[[], None]) -> None:
    """Do the work here and now."""
    work()


class Reports(list[tuple[int, int]]):
    """What a journal told: letters dropped, bytes on disk."""

    def __call__(self, dropped: int, size: int) -> None:
        """Take a report."""
        self.append((dropped, size))

    @property
    def dropped(self) -> int:
        """All letters dropped."""
        return sum(dropped for dropped, _ in self)


def journal(
    folder: Path, bytes_max: int = BIG, report: Reports | None = None, *, above: int = -1
) -> LetterJournal:
    """A journal whose directory isn't there yet at first."""
    return LetterJournal(
        str(folder / "dead" / "out"),
        offload=at_once,
        bytes_max=bytes_max,
        report=report if report is not None else Reports(),
        above=above,
    )


def append(letters: LetterJournal, *lines: bytes) -> None:
    """Append each."""
    for line in lines:
        asyncio.run(letters.append(line))


def files(letters: LetterJournal) -> dict[str, bytes]:
    """What is on disk."""
    return {path.name: path.read_bytes() for path in sorted(Path(letters.directory).iterdir())}


def on_disk(letters: LetterJournal) -> bytes:
    """All lines on disk, oldest first."""
    return b"".join(files(letters).values())


def test_letters_are_appended_to_the_newest_segment(tmp_path: Path) -> None:
    """Private files in a private directory; another process goes on in the same one."""
    append(journal(tmp_path), b"one\n", b"two\nthree\n")
    letters = journal(tmp_path)
    append(letters, b"four\n")
    assert files(letters) == {"0000000001.ndjson": b"one\ntwo\nthree\nfour\n"}
    directory = Path(letters.directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "0000000001.ndjson").stat().st_mode & 0o777 == 0o600


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    """What a crash has left behind the last newline was never said to be durable."""
    letters = journal(tmp_path)
    append(letters, b"one\n")
    with (Path(letters.directory) / "0000000001.ndjson").open("ab") as file:
        file.write(b"to")
    append(letters, b"two\n")
    assert on_disk(letters) == b"one\ntwo\n"


def test_a_full_segment_is_followed_by_another(tmp_path: Path) -> None:
    """A segment ends with a whole line, so one can be dropped or claimed by itself."""
    letters = journal(tmp_path, 80)  # segments of 10
    append(letters, b"123\n", b"456\n", b"789\nabc\ndef\n", b"a very long line\n", b"x\n")
    assert list(files(letters).values()) == [
        b"123\n456\n",
        b"789\nabc\n",
        b"def\n",
        b"a very long line\n",
        b"x\n",
    ]


def test_the_oldest_segment_makes_room(tmp_path: Path) -> None:
    """As a whole, and told as a number of letters."""
    reports = Reports()
    letters = journal(tmp_path, 80, reports)
    append(letters, *[b"%03d\n" % n for n in range(20)])
    assert (reports.dropped, reports[-1]) == (0, (0, 80))
    append(letters, b"020\n")
    assert reports[-1] == (2, 76)
    assert on_disk(letters).split() == [b"%03d" % n for n in range(2, 21)]


def test_what_is_larger_than_the_cap_is_dropped_alone(tmp_path: Path) -> None:
    """It would make all others go and still not fit."""
    reports = Reports()
    letters = journal(tmp_path, 80, reports)
    append(letters, b"one\n", b"x" * 100 + b"\n", b"two\n")
    assert (reports.dropped, on_disk(letters)) == (1, b"one\ntwo\n")
    append(journal(tmp_path, 0, reports), b"three\n")
    assert reports.dropped == 2


@given(
    st.lists(
        st.one_of(st.integers(1, 60), st.sampled_from(["crash", "claim", "done"])),
        max_size=60,
    ),
    st.integers(40, 300),
)
def test_each_letter_is_on_disk_or_counted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | str], bytes_max: int
) -> None:
    """Whatever is appended, claimed, delivered and torn by crashes: the letters on disk, those
    delivered and those counted as dropped are all that there ever were, the oldest gone first."""
    folder = tmp_path_factory.mktemp("letters")
    reports = Reports()
    letters = journal(folder, bytes_max, reports)
    claims = Claims(letters.directory)
    written = delivered = 0
    for step in steps:
        segments = claims.segments()
        if isinstance(step, int):
            append(letters, (b"%05d" % written).ljust(step + 6, b".") + b"\n")
            written += 1
            unclaimed = [each for each in list_segments(letters.directory) if not each.is_claimed]
            if step + 7 <= bytes_max:  # else nothing was written, and nothing made room
                assert sum(each.size for each in unclaimed) <= bytes_max
        elif step == "crash" and segments and not segments[-1].is_claimed:
            with (Path(letters.directory) / segments[-1].name).open("ab") as file:
                file.write(b"torn" if len(reports) % 2 else b"")
            letters = journal(folder, bytes_max, reports)
        elif step == "claim" and segments and not segments[0].is_claimed:
            claims.claim(segments[0])
        elif step == "done" and segments and segments[0].is_claimed:
            delivered += (Path(letters.directory) / segments[0].name).read_bytes().count(b"\n")
            claims.remove(segments[0])
    left = on_disk(letters).count(b"\n") if written else 0
    assert left + delivered + reports.dropped == written


def test_what_fails_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    """An append in several pieces is taken back when the last one can't be written; afterwards it
    goes on in a segment of its own."""
    letters = journal(tmp_path, 80)
    append(letters, b"old\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="dead/out"):
            letters.write(b"11111\n" * 4 + b"2" * 200 + b"\n", capped=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert on_disk(letters) == b"old\n"
    append(letters, b"new\n")
    assert files(letters)["0000000001.ndjson"] == b"old\n"
    assert on_disk(letters) == b"old\nnew\n"


def test_an_old_segment_that_cannot_be_read_is_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad sector, or another user's replay: it goes like any other, and is told."""
    reports = Reports()
    letters = journal(tmp_path, 16, reports)
    append(letters, b"1111111\n", b"2222222\n")

    def broken(path: str) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("logagent.edge.dead_letters.count_lines", broken)
    append(letters, b"3333333\n")
    assert on_disk(letters) == b"2222222\n3333333\n"
    assert reports.dropped == 1


def test_letters_of_a_replay_go_above(tmp_path: Path) -> None:
    """A replay that gives its own letters numbers above those it found never reads them."""
    append(journal(tmp_path), b"one\n")
    letters = journal(tmp_path, above=1)
    append(letters, b"again\n")
    append(journal(tmp_path), b"two\n")
    assert files(letters) == {"0000000001.ndjson": b"one\n", "0000000002.ndjson": b"again\ntwo\n"}


def test_the_file_of_earlier_versions_is_a_segment(tmp_path: Path) -> None:
    """It is the oldest one, and nothing of it is lost but a torn last line."""
    letters = journal(tmp_path)
    Path(letters.directory).mkdir(parents=True)
    (Path(letters.directory) / "letters.ndjson").write_bytes(b"very old\ntor")
    assert [each.number for each in list_segments(letters.directory)] == [0]
    append(letters, b"new\n")
    assert on_disk(letters) == b"very old\nnew\n"
    assert list(files(letters)) == ["0000000000.ndjson"]


def test_a_locked_directory_is_an_error_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that keeps it must not stop the agent's loop for ever."""
    letters = journal(tmp_path)
    append(letters, b"one\n")
    monkeypatch.setattr("logagent.edge.segments.LOCK_WAIT_S", 0.02)
    fd = os.open(letters.directory, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="another process"):
            append(letters, b"two\n")
    finally:
        os.close(fd)
    append(letters, b"two\n")
    assert on_disk(letters) == b"one\ntwo\n"


def test_the_cap_is_many_segments(tmp_path: Path) -> None:
    """With the default cap one segment is a sixteenth of it."""
    letters = journal(tmp_path, 64 << 20)
    append(letters, b"x" * (SEGMENT_BYTES - 10) + b"\n", b"0123456789\n")
    assert len(files(letters)) == 2
