"""What a receiver keeps of bulk bodies, by mode: counts, ids, documents, numbers.

Knows how a body is applied row by row, faults on rows included. Must not know HTTP or routes.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final, Literal

from logagent.demo import bulk
from logagent.demo.bulk import BulkError, Failure, Indices, Items, Row
from logagent.demo.faults import Fault
from logagent.demo.ledger import Ledger

Mode = Literal["null", "count", "store", "ledger"]
"""null: rows are counted by newlines, all created. count: each action is checked as well. store:
documents are parsed, ids are held, the last documents are kept. ledger: the same, and the numbers
inside the documents are counted instead of keeping the documents."""

MODES: Final[tuple[Mode, ...]] = ("null", "count", "store", "ledger")


@dataclass
class Stats:
    """What came in."""

    requests: int = 0
    """Bulk requests whose body was complete, and those that were refused before."""
    rows: int = 0
    """Rows of understood bodies, whatever became of them."""
    documents: int = 0
    """Rows stored."""
    duplicates_by_id: int = 0
    """Rows whose id was there already."""
    bytes_wire: int = 0
    bytes_raw: int = 0
    connections: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    """Bulk replies by status."""
    item_statuses: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Limits:
    """How much is taken and kept: bytes of an inflated body, documents in mode `store`."""

    content_bytes: int
    documents: int


class Store:
    """The state behind `_bulk`."""

    def __init__(self, mode: Mode, limits: Limits) -> None:
        self.mode = mode
        self._limits = limits
        self.reset()

    def reset(self) -> None:
        """Forget everything that arrived."""
        self.stats = Stats()
        self.ledger = Ledger()
        self.indices = Indices()
        self.documents: deque[Row] = deque(maxlen=self._limits.documents)

    def apply(
        self, body: memoryview, *, gzipped: bool, target: str, stream: bool, fault: Fault | None
    ) -> tuple[Items, list[Row]]:
        """Store the rows of a body sent to `/target/_bulk`, and say what became of each.

        stream: the target must be a data stream, so a document needs an `@timestamp`. The rows
        are empty in modes `null` and `count`, which don't take them apart. Raises BulkError, and
        then nothing was stored.
        """
        bytes_max = self._limits.content_bytes
        rows: list[Row] = []
        if self.mode == "null":
            count, size = bulk.count_rows(body, gzipped=gzipped, bytes_max=bytes_max)
        else:
            raw = bulk.inflate(body, bytes_max) if gzipped else bytes(body)
            size = len(raw)
            if self.mode == "count":
                count = bulk.check_rows(raw, target)
            else:
                rows = bulk.parse_rows(raw, target)
                count = len(rows)
        self.stats.rows += count
        self.stats.bytes_raw += size
        items = Items([201] * count)
        refused = _refuse(items, rows, fault) if fault is not None and fault.do == "items" else ()
        if self.mode in {"store", "ledger"}:
            self._keep(items, rows, stream=stream, refused=frozenset(refused))
        self.stats.documents += len(items.statuses) - len(items.failures)
        if items.failures:
            self.stats.item_statuses.update(items.statuses)
        else:
            self.stats.item_statuses[201] += count
        return items, rows

    def _keep(
        self, items: Items, rows: list[Row], *, stream: bool, refused: frozenset[int]
    ) -> None:
        """Parse, look up and store each row that no fault has refused."""
        for at, row in enumerate(rows):
            if at in refused:
                continue
            document = bulk.parse_document(row.document)
            if document is None:
                items.fail(at, 400, Failure(bulk.UNPARSED, "failed to parse: not a JSON object"))
            elif stream and "@timestamp" not in document:
                reason = "data stream timestamp field [@timestamp] is missing"
                items.fail(at, 400, Failure(bulk.UNPARSED, reason))
            elif not self.indices.create(row.target, row.id):
                items.fail(at, 409, bulk.conflict(row.id))
                self.stats.duplicates_by_id += 1
            elif self.mode == "ledger":
                self.ledger.add(document)
            else:
                self.documents.append(row)


def _refuse(items: Items, rows: list[Row], fault: Fault) -> list[int]:
    """Give the rows that an `items` fault means their status; the numbers of those not to store.

    In modes `null` and `count` there are no documents to look into, so only `every` counts.
    """
    where = fault.where.encode()
    meant = range(fault.every - 1, len(items.statuses), fault.every)
    chosen = [at for at in meant if not where or (at < len(rows) and where in rows[at].document)]
    if fault.failure_store:
        items.stores.update(dict.fromkeys(chosen, fault.failure_store))
    if fault.status < 300:
        return []
    kind = fault.kind or bulk.KINDS.get(fault.status, "exception")
    for at in chosen:
        items.fail(at, fault.status, Failure(kind, "as scripted"))
    return chosen


def check_content(content_type: str) -> None:
    """Refuse a body that isn't declared as lines of JSON. Raises BulkError."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in {"application/x-ndjson", "application/json"} and not kind.endswith("+x-ndjson"):
        reason = f"Content-Type header [{content_type}] is not supported"
        raise BulkError(406, "media_type_header_exception", reason)
