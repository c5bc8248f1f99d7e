"""The times of entries: what Loki orders by, and tells equal lines apart by.

Knows that Loki drops an entry whose time and line are those of another in the stream. Must not know
how an entry is written.
"""

from collections.abc import Sequence
from typing import Final

from logagent.codecs.stamps import spell_stamps, spell_times, stamps_of

_END: Final = 48
"""Bytes at the end of a line that are compared first."""


class EntryTimes:
    """Makes the times of one output's entries, batch after batch."""

    def __init__(self) -> None:
        self._shared = b""
        self._used = 0
        self._last = b"0"

    def spell(
        self, documents: Sequence[bytes], lines: Sequence[bytes] | Sequence[str] = ()
    ) -> Sequence[bytes] | range:
        """Nanoseconds of each document, in digits or as a range of numbers. lines: the entries',
        where these aren't the documents.

        All at one time (the time of reading, where lines have none): each a nanosecond later than
        the one before, also over chunks and batches. Lines that say the same at the same time:
        likewise, and all others as they are. Without a time: that of the row in front, so that it
        is found there; the very first gets 1970, which Loki refuses as too old.
        """
        stamps = stamps_of(documents)
        if stamps is None:
            return self._fill(_apart(spell_times(documents), lines or documents))
        known = spell_stamps(stamps)
        if len(known) == 1 and stamps[0] and known[stamps[0]]:
            return self._consecutive(known[stamps[0]], len(documents))
        times = list(map(known.__getitem__, stamps))
        if len(known) < len(times):
            times = _apart(times, lines or documents)
        return self._fill(times)

    def _consecutive(self, shared: bytes, count: int) -> range:
        self._used = self._used if shared == self._shared else 0
        self._shared = shared
        first = int(shared) + self._used
        self._used += count
        self._last = shared
        return range(first, first + count)

    def _fill(self, times: list[bytes]) -> Sequence[bytes]:
        if b"" in times:
            for row, time in enumerate(times):
                self._last = times[row] = time or self._last
        self._last = times[-1]
        return times


def _apart(times: list[bytes], lines: Sequence[bytes] | Sequence[str]) -> list[bytes]:
    """Times with which no entry is the same as another."""
    # The end of a line is enough to tell most apart, and has less to hash.
    if len({line[-_END:] for line in lines}) == len(lines):
        return times
    if len(set(lines)) == len(lines):
        return times
    seen: dict[tuple[bytes, object], int] = {}
    found = []
    for time, line in zip(times, lines, strict=True):
        entry = time
        while time and (entry, line) in seen:
            seen[time, line] += 1
            entry = b"%d" % (int(time) + seen[time, line])
        seen[entry, line] = 0
        found.append(entry)
    return found
