"""The agent's own log: its lines, and what it leaves out."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Literal

import orjson

from logagent.edge.log import (
    KEYS_MAX,
    LINE_BYTES_MAX,
    MESSAGE_LINES_MAX,
    REPEAT_S,
    Level,
    StderrLog,
)
from logagent.ports import Log


class Fixture:
    """A log with a clock that stands still, and what it wrote."""

    def __init__(self, level: Level = "info", style: Literal["json", "console"] = "json") -> None:
        self.now = 1_795_000_000.1234
        self.lines: list[bytes] = []
        self.log = StderrLog(
            level=level, format=style, write=self.lines.append, clock=lambda: self.now
        )

    def said(self) -> list[dict[str, object]]:
        """The lines, parsed; taken away."""
        said = [orjson.loads(line) for line in self.lines]
        assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in self.lines)
        self.lines.clear()
        return said


def test_it_is_the_port() -> None:
    """StderrLog has the shape that the logic asks for."""
    port: Log = StderrLog()
    assert isinstance(port, StderrLog)


def test_a_line_is_json() -> None:
    """Time in RFC 3339 with milliseconds, level, message, then facts, in that order."""
    it = Fixture()
    it.log.info("file opened", path=b"/var/\xff\n.log", bytes=3, share=0.5, new=True, why=None)
    assert list(it.said()[0].items()) == [
        ("ts", "2026-11-18T11:06:40.123Z"),
        ("level", "info"),
        ("msg", "file opened"),
        ("path", "/var/\\xff\\n.log"),
        ("bytes", 3),
        ("share", 0.5),
        ("new", True),
        ("why", None),
    ]


def test_no_control_character_survives() -> None:
    """Escape sequences, C1 controls and direction marks are escaped, in both formats."""
    evil = "\x1b[31m\x07\x7f\x9b\u202e\u2028\n\r\ud800"
    for style in ("json", "console"):
        it = Fixture(style="json" if style == "json" else "console")
        it.log.warning("odd", output=evil, why=OSError(evil))
        assert len(it.lines) == 1
        assert it.lines[0].decode().removesuffix("\n").isprintable()


def test_facts_cannot_pose_as_the_head() -> None:
    """A fact named like a part of the head doesn't replace it; odd types become text."""
    it = Fixture()
    it.log.info("real", level="fake", ts=1, big=1 << 70, odd={"a"})
    said = it.said()[0]
    assert (said["level"], said["msg"], said["ts"]) == ("info", "real", "2026-11-18T11:06:40.123Z")
    assert (said["big"], said["odd"]) == (str(1 << 70), "{'a'}")


def test_levels_filter() -> None:
    """What is below the level isn't written; errors always are."""

    def check(level: Level, expected: list[str]) -> None:
        it = Fixture(level)
        it.log.debug("a")
        it.log.info("b")
        it.log.warning("c")
        it.log.error("d")
        assert [line["level"] for line in it.said()] == expected

    check("debug", ["debug", "info", "warning", "error"])
    check("info", ["info", "warning", "error"])
    check("warning", ["warning", "error"])
    check("error", ["error"])


def test_repeats_are_held_back_and_counted() -> None:
    """The same warning about the same thing comes once a minute, with how many were held back;
    another thing, or another level, is another event."""
    it = Fixture()
    for _ in range(5):
        it.log.warning("sink refused", output="search", attempt=_)
        it.log.warning("sink refused", output="audit")
        it.log.error("sink refused", output="search")
    assert len(it.said()) == 3
    it.now += REPEAT_S - 1
    it.log.warning("sink refused", output="search")
    assert it.said() == []
    it.now += 1
    it.log.warning("sink refused", output="search")
    it.log.warning("sink refused", output="audit")
    assert [line["suppressed"] for line in it.said()] == [5, 4]
    it.now += REPEAT_S
    it.log.warning("sink refused", output="search")
    assert "suppressed" not in it.said()[0]


def test_a_storm_of_different_facts_is_bounded() -> None:
    """One message about ten thousand paths is written a few times a minute, whatever its level,
    and what is remembered is bounded."""
    for level in ("info", "warning"):
        it = Fixture()
        for number in range(10_000):
            getattr(it.log, level)("file opened", path=f"/x/{number}")
        assert len(it.said()) == MESSAGE_LINES_MAX
        assert len(it.log._keys) <= KEYS_MAX
        it.now += REPEAT_S
        it.log.info("file opened", path="/y")
        assert it.said()[0]["suppressed"] == 10_000 - MESSAGE_LINES_MAX


def test_a_clock_that_goes_back_does_not_silence() -> None:
    """After the clock was set back an hour, events are written as if the minute were over."""
    it = Fixture()
    it.log.warning("a")
    it.now -= 3600
    it.log.warning("a")
    assert len(it.said()) == 2


def test_close_tells_what_was_held_back() -> None:
    """At the end one line says how many were never told; nothing is said when there were none."""
    it = Fixture()
    it.log.close()
    assert it.lines == []
    for _ in range(4):
        it.log.error("stuck")
    it.said()
    it.log.close()
    assert it.said()[0]["suppressed"] == 3


def test_lines_fit_a_pipe() -> None:
    """A long fact is shortened; a line of too many facts keeps its message."""
    it = Fixture()
    it.log.info("long", path="x" * 10_000)
    it.log.info("many", **{f"fact{number}": "y" * 200 for number in range(50)})
    assert all(len(line) <= LINE_BYTES_MAX for line in it.lines)
    assert [line["msg"] for line in it.said()] == ["long", "many"]


def test_console_lines_are_for_people() -> None:
    """Time, level, message and facts, quoted where they need it."""
    it = Fixture(style="console")
    it.log.warning("sink refused", output="search", why="no route", count=3)
    assert it.lines == [
        b'11:06:40.123 warning sink refused  output=search  why="no route"  count=3\n'
    ]


def test_a_full_stderr_blocks_nobody() -> None:
    """With nobody reading stderr the log drops lines, counts them and goes on."""
    code = (
        "import sys\n"
        "from logagent.edge.log import StderrLog\n"
        "now = [0.0]\n"
        "log = StderrLog(clock=lambda: now[0])\n"
        "for n in range(2000):\n"
        "    now[0] += 61.0\n"
        "    log.warning('x', path='y' * 290)\n"
        "sys.stdout.write(str(log.dropped))\n"
    )
    source, target = os.pipe()
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=target)
    os.close(target)
    out, _ = child.communicate(timeout=60)
    os.close(source)
    assert int(out) > 1000
