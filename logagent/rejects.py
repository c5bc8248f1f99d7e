"""What becomes of rows that a sink will never take as they are: wrapped, dropped, or dead letters.

Knows the user's choice and the order of what is tried. Must not send anything.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import accumulate, groupby
from typing import Literal, NamedTuple

from msgspec import Struct

from logagent.core.chunk import Codec, Rejection, Share, Wrapper
from logagent.core.deadletter import Burier, DeadLetter, Locate, Sought, decode, encode, letter
from logagent.core.metrics import Registry
from logagent.core.retry import backoff_s
from logagent.ports import Clock, Journal, Log

OnReject = Literal["wrap", "dead_letter", "drop", "block"]


class Lot(NamedTuple):
    """The rows of one request, and which rows of their batch these are (`numbers`).

    shares: of the whole batch. wraps: how often the rows were wrapped. dead: they are letters.
    """

    rows: Sequence[bytes]
    numbers: Sequence[int]
    shares: tuple[Share, ...]
    wraps: int = 0
    dead: bool = False


class OnceMore(NamedTuple):
    """Rows to be sent again in another form, by their index in the lot: `dead` ones as letters to
    a place for dead letters."""

    wrapped: dict[int, bytes]
    dead: dict[int, bytes]


class Undertaking(Struct, frozen=True):
    """Where an output's letters go, and how what is in them is found out.

    burier: if there is a place for them on the server, with `journal` as the last resort. event_id:
    how a row's id is read out of the row, for sinks whose rows carry it.
    """

    journal: Journal
    locate: Locate
    burier: Burier | None = None
    event_id: Callable[[bytes], bytes] | None = None


class _Found(NamedTuple):
    """A refused row: its share, and its number in that share's ticket."""

    share: Share
    number: int
    rejection: Rejection


class Rejects:
    """Makes one output's rejected rows final."""

    def __init__(
        self,
        output: str,
        policy: OnReject,
        codec: Codec,
        undertaking: Undertaking,
        *,
        wrapper: Wrapper | None,
        retry_max_s: float,
        clock: Clock,
        jitter: Callable[[], float],
        log: Log,
        metrics: Registry,
    ) -> None:
        self._output = output
        self._policy = policy
        self._codec = codec
        self._undertaking = undertaking
        self._wrapper = wrapper if policy == "wrap" else None
        self._retry_max_s = retry_max_s
        self._clock = clock
        self._jitter = jitter
        self._log = log
        self._metrics = metrics

    async def settle(self, lot: Lot, rejected: Sequence[Rejection]) -> OnceMore:
        """Do with rejected rows what the user wants; returns those to be sent again.

        rejected: in the order of the rows. When it returns, all others are final: letters in the
        journal are durable.
        """
        wrapped: dict[int, bytes] = {}
        dead: dict[int, bytes] = {}
        if not rejected:
            return OnceMore(wrapped, dead)
        bury: list[_Found] = []
        wrapper = None if lot.dead or lot.wraps > 1 else self._wrapper
        for found in _whose(lot, rejected):
            at, kind = found.rejection.row, found.rejection.kind
            if wrapper and kind != "too_large" and lot.wraps == 0:
                metadata = found.share.origin.metadata
                wrapped[at] = wrapper.wrap(lot.rows[at], metadata, kind=kind, now=self._now())
            elif wrapper and kind != "too_large":
                wrapped[at] = wrapper.bare(lot.rows[at])
            elif self._policy == "drop":
                self._outcome("dropped", 1)
            else:
                bury.append(found)
        self._tell(rejected, wrapped=bool(wrapped), dead=lot.dead)
        self._metrics.cell("wrapped_rows_total", self._output).value += len(wrapped)
        burier = self._undertaking.burier
        if bury and burier is not None and not lot.dead:
            letters = await self._letters(lot, bury)
            for found, each in zip(bury, letters, strict=True):
                dead[found.rejection.row] = burier.to_dead(each)
        elif bury:
            await self._bury(await self._letters(lot, bury))
        return OnceMore(wrapped, dead)

    def _tell(self, rejected: Sequence[Rejection], *, wrapped: bool, dead: bool) -> None:
        """One line for each kind of refusal, without what was refused."""
        text = "dead letters were rejected" if dead else "rows were rejected"
        for kind, status in {(r.kind, r.status): None for r in rejected}:
            count = sum(1 for r in rejected if (r.kind, r.status) == (kind, status))
            self._log.warning(
                text, output=self._output, kind=kind, status=status, rows=count, wrapped=wrapped
            )

    async def _letters(self, lot: Lot, bury: list[_Found]) -> list[DeadLetter]:
        """The letters of refused rows, in their order; those of a ticket are located at once."""
        if lot.dead:  # the place for dead letters doesn't take these
            return [decode(self._codec.document(lot.rows[each.rejection.row])) for each in bury]
        now = self._now()
        letters: list[DeadLetter] = []
        event_id = self._undertaking.event_id or _no_id
        for key, group in groupby(bury, key=lambda found: found.share.key):
            members = list(group)
            sought = [Sought(f.number, event_id(lot.rows[f.rejection.row])) for f in members]
            places = self._undertaking.locate(key, sought)
            for found, place in zip(members, places, strict=True):
                document = self._document(lot, found.rejection.row)
                origin = found.share.origin
                letters.append(
                    letter(document, found.rejection, origin, place, output=self._output, time=now)
                )
            await asyncio.sleep(0)  # a ticket may have been read again: the others have their turn
        return letters

    def _document(self, lot: Lot, row: int) -> bytes:
        """A row's document as it was before it was wrapped."""
        if lot.wraps and self._wrapper is not None:
            return self._wrapper.unwrap(lot.rows[row])
        return self._codec.document(lot.rows[row])

    async def _bury(self, letters: list[DeadLetter]) -> None:
        """Write dead letters; a letter that can't be written leaves its row unsettled."""
        data = encode(letters)
        attempt = 0
        while True:
            try:
                await self._undertaking.journal.append(data)
            except OSError as error:
                attempt += 1
                why = error.strerror or str(error)
                self._log.error("dead letters can't be written", output=self._output, why=why)
                pause = backoff_s(attempt, self._retry_max_s, self._jitter(), slow=True)
                await asyncio.sleep(pause)
            else:
                self._outcome("dead_letter", len(letters))
                return

    def _now(self) -> str:
        return rfc3339(self._clock())

    def _outcome(self, outcome: str, count: int) -> None:
        if count:
            self._metrics.cell("settled_rows_total", self._output, outcome).value += count


def rfc3339(seconds: float) -> str:
    """A time since 1970 as letters have it: UTC, with milliseconds, so that text sorts by time."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whose(lot: Lot, rejected: Sequence[Rejection]) -> list[_Found]:
    """Whose rows these are, and which of their ticket."""
    ends = list(accumulate(share.rows for share in lot.shares))
    found = []
    for rejection in rejected:
        number = lot.numbers[rejection.row]
        at = bisect_right(ends, number)
        share = lot.shares[at]
        found.append(_Found(share, number - (ends[at] - share.rows), rejection))
    return found


def _no_id(row: bytes) -> bytes:  # noqa: ARG001 - see Undertaking.event_id
    return b""
