"""The `@timestamp` of documents in milliseconds, as Kafka's records carry it.

Knows where the render puts a time, and how most of them look; `columns` reads all others. Must not
know a record.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from logagent.codecs.columns import documents_of, times_ns, to_ns

_NAME: Final = b'"@timestamp":"'
_POINT: Final = len(_NAME) + len("2026-11-24T10:11:12")
_MS_NS: Final = 1_000_000
_LAST_HOUR: Final = 70_389_527


class Times(NamedTuple):
    """When rows happened, in milliseconds since 1970: `known` says it of each row's mark, and of no
    other. Marks are what is cheap to take out of a row and often the same."""

    marks: Sequence[Hashable]
    known: Mapping[Hashable, int]

    def first(self) -> int:
        """The first row's."""
        return self.known[self.marks[0]]

    def highest(self) -> int:
        """The latest."""
        return max(self.known.values())

    def part(self, low: int, high: int) -> "Times":
        """Those of consecutive rows."""
        return self.pick(range(low, high))

    def pick(self, rows: Sequence[int]) -> "Times":
        """Those of some rows, in this order."""
        marks = [self.marks[row] for row in rows]
        return Times(marks, {mark: self.known[mark] for mark in set(marks)})

    def each(self) -> list[int]:
        """A number a row."""
        return list(map(self.known.__getitem__, self.marks))


def read_times(documents: Sequence[bytes], now_ns: int, lead: int = 1) -> Times:
    """The time of each document; now for one without.

    lead: where the app's own keys start in a document that has the agent's metadata in front of
    them. 105 ns a row when each has its time at its start (what the agent writes) or there (what
    most apps write), all in one form: a time is read once however many rows have it. Else 1.2 µs.
    """
    for start in (1, lead):
        if documents[0].startswith(_NAME, start):
            end = documents[0].find(b'"', start + len(_NAME)) + 1
            heads = list(map(itemgetter(slice(start, end)), documents))
            known = _heads_ms(set(heads))
            if min(known.values()) >= 0:
                return Times(heads, known)
    read = times_ns(documents_of(documents), len(documents), now_ns)
    each = [max(0, time // _MS_NS) for time in read.column(len(documents))]
    return Times(each, {time: time for time in set(each)})


def spell_hour(hour: int) -> str:
    """Hours since 1970 as names have them, `2026-11-24T10`; the last of the year 9999 at most."""
    moment = datetime.fromtimestamp(min(hour, _LAST_HOUR) * 3600, UTC)
    return f"{moment:%Y-%m-%dT%H}"


def _heads_ms(heads: Iterable[bytes]) -> dict[Hashable, int]:
    """The times of members `"@timestamp":"…"`; -1 of another, or one not in a usual form."""
    known: dict[Hashable, int] = {}
    millis = _millis()
    for head in heads:
        # Most have milliseconds: both parts are looked up, and what isn't found has another form.
        milli = millis.get(head[_POINT:])
        if milli is None or (second := _start_ms(head[:_POINT])) < 0:
            known[head] = _head_ms(head)
        else:
            known[head] = second + milli
    return known


def _head_ms(head: bytes) -> int:
    if not head.startswith(_NAME) or head[-1:] != b'"' or head.count(b'"') != 4:
        return -1
    return to_ns(head[len(_NAME) : -1].decode("ascii", "replace"), -1) // _MS_NS


@lru_cache(maxsize=256)
def _start_ms(start: bytes) -> int:
    """The start of a second, `"@timestamp":"2026-11-24T10:11:12`, in UTC; -1 if it isn't one."""
    return _head_ms(start + b'Z"')


@lru_cache(maxsize=1)
def _millis() -> dict[bytes, int]:
    """What follows a second."""
    return {b'.%03dZ"' % milli: milli for milli in range(1000)}
