"""Which of a writer's numbered lines arrived, and how often.

Knows the numbers that the demo's writer puts into each line, never document ids: what is lost or
doubled is told by the line itself. Must not know how documents arrive.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

import orjson

NUMBER_MAX: Final = 1 << 28
"""Numbers from here on are not counted: one byte is kept for each number below the highest seen,
so this bounds the memory to 256 MiB a writer whatever a line says."""

SHOWN: Final = 20
"""Ranges and numbers that a comparison lists; the rest is only counted."""

IN_TEXT: Final = re.compile(r"seq=(\d+) writer=(\S+)")


class Comparison(NamedTuple):
    """What became of the numbers [first, next) of one writer."""

    written: int
    delivered: int
    """Distinct numbers that arrived."""
    lost: int
    doubled: int
    """Numbers that arrived more than once."""
    lost_ranges: list[tuple[int, int]]
    """The first few gaps, each [from, to)."""
    doubled_numbers: list[int]


def number_of(document: object) -> tuple[str, int] | None:
    """The writer and number inside a decoded document: top-level `writer` and `seq`, the text
    form inside `message`, or the JSON form inside `message` (a wrapped row). None = no number."""
    if not isinstance(document, dict):
        return None
    seq, writer = document.get("seq"), document.get("writer")
    if isinstance(seq, int) and isinstance(writer, str):
        return writer, seq
    message = document.get("message")
    if not isinstance(message, str):
        return None
    found = IN_TEXT.search(message)
    if found is not None:
        return found[2], int(found[1])
    if message.startswith("{"):
        try:
            return number_of(orjson.loads(message))
        except (orjson.JSONDecodeError, RecursionError):
            return None
    return None


def is_partial(document: object) -> bool:
    """Whether the agent marked this document as a line without its end."""
    if not isinstance(document, dict):
        return False
    if document.get("logagent.partial"):
        return True
    own = document.get("logagent")
    return isinstance(own, dict) and bool(own.get("partial"))


class Ledger:
    """Copies of each number, by writer. One byte a number, so a million lines cost a megabyte."""

    def __init__(self) -> None:
        self._copies: dict[str, bytearray] = {}
        self._partial: dict[str, set[int]] = {}
        self._rows: Counter[str] = Counter()
        self.unnumbered = 0
        """Documents without a usable number."""

    def add(self, document: object) -> None:
        """Count one decoded document that was stored.

        A line that the agent sent without its end is sent whole later, so it is no copy: it only
        keeps its number from being lost.
        """
        found = number_of(document)
        if found is None or not 0 <= found[1] < NUMBER_MAX:
            self.unnumbered += 1
            return
        writer, seq = found
        if is_partial(document):
            self._partial.setdefault(writer, set()).add(seq)
            return
        copies = self._copies.get(writer)
        if copies is None:
            copies = self._copies[writer] = bytearray()
        if seq >= len(copies):
            copies.extend(bytes(seq + 1024 - len(copies)))
        self._rows[writer] += 1
        if copies[seq] < 255:
            copies[seq] += 1

    def compare(self, writer: str, first: int, next_: int) -> Comparison:
        """Hold what arrived against what `writer` says it wrote: numbers [first, next_)."""
        seen = bytearray(self._copies.get(writer, b"")[:next_])
        seen.extend(bytes(max(0, next_ - len(seen))))
        for seq in self._partial.get(writer, ()):
            if seq < next_ and not seen[seq]:
                seen[seq] = 1
        written = max(0, next_ - first)
        lost = seen.count(0, first)
        doubled = written - lost - seen.count(1, first)
        many = (seq for seq in range(first, next_) if seen[seq] > 1) if doubled else iter(())
        return Comparison(
            written,
            written - lost,
            lost,
            doubled,
            list(islice(_gaps(seen, first), SHOWN)),
            list(islice(many, SHOWN)),
        )

    def summary(self) -> dict[str, object]:
        """Per writer: distinct numbers, rows, numbers that came more than once, the highest number
        plus one, numbers that came only as a partial line."""
        writers: dict[str, object] = {}
        for writer in sorted(self._copies.keys() | self._partial.keys()):
            copies = self._copies.get(writer, bytearray())
            distinct = len(copies) - copies.count(0)
            writers[writer] = {
                "distinct": distinct,
                "rows": self._rows[writer],
                "doubled": distinct - copies.count(1),
                "next": len(copies.rstrip(b"\0")),
                "partial": len(self._partial.get(writer, ())),
            }
        return {"writers": writers, "unnumbered": self.unnumbered}


def _gaps(seen: bytearray, first: int) -> Iterator[tuple[int, int]]:
    """The ranges of numbers from `first` on that never came."""
    start = seen.find(0, first)
    while start >= 0:
        end = start + 1
        while end < len(seen) and not seen[end]:
            end += 1
        yield start, end
        start = seen.find(0, end)
