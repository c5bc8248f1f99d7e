"""Sends an output's dead letters again, on the path of all rows, and empties what was delivered.

Knows letters, segments and when a part of one is done. Must not know options, files or a protocol.
Rows go through `delivery`, the only retry loop; what is refused again becomes a new letter.

One batch at a time: what is delivered is noted (durably) before the next is sent, so a replay that
is killed sends at most that batch twice. With event ids the sink finds those copies.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from itertools import groupby
from typing import Final, NamedTuple, Protocol
from zlib import crc32

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from logagent.codecs.columns import SECOND_NS, times_ns, to_ns
from logagent.core.chunk import Batch, Codec, Frame, Origin, Share, Ticket
from logagent.core.deadletter import (
    DeadLetter,
    Place,
    Segment,
    Sought,
    decode,
    event_id,
    is_sendable,
)
from logagent.core.files import NO_GUARD, START, Position
from logagent.core.ledger import Ledger
from logagent.delivery import Delivery
from logagent.ports import Clock, Log

ORIGINS_MAX: Final = 1000
_NO_TIME: Final = -1
_GENERATION: Final = 0
"""The ledger's name for the letters of this run; positions in it are counts of rows."""


class Letters(Protocol):
    """One output's letters on disk, as `edge.segments.Claims` has them. All raise OSError."""

    def segments(self) -> list[Segment]:
        """All segments as they are now, those that a replay has begun with first."""

    def claim(self, segment: Segment) -> Segment | None:
        """Take a segment, so that nobody else changes it; None when it is gone."""

    def read(self, segment: Segment, offset: int, size: int) -> bytes:
        """Whole lines at `offset`, at least one; b"" at the end."""

    def advance(self, segment: Segment, done: int) -> Segment | None:
        """So many bytes of a segment are delivered; durable."""

    def remove(self, segment: Segment) -> None:
        """All of a segment is delivered."""

    def keep(self, lines: bytes) -> None:
        """Put lines that weren't asked for into a new segment."""

    def set_aside(self, lines: bytes) -> None:
        """Put lines that are no letters where they are in nobody's way."""


class Tally(Struct):
    """What a replay has done: letters that were sent until they were final, kept because they are
    older than asked for, or unreadable."""

    sent: int = 0
    kept: int = 0
    unreadable: int = 0


class Pile:
    """The letters of the batch under way, by the ledger's keys."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.ledger.begin(_GENERATION, START, NO_GUARD)
        self._letters: dict[int, list[DeadLetter]] = {}
        self._rows = 0

    def add(self, letters: list[DeadLetter]) -> int:
        """Open a ticket for letters; its key."""
        start, self._rows = self._rows, self._rows + len(letters)
        ticket = Ticket(_GENERATION, start, Position(self._rows), NO_GUARD, len(letters))
        key = self.ledger.open(ticket)
        self._letters[key] = letters
        return key

    def clear(self) -> None:
        """The batch is final."""
        assert not self.ledger.open_rows, "what is delivered is settled"
        self._letters.clear()

    def locate(self, key: int, rows: Sequence[Sought]) -> list[Place]:
        """What the letters themselves say; see `core.deadletter.Locate`."""
        letters = self._letters[key]
        return [_place(letters[row.number]) for row in rows]


class _Sorted(NamedTuple):
    """What is in some lines: letters to send, lines to keep, lines that are no letters."""

    letters: list[DeadLetter]
    kept: list[bytes]
    unreadable: list[bytes]


class Replay:
    """One output's letters, sent again once."""

    def __init__(
        self,
        output: str,
        letters: Letters,
        pile: Pile,
        delivery: Delivery,
        *,
        codec: Codec,
        origin: Callable[[DeadLetter], Origin],
        batch_bytes: int,
        clock: Clock,
        log: Log,
    ) -> None:
        self._output = output
        self._letters = letters
        self._pile = pile
        self._delivery = delivery
        self._codec = codec
        self._new_origin = origin
        self._batch_bytes = batch_bytes
        self._clock = clock
        self._log = log
        self._origins: dict[tuple[str, str, int], Origin] = {}
        self.tally = Tally()
        self.stopping = False
        """Set from outside: end when the batch under way is final."""

    async def run(self, since: str = "") -> None:
        """Send the letters that are there now, of `since` (RFC 3339, as letters have it) and later.
        Letters that come meanwhile stay for the next run. Raises OSError."""
        for segment in self._letters.segments():
            if self.stopping:
                return
            if segment.is_claimed or self._wants(segment, since):
                claimed = self._letters.claim(segment)
                if claimed is not None:
                    await self._replay(claimed, since)

    async def _replay(self, segment: Segment, since: str) -> None:
        """Send a claimed segment from where the last replay left it, and remove it."""
        while lines := self._letters.read(segment, segment.done, self._batch_bytes):
            if self.stopping:
                return
            found = sort_lines(lines, since, segment.done)
            if found.letters:
                await self._delivery.deliver(self._pack(found.letters))
                self._pile.clear()
            if found.kept:
                self._letters.keep(b"".join(found.kept))
            if found.unreadable:
                text = "lines that are no dead letters are set aside"
                self._log.error(text, output=self._output, lines=len(found.unreadable))
                self._letters.set_aside(b"".join(found.unreadable))
            advanced = self._letters.advance(segment, segment.done + len(lines))
            assert advanced is not None, "nobody else touches a claimed segment"
            segment = advanced
            self.tally.sent += len(found.letters)
            self.tally.kept += len(found.kept)
            self.tally.unreadable += len(found.unreadable)
        self._letters.remove(segment)

    def _wants(self, segment: Segment, since: str) -> bool:
        """Whether any letter of a segment was asked for; one without is left as it is."""
        if not since:
            return True
        at = 0
        while lines := self._letters.read(segment, at, self._batch_bytes):
            if sort_lines(lines, since).letters:
                return True
            at += len(lines)
        return False

    def _pack(self, letters: list[DeadLetter]) -> Batch:
        """A batch of letters, in their order: framed as the renderer would frame them."""
        packer = self._codec.packer()
        now = self._clock()
        shares = []
        for key, group in groupby(
            letters, key=lambda each: (each.input, each.file, each.generation)
        ):
            members = list(group)
            origin = self._origin(key, members[0])
            packer.add(frame_rows(self._codec.frame(origin), members, now), origin)
            shares.append(Share(self._pile.add(members), len(members), origin))
        return Batch(packer.close(len(letters)), tuple(shares))

    def _origin(self, key: tuple[str, str, int], letter: DeadLetter) -> Origin:
        origin = self._origins.get(key)
        if origin is None:
            if len(self._origins) >= ORIGINS_MAX:
                self._origins.clear()
            origin = self._origins[key] = self._new_origin(letter)
        return origin


