"""A rig that delivers batches of numbered rows to a scripted sink, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from logagent.core.chunk import Batch, Rejection, Share, Ticket, Verdict
from logagent.core.deadletter import Place, Sought
from logagent.core.files import NO_GUARD, START, Position
from logagent.core.ledger import Ledger
from logagent.core.metrics import Registry
from logagent.core.retry import Concurrency
from logagent.delivery import Delivery, DeliverySettings
from logagent.rejects import OnReject, Rejects, Undertaking
from tests.fakes.loop import run
from tests.fakes.origin import origin
from tests.fakes.record import ListJournal, RecordingLog
from tests.fakes.sink import ScriptedCodec, ScriptedSink

ROW_BYTES: Final = len('{"n":0}\n')


def row(number: int) -> bytes:
    """A row, as it is on the wire."""
    return b'{"n":%d}\n' % number


def rejected(*rows: int, kind: str = "mapper_parsing_exception") -> tuple[Rejection, ...]:
    """Rows of a request that are refused for what is in them."""
    return tuple(Rejection(index, 400, kind, "because of you") for index in rows)


class Delivering:
    """One output's sending half; all rows are of generation 1, ten bytes of its file each."""

    def __init__(
        self, on_reject: OnReject = "wrap", *, jitter: float = 0.5, burying: bool = False
    ) -> None:
        self.sink = ScriptedSink()
        self.codec = ScriptedCodec()
        self.ledger = Ledger()
        self.ledger.begin(1, START, NO_GUARD)
        self.journal = ListJournal()
        self.log = RecordingLog()
        self.metrics = Registry()
        self.concurrency = Concurrency(4)
        self.rows = 0
        rejects = Rejects(
            "out",
            on_reject,
            self.codec,
            Undertaking(self.journal, self.locate, burier=self.codec if burying else None),
            wrapper=self.codec,
            retry_max_s=30.0,
            clock=lambda: 1_800_000_000.25,
            jitter=lambda: jitter,
            log=self.log,
            metrics=self.metrics,
        )
        self.delivery = Delivery(
            self.sink,
            self.codec,
            self.ledger,
            rejects,
            DeliverySettings("out", retry_max_s=30.0, on_reject=on_reject),
            concurrency=self.concurrency,
            jitter=lambda: jitter,
            log=self.log,
            metrics=self.metrics,
        )

    def locate(self, key: int, rows: Sequence[Sought]) -> list[Place]:
        """See `core.deadletter.Locate`: a row is ten bytes."""
        ticket = self.ledger.ticket(key)
        starts = [ticket.start + 10 * row.number for row in rows]
        return [Place(f"e{start}", ticket.generation, start, 10) for start in starts]

    def batch(self, *shares: int) -> Batch:
        """A batch of the next rows: a ticket for each share."""
        first = self.rows
        keys = []
        for count in shares:
            start, end = self.rows * 10, (self.rows + count) * 10
            keys.append(self.ledger.open(Ticket(1, start, Position(end), NO_GUARD, count)))
            self.rows += count
        rows = [row(number) for number in range(first, self.rows)]
        shared = zip(keys, shares, strict=True)
        found = tuple(Share(k, n, origin(b'"m":%d' % k)) for k, n in shared)
        return Batch(self.codec.pack(rows), found)

    def deliver(self, *shares: int, verdicts: list[Verdict]) -> list[bytes]:
        """Deliver a batch with these verdicts, then "done"; returns the bodies that were sent. All
        rows are final afterwards."""
        self.codec.verdicts.extend(verdicts)
        run(self.delivery.deliver(self.batch(*shares)))
        assert not self.codec.verdicts
        assert self.ledger.open_rows == 0
        assert self.ledger.settled(1).position.offset == self.rows * 10
        return self.sink.bodies

    def pauses(self) -> list[float]:
        """Seconds between the requests."""
        times = self.sink.times
        return [round(b - a, 6) for a, b in pairwise(times)]

    def outcome(self, name: str) -> float:
        """How many rows had this outcome."""
        return self.metrics.cell("settled_rows_total", "out", name).value

    def rejected(self) -> float:
        """How many rows were refused, each time counted."""
        return self.metrics.cell("rejected_rows_total", "out").value


def body(*numbers: int) -> bytes:
    """The body of these rows."""
    return b"".join(map(row, numbers))
