"""Kafka's record batches, message format v2, many rows at a time.

Knows the bytes of a batch and of its records, and what aiokafka asks of a batch that it is to send.
Must not know where rows come from, nor a broker. Checksums, compression and the time are handed in.
Source: Kafka's documentation, "Message Format" (Record Batch, Record, Record Header); sequence
numbers that wrap to 0: KIP-98 and `DefaultRecordBatch.incrementSequence`.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise, repeat
from operator import add, itemgetter
from struct import Struct as Layout
from typing import Final, Literal, NamedTuple

from logagent.codecs.kafka_stamps import Times

Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]
CODES: Final[Mapping[Compression, int]] = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
"""Bits 0-2 of a batch's attributes."""
TRANSACTIONAL: Final = 0x10

HEADER: Final = Layout(">qiibIhiqqqhii")
"""base offset, length, leader's epoch, magic, CRC, attributes, last offset's delta, first and
highest timestamp, producer's id and epoch, base sequence, count of records."""
_LENGTH_FROM: Final = 12
_CRC: Final = Layout(">I")
_CRC_AT: Final = 17
_CRC_FROM: Final = 21
_PRODUCER: Final = Layout(">qhi")
_PRODUCER_AT: Final = 43
_SEQUENCES: Final = 0x7FFF_FFFF
"""Sequence numbers have 31 bits. aiokafka's go on below zero behind 2³¹-1; these bits of what it
says are what a broker expects."""

TABLE: Final = 16384
"""So many varints are kept, made when they are needed first: 0.7 MB."""
_ONE_BYTE: Final = 64
_TWO_BYTES: Final = 8192
"""Numbers below have varints of one and of two bytes (they are zigzag: 7 bits hold -64 to 63)."""


class Tools(NamedTuple):
    """What C code does and what isn't pure.

    crc32c: the CRC-32C (Castagnoli) of bytes. compress: of bytes in parts, in the form that Kafka
    wants. now_ns: the time, in nanoseconds since 1970.
    """

    crc32c: Callable[[memoryview], int]
    compress: Callable[[Sequence[bytes]], bytes]
    now_ns: Callable[[], int]


class RecordBatch:
    """A batch to send by `AIOKafkaProducer.send_batch(batch, topic, partition=…)`; it stands for
    aiokafka 0.14's BatchBuilder by having what is called of that one. Always closed. It may be sent
    again by another producer: what the last one said of itself is overwritten.

    records: what follows the header, compressed as `attributes` say. times_ms: of the first record,
    and the highest.
    """

    def __init__(
        self,
        records: bytes,
        count: int,
        times_ms: tuple[int, int],
        *,
        attributes: int,
        crc32c: Callable[[memoryview], int],
    ) -> None:
        assert count > 0, "a batch without records is none"
        self._crc32c = crc32c
        self._count = count
        size = HEADER.size + len(records)
        head = HEADER.pack(
            *(0, size - _LENGTH_FROM, -1, 2, 0, attributes, count - 1),
            *(*times_ms, -1, -1, -1, count),
        )
        self._data = bytearray(head + records)
        self._checked = False

    def close(self) -> None:
        """Nothing: it is closed."""

    def closed(self) -> bool:
        """That nothing can be appended."""
        return True

    def size(self) -> int:
        """Bytes on the wire, header included."""
        return len(self._data)

    def record_count(self) -> int:
        """How many records are in it."""
        return self._count

    def append(
        self, *, timestamp: object, key: object, value: object, headers: object = ()
    ) -> None:
        """Nothing, which says that it is full."""

    def _set_producer_state(
        self, producer_id: int, producer_epoch: int, base_sequence: int
    ) -> None:
        """Patch what an idempotent producer says about each of its batches."""
        sequence = base_sequence & _SEQUENCES
        _PRODUCER.pack_into(self._data, _PRODUCER_AT, producer_id, producer_epoch, sequence)
        self._checked = False

    def _build(self) -> bytearray:
        """The bytes to send, with their checksum."""
        if not self._checked:
            with memoryview(self._data) as view:
                _CRC.pack_into(self._data, _CRC_AT, self._crc32c(view[_CRC_FROM:]))
            self._checked = True
        return self._data


class Piece(NamedTuple):
    """Rows of a request that go to one partition in one batch: indices into the request's rows, in
    its order. partition -1 and no batch: there is no such topic."""

    topic: str
    partition: int
    rows: range | tuple[int, ...]
    batch: RecordBatch | None


class Columns(NamedTuple):
    """Rows that become records.

    key: of all, encoded by `encode_key`; keys: of each, if they
    differ. headers: all of them, from their count on, but for the value of the last one, which is
    in `ids`, all of one length; no ids: the headers are whole.
    """

    documents: list[bytes]
    times: Times
    ids: list[bytes]
    headers: bytes
    key: bytes
    keys: list[bytes]

    def part(self, low: int, high: int) -> "Columns":
        """Consecutive rows of it."""
        if low == 0 and high == len(self.documents):
            return self
        return self._replace(
            documents=self.documents[low:high],
            times=self.times.part(low, high),
            ids=self.ids[low:high],
            keys=self.keys[low:high],
        )

    def pick(self, rows: Sequence[int]) -> "Columns":
        """Some rows of it, in this order."""
        return self._replace(
            documents=[self.documents[row] for row in rows],
            times=self.times.pick(rows),
            ids=[self.ids[row] for row in rows] if self.ids else [],
            keys=[self.keys[row] for row in rows] if self.keys else [],
        )


