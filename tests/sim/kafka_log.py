"""One partition's log, as a broker keeps it: sequence numbers, and what may still be rolled back.

Source: Kafka's `ProducerAppendInfo.checkSequence` and `ProducerStateEntry` (the last five batches
of a producer are remembered: one of them again is a duplicate; anything but the next number is out
of order), `UnifiedLog` (a new leader's log ends where its replicas agreed: what was appended and
not yet acknowledged may be gone). A producer that isn't known starts at 0, as brokers up to 2.4
want it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple

from aiokafka.record import MemoryRecords  # type: ignore[import-untyped]

from tests.sim.rows import Broken
from tests.sim.watch import Attempt

REMEMBERED: Final = 5
SEQUENCES: Final = 0x7FFF_FFFF
OUT_OF_ORDER: Final = 45
EPOCH: Final = 47
UNKNOWN_PRODUCER: Final = 59

_PRODUCER: Final = Struct(">qhii")
_PRODUCER_AT: Final = 43
"""Producer's id and epoch, base sequence, count of records, in a batch's header."""
_PAYLOAD_AT: Final = 61


class Record(NamedTuple):
    """A record as a consumer reads it. id: its header `logagent-id`, b"" without."""

    value: bytes
    id: bytes


@dataclass(eq=False)
class Batch:
    """A batch as it came: `first` is its base sequence."""

    producer: int
    epoch: int
    first: int
    size: int
    records: list[Record]
    attempt: Attempt

    @property
    def following(self) -> int:
        """The base sequence of the next one."""
        return (self.first + len(self.records)) & SEQUENCES


class Reader:
    """Reads batches. The same records come again in retries: they are decoded once."""

    def __init__(self) -> None:
        self._known: dict[bytes, list[Record]] = {}

    def read(self, data: bytes, attempt: Attempt) -> Batch:
        """A batch of bytes. Raises Broken when a broker wouldn't take it."""
        producer, epoch, first, count = _PRODUCER.unpack_from(data, _PRODUCER_AT)
        records = self._known.get(data[_PAYLOAD_AT:])
        if records is None:
            records = self._known[data[_PAYLOAD_AT:]] = _records(data)
        if len(records) != count or producer < 0 or first < 0:
            raise Broken(f"a batch of {len(records)} says {count=} {producer=} {first=}")
        return Batch(producer, epoch, first, len(data), records, attempt)


def _records(data: bytes) -> list[Record]:
    reader = MemoryRecords(data)
    batch = reader.next_batch()
    if batch is None or reader.has_next():
        raise Broken("a request holds other than one batch for a partition")
    if not batch.validate_crc():
        raise Broken("a batch has a wrong checksum")
    return [Record(bytes(each.value), dict(each.headers).get("logagent-id", b"")) for each in batch]


class Partition:
    """One partition. `shaky`: batches at its end that no acknowledgement covers."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.leader = 0
        self.epoch = 0
        self.moved_at = -1e9
        self.leaderless_until = 0.0
        self.shaky: list[Batch] = []
        self._producers: dict[int, deque[Batch]] = {}

    def check(self, batch: Batch) -> int | Batch:
        """0 when a batch may be appended, an error code, or the same batch that is there."""
        known = self._producers.get(batch.producer)
        if not known:
            return UNKNOWN_PRODUCER if batch.first else 0
        if batch.epoch < known[-1].epoch:
            return EPOCH
        for each in known:
            if (each.first, each.following) == (batch.first, batch.following):
                return each
        return 0 if batch.first == known[-1].following else OUT_OF_ORDER

    def append(self, batch: Batch) -> None:
        """Append a batch. It may be lost until `settle`."""
        known = self._producers.setdefault(batch.producer, deque(maxlen=REMEMBERED))
        known.append(batch)
        self.shaky.append(batch)

    def settle(self, batch: Batch) -> list[Batch]:
        """All replicas have a batch, and so everything in front of it: what that made certain."""
        if batch not in self.shaky:
            return []
        end = self.shaky.index(batch) + 1
        settled, self.shaky = self.shaky[:end], self.shaky[end:]
        return settled

    def elect(self, leader: int, keep: int) -> list[Batch]:
        """Another broker leads; of what was shaky it has the first `keep` batches, which are
        certain now: these."""
        kept, gone = self.shaky[:keep], self.shaky[keep:]
        for batch in gone:
            known = self._producers[batch.producer]
            if batch in known:
                known.remove(batch)
        self.leader, self.epoch, self.shaky = leader, self.epoch + 1, []
        return kept
