"""The times of entries: what Loki orders by, and tells equal lines apart by.

Knows that Loki drops an entry whose time and line are those of another in the stream. Must not know
how an entry is written.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from logagent.codecs.stamps import spell_stamps, spell_times, stamps_of

_END: Final = 48
"""Bytes at the end of a line that are compared first."""


class EntryTimes:
    """Makes the times of one batch's entries."""

    def __init__(self) -> None:
        self._shared = b""
        self._used = 0
        self._last = b"0"

    def spell(self, documents: Sequence[bytes]) -> Sequence[bytes] | range:
        """Nanoseconds of each document, in digits or as a range of numbers.

        All at one time (the time of reading, where lines have none): each a nanosecond later than
        the one before, also over chunks. Lines that say the same at the same time: likewise, and
        all others as they are. Without a time: that of the row in front, so that it is found there;
        the very first of a batch gets 1970, which Loki refuses as too old.
        """
        stamps = stamps_of(documents)
        if stamps is None:
            return self._fill(_apart(spell_times(documents), documents))
        known = spell_stamps(stamps)
        if len(known) == 1 and stamps[0] and known[stamps[0]]:
            return self._consecutive(known[stamps[0]], len(documents))
        times = list(map(known.__getitem__, stamps))
        if len(known) < len(times):
            times = _apart(times, documents)
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


def _apart(times: list[bytes], documents: Sequence[bytes]) -> list[bytes]:
    """Times with which no entry is the same as another."""
    # The end of a line is enough to tell most apart, and has less to hash.
    if len({document[-_END:] for document in documents}) == len(documents):
        return times
    if len(set(documents)) == len(documents):
        return times
    seen: Counter[tuple[bytes, bytes]] = Counter()
    found = []
    for time, document in zip(times, documents, strict=True):
        again = seen[time, document]
        seen[time, document] += 1
        found.append(b"%d" % (int(time) + again) if again and time else time)
    return found
