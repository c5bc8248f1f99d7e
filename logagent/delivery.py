"""Sending one output's batches until each row is final: send, judge, settle, and once more.

Knows attempts, rejected rows and dead letters. Must not know a file or a position: it settles
tickets by their key. There is no other retry loop than this one. Retries never end by themselves.
"""

import asyncio
from array import array
from collections.abc import Callable, Sequence
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from logagent.codecs.outcomes import SLOW
from logagent.core.batch import pick, spread
from logagent.core.chunk import Batch, Codec, Rejection, Reply, Request, Share, Verdict
from logagent.core.ledger import Ledger
from logagent.core.metrics import Registry
from logagent.core.retry import Concurrency, backoff_s
from logagent.ports import Log, Sink
from logagent.rejects import Lot, OnReject, Rejects

AMBIGUOUS_MAX: Final = 3
"""So many times in a row no complete answer came for one body: it may be too large for what is in
between, so it goes on in halves."""
DEAD_ATTEMPTS_MAX: Final = 3
"""So often letters are sent to a place that only a person can mend; then they go to disk, since the
lines around them wait."""
RETRY_AFTER_MAX_S: Final = 300.0


class DeliverySettings(Struct, frozen=True):
    """What an output's options come to for its delivery."""

    output: str
    retry_max_s: float
    on_reject: OnReject


class _Parcel(Struct):
    """What is left of a batch on its way: the request, whose rows it holds, how often tried.

    numbers: which rows of the batch these are. A range while nothing was picked out of it, so that
    a batch that is taken costs nothing; 4 bytes a row then. dead: the rows are letters, on their
    way to a place for dead letters.
    """

    request: Request
    shares: tuple[Share, ...]
    numbers: Sequence[int]
    batch: tuple[Share, ...]
    wraps: int = 0
    dead: bool = False
    attempts: int = 0
    ambiguous: int = 0