@lru_cache(maxsize=4096)
def encode_key(key: bytes | None) -> bytes:
    """A key as in a record, its length in front."""
    return varint(-1) if key is None else varint(len(key)) + key


def encode_headers(headers: Sequence[tuple[bytes, bytes]], last: bytes, last_size: int) -> bytes:
    """Headers as in a record, their count in front. last: the name of one more whose value, of
    `last_size` bytes, is to follow; "" = none."""
    whole = b"".join(
        varint(len(name)) + name + varint(len(value)) + value for name, value in headers
    )
    if not last:
        return varint(len(headers)) + whole
    return varint(len(headers) + 1) + whole + varint(len(last)) + last + varint(last_size)


def encode_records(rows: Columns, offset: int, base_ms: int) -> bytes:
    """Rows as records, the first of them the batch's number `offset`.

    Columnar: one C call per step for all rows, and one join over columns laid out by strided
    assignment; a join over `chain(zip(…))` takes 60 ns a row more, a `%` template 110.
    """
    count = len(rows.documents)
    cuts = [0, *(n - offset for n in (_ONE_BYTE, _TWO_BYTES) if 0 < n - offset < count), count]
    return b"".join(
        _encode(rows.part(low, high), offset + low, base_ms) for low, high in pairwise(cuts)
    )


def _encode(rows: Columns, offset: int, base_ms: int) -> bytes:
    """Records whose offsets all have varints of one size."""
    count = len(rows.documents)
    sizes = list(map(len, rows.documents))
    values = varints(sizes)
    offsets = _offsets(offset, count)
    spans = [time - base_ms for time in rows.times.known.values()]
    spelled = varints(spans) if min(spans) >= 0 else list(map(varint, spans))
    deltas = {m: b"\0" + each for m, each in zip(rows.times.known, spelled, strict=True)}
    times = _look_up(deltas, rows.times.marks)
    fixed = len(offsets[0]) + len(rows.headers) + (len(rows.ids[0]) if rows.ids else 0)
    widths = set(map(len, deltas.values()))
    lengths: Sequence[bytes] = ()
    if len(widths) == 1 and not rows.keys:
        with suppress(IndexError):
            lengths = _look_up(_lengths(fixed + max(widths) + len(rows.key)), sizes)
    if not lengths:
        keyed = map(len, rows.keys) if rows.keys else repeat(len(rows.key), count)
        rest = map(add, map(add, map(len, times), map(len, values)), keyed)
        lengths = varints(list(map(add, map(add, sizes, rest), repeat(fixed, count))))
    stride = 8 if rows.ids else 7
    parts = [rows.headers] * (stride * count)
    parts[0::stride] = lengths
    parts[1::stride] = times
    parts[2::stride] = offsets
    parts[3::stride] = rows.keys or [rows.key] * count
    parts[4::stride] = values
    parts[5::stride] = rows.documents
    if rows.ids:
        parts[7::stride] = rows.ids
    return b"".join(parts)


def varints(numbers: list[int]) -> Sequence[bytes]:
    """The varint of each number that isn't negative."""
    try:
        return _look_up(_table(), numbers)
    except IndexError:
        return list(map(varint, numbers))


def varint(number: int) -> bytes:
    """A number in zigzag, seven bits a byte, the lowest first; Kafka's varint and varlong."""
    rest = number << 1 if number >= 0 else ~(number << 1)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _offsets(first: int, count: int) -> list[bytes]:
    if first + count <= TABLE:
        return _table()[first : first + count]
    return list(map(varint, range(first, first + count)))


def _look_up(
    table: Sequence[bytes] | Mapping[Hashable, bytes], keys: Sequence[Hashable]
) -> Sequence[bytes]:
    """What a table has for each key, 12 ns each; `map(table.__getitem__, keys)` takes 19."""
    if len(keys) < 2:  # a getter of one item doesn't return a tuple
        return [itemgetter(key)(table) for key in keys]
    found: tuple[bytes, ...] = itemgetter(*keys)(table)
    return found


@lru_cache(maxsize=8)
def _lengths(rest: int) -> list[bytes]:
    """The length of a record by its document's size, whose varint has one byte or two; `rest`: the
    bytes of all else in it."""
    short = _table()[rest + 1 : rest + 1 + _ONE_BYTE]
    return short + _table()[rest + 2 + _ONE_BYTE : rest + 2 + _TWO_BYTES]


@lru_cache(maxsize=1)
def _table() -> list[bytes]:
    """The varints of 0 to TABLE - 1, not before they are needed: most agents have no Kafka. By
    rows of bytes, as the first byte goes on by two: 2 ms, a sixth of what `varint` takes."""
    firsts = range(0x80, 0x100, 2)
    one = [bytes((first,)) for first in range(0, 0x80, 2)]
    two = [bytes((first, last)) for last in range(1, 0x80) for first in firsts]
    three = [bytes((first, then, 1)) for then in range(0x80, 0x100) for first in firsts]
    return one + two + three
