"""Which bytes of which file an output owes: what its process could reach.

A size counts when a scan saw it and could tell whose it is, or when the output took what it read.
Two contents of one file between which no look fell are one to any scanner: what was written and
truncated between two looks is nobody's (the documented window). When a process dies it owes of
what is gone only what a durable checkpoint promised to count.
"""

from __future__ import annotations

from collections import Counter
from zlib import crc32

from logagent.core.files import Generation
from tests.sim.fs import Disk, Inode, Life


class Owed:
    """One output's debts."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[int, int]] = Counter()
        """Lost bytes as the agent counted them, by inode number and birth time."""
        self._floor: dict[Life, int] = {}
        """What durable checkpoints promise."""
        self._wanted: set[tuple[int, int]] = set()
        self._sequence = 0
        self._scans: dict[Life, int] = {}
        self._taken: dict[Life, int] = {}
        self._known: set[Life] = set()
        """Contents of which the agent knows that they are not the one before."""
        self._guarded: set[Life] = set()
        """Contents whose head the output has read: it will notice when it changes."""
        self._end_seen: set[Life] = set()
        """Contents of which a scan saw that they ended."""
        self._finished: set[Inode] = set()
        self._last: dict[Inode, tuple[Life, int]] = {}
        self._step: list[Life] = []

    def loading(self, sequence: int, files: set[tuple[int, int]]) -> None:
        """The process found a slot with these files."""
        if sequence > self._sequence:
            self._sequence, self._wanted = sequence, files

    def scanned(self, inode: Inode, size: int, *, matches: bool) -> None:
        """A scan saw a size of an open file. matches: its name belongs to the input; of others an
        output reads only those that its checkpoint knows."""
        if not matches and inode.file not in self._wanted and inode not in self._last:
            self._finished.add(inode)
        if inode in self._finished:
            return
        life = inode.life
        last = self._last.get(inode)
        if last is None:
            self._known.add(life)
        elif last[0] is not life and size < last[1]:
            self._known.add(life)
            self._end_seen.add(last[0])
        self._last[inode] = (life, size)
        self._scans[life] = max(self._scans.get(life, 0), size)

    def read(self, life: Life, offset: int, size: int) -> None:
        """Bytes were read. Whether a head that was read is used shows at the step's end."""
        if offset == 0 and size:
            self._step.append(life)

    def taken(self, life: Life, end: int) -> None:
        """What was read up to `end` is on its way."""
        self._taken[life] = max(self._taken.get(life, 0), end)

    def refused(self, file: tuple[int, int]) -> None:
        """A read failed, or showed that the file is another: the step's other reads of the file
        are thrown away with it."""
        self._step = [life for life in self._step if life.inode.file != file]

    def step(self) -> None:
        """What was read in this step and is still there is known; what was truncated meanwhile
        fell into the window."""
        self._guarded.update(life for life in self._step if life.inode.life is life)
        self._step.clear()

    def finished(self, file: tuple[int, int]) -> None:
        """The output has given back a file without a name: what is written later is nobody's."""
        self._finished.update(inode for inode in self._last if inode.file == file)

    def durable(self, life: Life, seen: int) -> None:
        """A durable checkpoint says how much was seen."""
        self._floor[life] = max(self._floor.get(life, 0), min(seen, len(life.data)))

    def process_ended(self) -> None:
        """All that wasn't durable is forgotten."""
        self._scans.clear()
        self._taken.clear()
        self._known.clear()
        self._guarded.clear()
        self._end_seen.clear()
        self._last.clear()
        self._finished.clear()
        self._wanted = set()
        self._sequence = 0
        self._step.clear()

    def size_of(self, life: Life) -> int:
        """How many bytes of a content are owed."""
        owed = max(self._floor.get(life, 0), self._taken.get(life, 0))
        if life in self._guarded or (
            life in self._known and (life in self._end_seen or life.inode.life is life)
        ):
            owed = max(owed, self._scans.get(life, 0))
        return owed


def matching(disk: Disk, generation: Generation) -> Life | None:
    """The content that a generation's guards fit, the newest first."""
    file = generation.file
    for inode in reversed(disk.by_id.get((file.ino, file.birth_ns), [])):
        for life in reversed(inode.lives):
            if _holds(life, generation):
                return life
    return None


def _holds(life: Life, generation: Generation) -> bool:
    prefix, anchor, offset = generation.prefix, generation.anchor, generation.position.offset
    head = bytes(life.data[: prefix.length])
    before = bytes(life.data[offset - anchor.length : offset])
    return prefix.holds(head) and len(before) == anchor.length and crc32(before) == anchor.crc