def sort_lines(lines: bytes, since: str, offset: int = 0) -> _Sorted:
    """Decode lines, and choose those of `since` and later ("" = all).

    A letter without an event id gets one made of `offset` and its bytes: the same whenever this
    file is read, and another for each letter.
    """
    found = _Sorted([], [], [])
    end = offset
    for line in BytesIO(lines):
        start, end = end, end + len(line)
        try:
            letter = decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            found.unreadable.append(line)
            continue
        if not is_sendable(letter):
            found.unreadable.append(line)
        elif letter.time < since:
            found.kept.append(line)
        elif event_id(letter):
            found.letters.append(letter)
        else:
            found.letters.append(replace(letter, id=f"letter-{start:x}-{crc32(line):08x}"))
    return found


def frame_rows(frame: Frame, letters: Sequence[DeadLetter], now: float) -> bytes:
    """The wire rows of letters of one origin, as the renderer makes them.

    With dates in the frame's head a row goes where its document's own time says; what has none, or
    a time that can't be read, where the letter's does, so that a second replay on another day has
    the same index for the same id; `now` for a letter whose own time can't be read.
    """
    documents = [letter.document.encode("utf-8", "replace") for letter in letters]
    if frame.dated is None:
        heads: Iterable[bytes] = [frame.head] * len(letters)
    else:
        lines = b"\n".join(documents) + b"\n"
        times = times_ns(lines, len(letters), _NO_TIME).column(len(letters))
        now_ns = int(now * SECOND_NS)
        hours = [
            _hour(to_ns(letter.time, now_ns) if ns == _NO_TIME else ns)
            for letter, ns in zip(letters, times, strict=True)
        ]
        dated = {hour: frame.dated(hour) for hour in set(hours)}
        heads = [dated[hour] for hour in hours]
    rows = []
    for letter, head, document in zip(letters, heads, documents, strict=True):
        spelled = event_id(letter).encode() + frame.middle if frame.middle else b""
        rows.append(b"%b%b%b%b" % (head, spelled, document, frame.tail))
    return b"".join(rows)


def _hour(ns: int) -> str:
    try:
        return datetime.fromtimestamp(ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H")
    except (ValueError, OverflowError, OSError):
        return "1970-01-01T00"


def _place(letter: DeadLetter) -> Place:
    """Where a letter says that its row is."""
    return Place(
        event_id(letter),
        letter.generation,
        letter.offset,
        letter.length,
        exact=letter.exact,
        buried=letter.attempts,
    )
