"""Events of files: each is logged once and counted where it belongs."""

from __future__ import annotations

import errno

from logagent.core.files import NO_GUARD, FileId, Generation, Position
from logagent.core.metrics import Registry
from logagent.held import Held
from logagent.report import TailReport
from tests.fakes.record import RecordingLog

HELD = Held(FileId("/logs", 1, 2), 3, b"a\n.log", set(), 0, 0.0)


class Reported:
    """A report and what comes of it."""

    def __init__(self) -> None:
        self.log = RecordingLog()
        self.metrics = Registry()
        self.report = TailReport("app", "out", self.log, self.metrics)

    def count(self, name: str, *more: str) -> float:
        """A counter."""
        return self.metrics.cell(name, "app", "out", *more).value


def test_reading_is_counted_and_not_logged() -> None:
    """What happens per chunk has no line in the log."""
    r = Reported()
    r.report.read(100)
    r.report.read(20)
    r.report.long_line()
    r.report.discarded(7)
    assert r.count("read_bytes_total") == 120
    assert r.count("truncated_lines_total") == 1
    assert r.count("discarded_bytes_total") == 7
    assert r.log.lines == []


def test_a_truncation_says_where_and_how_much() -> None:
    """One warning with offset and loss; the counters agree, also without a loss."""
    r = Reported()
    r.report.truncated(HELD, 50, 30)
    r.report.truncated(HELD, 60, 0)
    assert r.count("truncations_total") == 2
    assert r.count("lost_bytes_total", "truncated") == 30
    assert [line.level for line in r.log.lines] == ["warning", "warning"]
    assert r.log.lines[0].facts == {
        "path": "/logs/a\\n.log",
        "output": "out",
        "offset": 50,
        "lost_bytes": 30,
    }


def test_a_file_that_vanished_is_an_error_when_something_is_lost() -> None:
    """A file that was delivered and then deleted is no event."""
    r = Reported()
    gone = Generation(
        id=1,
        file=HELD.file,
        input="app",
        path=b"b\x1b.log",
        prefix=NO_GUARD,
        anchor=NO_GUARD,
        position=Position(5),
        seen=9,
    )
    r.report.vanished(gone, 0)
    assert r.log.lines == []
    r.report.vanished(gone, 4)
    (line,) = r.log.lines
    assert (line.level, line.facts["path"], line.facts["lost_bytes"]) == (
        "error",
        "/logs/b\\x1b.log",
        4,
    )
    assert r.count("lost_bytes_total", "deleted") == 4


def test_resumed_and_finished_are_for_information() -> None:
    """Both name the file and the offset."""
    r = Reported()
    r.report.resumed(HELD, 5)
    r.report.finished(HELD, 9)
    assert [(line.level, line.message) for line in r.log.lines] == [
        ("info", "file resumed"),
        ("info", "file finished"),
    ]
    assert (r.log.lines[0].facts["offset"], r.log.lines[1].facts["bytes"]) == (5, 9)


def test_an_attempt_gives_the_result_or_a_warning() -> None:
    """OSError becomes None and a line with the reason; anything else is our bug and goes up."""
    r = Reported()
    assert r.report.attempt(HELD, lambda a, b: a + b, 1, b=2) == 3

    def refuse() -> None:
        raise OSError(errno.EIO, "Input/output error")

    assert r.report.attempt(HELD, refuse) is None
    (line,) = r.log.of("reading a file")
    assert (line.level, line.facts["why"]) == ("warning", "Input/output error")