class Delivery:
    """Delivers batches over one sink; any number at a time."""

    def __init__(
        self,
        sink: Sink,
        codec: Codec,
        ledger: Ledger,
        rejects: Rejects,
        settings: DeliverySettings,
        *,
        concurrency: Concurrency,
        jitter: Callable[[], float],
        log: Log,
        metrics: Registry,
    ) -> None:
        self._sink = sink
        self._codec = codec
        self._ledger = ledger
        self._rejects = rejects
        self._settings = settings
        self._concurrency = concurrency
        self._jitter = jitter
        self._log = log
        self._metrics = metrics
        self.trouble = ""
        """Why the last request wasn't taken, in a few words; empty while sending works."""

    async def deliver(self, batch: Batch) -> None:
        """Return when each row of the batch is final."""
        rows = range(batch.request.rows)
        work = [_Parcel(batch.request, batch.shares, rows, batch.shares)]
        while work:
            work.extend(reversed(await self._attempt(work.pop())))

    async def _attempt(self, parcel: _Parcel) -> list[_Parcel]:
        """Send once; settle what is final; return what must be sent again, in order."""
        reply = await self._sink.send(parcel.request)
        verdict = self._codec.judge(parcel.request, reply)
        self._count_request(parcel.request, reply, verdict)
        parcel.attempts += 1
        if parcel.dead:
            verdict = _settle_for_disk(verdict, parcel)
        match verdict.step:
            case "done" if verdict.rejected and self._settings.on_reject == "block":
                self._troubled(replace(verdict, why="rejected"), reply)
                rest = await self._settle(parcel, verdict)
                await self._pause(parcel, reply, slow=True)
                return rest
            case "done":
                self._worked()
                return await self._settle(parcel, verdict)
            case "retry":
                self._troubled(verdict, reply)
                rest = await self._settle(parcel, verdict)
                await self._pause(parcel, reply, slow=verdict.why in SLOW)
                return rest
            case "halve":
                return self._halves(parcel)
            case "again":
                self._troubled(verdict, reply)
                parcel.ambiguous = parcel.ambiguous + 1 if verdict.why == "ambiguous" else 0
                await self._pause(parcel, reply, slow=verdict.why in SLOW)
                if parcel.ambiguous >= AMBIGUOUS_MAX and parcel.request.rows > 1:
                    return self._halves(parcel)
                return [parcel]
            case "credentials" | "hold":
                self._troubled(verdict, reply)
                await self._pause(parcel, reply, slow=parcel.attempts > 1)
                await self._sink.refresh()
                return [parcel]
            case _:
                assert_never(verdict.step)

    async def _settle(self, parcel: _Parcel, verdict: Verdict) -> list[_Parcel]:
        """Settle the rows that are final and return the parcels of the others."""
        if parcel.dead:
            self._outcome("dead_letter", verdict.delivered + verdict.duplicates)
        else:
            self._outcome("delivered", verdict.delivered - verdict.redirected)
            self._outcome("duplicate", verdict.duplicates)
            self._outcome("redirected", verdict.redirected)
        if not verdict.retry and not verdict.rejected:
            for share in parcel.shares:
                self._ledger.settle(share.key, share.rows)
            return []
        again = sorted(verdict.retry)
        rejected = sorted(verdict.rejected)
        if self._settings.on_reject == "block":
            again = sorted([*again, *(rejection.row for rejection in rejected)])
            rejected = []
        rows = self._codec.split(parcel.request)
        assert len(rows) == parcel.request.rows, "a body holds the rows it was packed of"
        lot = Lot(rows, parcel.numbers, parcel.batch, parcel.wraps, parcel.dead)
        once_more = await self._rejects.settle(lot, rejected)
        wrapped, dead = once_more.wrapped, once_more.dead
        still_open = sorted([*again, *wrapped, *dead])
        counts = spread(parcel.shares, still_open)
        for share, count in zip(parcel.shares, counts, strict=True):
            self._ledger.settle(share.key, share.rows - count)
        parcels = []
        if again:
            self._metrics.cell("retried_rows_total", self._settings.output).value += len(again)
            part = self._part(parcel, [rows[i] for i in again], again)
            parcels.append(part)
        if wrapped:
            part = self._part(parcel, list(wrapped.values()), list(wrapped))
            part.wraps, part.attempts = parcel.wraps + 1, 0
            parcels.append(part)
        if dead:
            part = self._part(parcel, list(dead.values()), list(dead))
            part.dead, part.attempts = True, 0
            parcels.append(part)
        return parcels

    def _halves(self, parcel: _Parcel) -> list[_Parcel]:
        """Two parcels of about the same number of bytes. A single row is never halved."""
        rows = self._codec.split(parcel.request)
        assert len(rows) > 1, "a codec rejects a single row that is too large"
        half, total, middle = sum(map(len, rows)) / 2, 0, 0
        while middle < len(rows) - 1 and total + len(rows[middle]) <= half:
            total += len(rows[middle])
            middle += 1
        middle = max(1, middle)
        indices = range(len(rows))
        return [
            self._part(parcel, rows[:middle], indices[:middle], fresh=True),
            self._part(parcel, rows[middle:], indices[middle:], fresh=True),
        ]

    def _part(
        self, parcel: _Parcel, rows: list[bytes], indices: Sequence[int], *, fresh: bool = False
    ) -> _Parcel:
        if isinstance(indices, range):
            numbers = parcel.numbers[indices.start : indices.stop]
        else:
            numbers = array("I", [parcel.numbers[i] for i in indices])
        return _Parcel(
            self._codec.pack(rows),
            pick(parcel.shares, indices),
            numbers,
            parcel.batch,
            wraps=parcel.wraps,
            dead=parcel.dead,
            attempts=0 if fresh else parcel.attempts,
        )

    async def _pause(self, parcel: _Parcel, reply: Reply, *, slow: bool) -> None:
        asked = min(reply.retry_after_s, RETRY_AFTER_MAX_S)
        await asyncio.sleep(max(asked, self._backoff(parcel.attempts, slow=slow)))

    def _backoff(self, attempt: int, *, slow: bool) -> float:
        return backoff_s(attempt, self._settings.retry_max_s, self._jitter(), slow=slow)

    def _worked(self) -> None:
        self._concurrency.succeeded()
        if self.trouble:
            self.trouble = ""
            self._log.info("sending works again", output=self._settings.output)

    def _troubled(self, verdict: Verdict, reply: Reply) -> None:
        self.trouble = f"{verdict.why}: {reply.fault or verdict.detail or reply.status}"
        if reply.sent or reply.status in (429, 503):
            self._concurrency.congested()
        output = self._settings.output
        self._metrics.cell("retries_total", output, verdict.why).value += 1
        self._log.warning(
            "sending will be tried again",
            output=output,
            why=verdict.why,
            status=reply.status,
            fault=reply.fault,
            detail=verdict.detail,
        )

    def _count_request(self, request: Request, reply: Reply, verdict: Verdict) -> None:
        output = self._settings.output
        status = str(reply.status) if reply.status else "fault"
        self._metrics.cell("sent_requests_total", output, status).value += 1
        self._metrics.cell("sent_bytes_total", output).value += len(request.body)
        self._metrics.cell("rejected_rows_total", output).value += len(verdict.rejected)

    def _outcome(self, outcome: str, count: int) -> None:
        if count:
            cell = self._metrics.cell("settled_rows_total", self._settings.output, outcome)
            cell.value += count


def _settle_for_disk(verdict: Verdict, parcel: _Parcel) -> Verdict:
    """The verdict on letters; when the place for them isn't there, or isn't ours to write, in
    attempt after attempt, that is a refusal."""
    if parcel.attempts < DEAD_ATTEMPTS_MAX or verdict.why not in SLOW or verdict.step == "again":
        return verdict
    still_open = verdict.retry if verdict.step == "retry" else range(parcel.request.rows)
    refused = [Rejection(row, 0, verdict.why, verdict.detail) for row in still_open]
    return replace(
        verdict, step="done", retry=(), rejected=tuple(sorted([*verdict.rejected, *refused]))
    )
