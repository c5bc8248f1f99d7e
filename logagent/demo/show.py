"""What the demo says on the terminal: one line that changes, notes above it, the sums at the end.

Knows words and the terminal. Must not know processes or files.
"""

import time
from collections.abc import Mapping
from typing import Final, NamedTuple, TextIO

EVERY_S: Final = 2.0
"""How often a line is printed where it can't be updated in place."""

NOTES: Final[Mapping[str, str]] = {
    "status": "the server is too busy and answers 503: the agent waits, then sends again",
    "cut_request": "a connection broke in the middle of a batch: the agent sends it again",
    "lose_reply": "a batch was stored, but the reply got lost: the agent sends it again, and the"
    " ids tell the server that it has those lines",
}
"""What to say when a fault of the script happens for the first time."""


class Sums(NamedTuple):
    """The result of a demo; counts are lines."""

    written: int
    delivered: int
    lost: int
    doubled: int
    refused_copies: int
    """Rows that came again and were recognised by their id."""
    rotations: int
    wire_bytes: int
    raw_bytes: int
    cpu_s: float
    peak_rss_bytes: int


class Screen:
    """A terminal, or a file that gets a line now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._tty = out.isatty()
        self._unfinished = False
        """The line that changes is on the screen."""
        self._told: set[str] = set()
        self._started_at = time.monotonic()
        self._last_at = self._started_at - EVERY_S

    def say(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        print(text, file=self._out, flush=True)

    def note(self, faults: Mapping[str, int]) -> None:
        """Say in plain words which faults happened since the last time."""
        for name in faults:
            if name not in self._told:
                self._told.add(name)
                elapsed_s = time.monotonic() - self._started_at
                self.say(f"{elapsed_s:5.1f} s  ! {NOTES.get(name, name)}")

    def progress(self, written: int, delivered: int) -> None:
        """The line that changes."""
        now = time.monotonic()
        if not self._tty and now - self._last_at < EVERY_S:
            return
        self._last_at = now
        text = (
            f"{now - self._started_at:5.1f} s    written {written:>11,}   delivered "
            f"{delivered:>11,}   behind {max(0, written - delivered):>9,} lines"
        )
        if self._tty:
            print(f"\r{text}\x1b[K", end="", file=self._out, flush=True)
            self._unfinished = True
        else:
            print(text, file=self._out, flush=True)

    def sums(self, sums: Sums) -> None:
        """The sums; the last line is for programs too."""
        pace = sums.delivered / sums.cpu_s if sums.cpu_s else 0.0
        ratio = sums.raw_bytes / sums.wire_bytes if sums.wire_bytes else 0.0
        self.say("")
        for name, text in (
            ("written", f"{sums.written:,} lines, files rotated {sums.rotations} times"),
            ("delivered", f"{sums.delivered:,} lines"),
            ("sent again", f"{sums.refused_copies:,} lines were there already; stored once"),
            ("on the wire", f"{sums.wire_bytes / 1e6:,.1f} MB, compressed {ratio:.1f} times"),
            ("the agent", f"{sums.cpu_s:.2f} s of CPU, {pace:,.0f} lines per CPU-second"),
            ("", f"{sums.peak_rss_bytes / 2**20:.1f} MiB of memory at its peak"),
        ):
            self.say(f"  {name:<12} {text}")
        self.say(f"lost {sums.lost} duplicated {sums.doubled}")

    def _clear(self) -> None:
        if self._unfinished:
            print("\r\x1b[K", end="", file=self._out)
        self._unfinished = False
