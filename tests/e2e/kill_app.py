"""The app of the kill loop: a thread that writes numbered lines and rotates, with two old files.

Knows which lines are in which file, and when a rotation may delete one. A file that is deleted
while no process holds it is gone: no agent can deliver what it had not read. So the app deletes an
unread file only while a living agent holds it, and in a time of kills only what is delivered.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from logagent.demo.lines import Lines
from logagent.demo.rotation import RotatingFile

NAME: Final = "app"
KEEP: Final = 2
TICK_S: Final = 0.02
BLOCK_LINES: Final = 1000
TORN_SHARE: Final = 0.2
GAP_S: Final = 10.0
"""How long a rotation may wait, between its renames and the new file, for the kill aimed at it."""


@dataclass(frozen=True)
class Piece:
    """A file: its inode number, and its lines' numbers, [first, next)."""

    inode: int
    first: int
    next: int


class _File(RotatingFile):
    """Calls `between` in each rotation, when the old file is renamed and no new one is made."""

    between: Callable[[], None] | None = None

    def _open(self) -> None:
        if self.between is not None:
            self.between()
        super()._open()

    @property
    def inode(self) -> int:
        return os.fstat(self._fd).st_ino


class App(threading.Thread):
    """Writes until `stop`. `next` is its account: the number of the first line that isn't whole in
    a file.

    `delivered` says whether the lines [first, next) are, `held` whether the agent has an inode
    open.
    """

    def __init__(
        self,
        logs: Path,
        *,
        rate: float,
        rotate_bytes: int,
        seed: int,
        delivered: Callable[[int, int], bool],
        held: Callable[[int], bool],
    ) -> None:
        super().__init__(name="app", daemon=True)
        self.next = 0
        self.rotations = 0
        self.rotating = False
        """Whether it is between the first rename of a rotation and the new file."""
        self.deleted_unread: list[Piece] = []
        """Files that were deleted while lines of theirs weren't delivered."""
        self.in_gap = threading.Event()
        """A rotation that was asked for by `wait_in_gap` waits there."""
        self.seconds = 0.0
        self._rate = rate
        self._rotate_bytes = rotate_bytes
        self._delivered = delivered
        self._held = held
        self._lines = Lines("json", NAME, seed=seed, exotic=True)
        self._chance = random.Random(seed)
        self._file = _File(str(logs), NAME, rotate_bytes=0, keep=KEEP, rotation="rename")
        self._file.between = self._between
        self._pieces: deque[Piece] = deque()
        self._first = 0
        self._written = 0
        self._may_delete_held = False
        self._rule = threading.Lock()
        self._go_on = threading.Event()
        self._wanted_in_gap = False
        self._stop_asked = threading.Event()
        self._fault: BaseException | None = None

    def may_delete_held(self, *, allowed: bool) -> None:
        """Whether unread files may be deleted while the agent holds them. When it returns, no
        rotation under the old rule is under way."""
        with self._rule:
            self._may_delete_held = allowed

    def wait_in_gap(self) -> None:
        """Let the next rotation wait in its middle, until `go_on`."""
        self._go_on.clear()
        self.in_gap.clear()
        self._wanted_in_gap = True

    def go_on(self) -> None:
        """Let it end, whether it has got there or not."""
        self._wanted_in_gap = False
        self._go_on.set()

    def stop(self) -> None:
        """End after whole lines. Raises what has ended it before."""
        self._stop_asked.set()
        self.join()
        if self._fault is not None:
            raise self._fault

    def run(self) -> None:
        """See Thread."""
        try:
            self._run()
        except BaseException as fault:  # noqa: BLE001 (told to who asks it to stop)
            self._fault = fault

    def _run(self) -> None:
        started_at = time.monotonic()
        while not self._stop_asked.is_set():
            self.seconds = time.monotonic() - started_at
            due = min(BLOCK_LINES, int(self.seconds * self._rate) - self.next)
            if due > 0:
                self._write(due)
            with self._rule:
                if self._written >= self._rotate_bytes and self._may_rotate():
                    self._rotate()
            time.sleep(TICK_S)
        self._file.close()

    def _write(self, count: int) -> None:
        data = self._lines.block(count, time.time())
        if self._chance.random() < TORN_SHARE:
            at = self._chance.randrange(1, len(data))
            self._file.append(data[:at])
            time.sleep(0.001)
            data, self._written = data[at:], self._written + at
        self._file.append(data)
        self._written += len(data)
        self.next += count

    def _may_rotate(self) -> bool:
        if len(self._pieces) < KEEP:
            return True
        oldest = self._pieces[0]
        if self._delivered(oldest.first, oldest.next):
            return True
        return self._may_delete_held and self._held(oldest.inode)

    def _rotate(self) -> None:
        if len(self._pieces) == KEEP:
            oldest = self._pieces.popleft()
            if not self._delivered(oldest.first, oldest.next):
                self.deleted_unread.append(oldest)
        self._pieces.append(Piece(self._file.inode, self._first, self.next))
        self.rotating = True
        self._file.rotate()
        self.rotating = False
        self._first, self._written = self.next, 0
        self.rotations += 1

    def _between(self) -> None:
        if self._wanted_in_gap:
            self.in_gap.set()
            self._go_on.wait(GAP_S)
