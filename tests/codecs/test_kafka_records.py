"""Record batches: any rows come back out of them, whatever reads them."""

from collections.abc import Hashable

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder  # type: ignore[import-untyped]
from aiokafka.record.default_records import DefaultRecordBatch  # type: ignore[import-untyped]
from aiokafka.record.util import encode_varint  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.kafka_records import (
    CODES,
    TABLE,
    Columns,
    Compression,
    RecordBatch,
    encode_headers,
    encode_key,
    encode_records,
    varint,
    varints,
)
from logagent.codecs.kafka_stamps import Times
from tests.codecs.kafka_support import decode, tools

COMPRESSIONS: list[Compression] = ["none", "gzip", "snappy", "lz4", "zstd"]


def columns_of(
    documents: list[bytes],
    times: list[int],
    *,
    ids: list[bytes] | None = None,
    key: bytes | None = None,
    keys: list[bytes | None] | None = None,
) -> Columns:
    """Rows with a static header, and an id when there are ids."""
    headers = encode_headers([(b"a", b"\n")], b"id" if ids else b"", len(ids[0]) if ids else 0)
    known: dict[Hashable, int] = {time: time for time in times}
    return Columns(
        documents,
        Times(times, known),
        ids or [],
        headers,
        encode_key(key),
        [encode_key(each) for each in keys or []],
    )


def batch_of(rows: Columns, compression: Compression = "none") -> RecordBatch:
    """A batch of these rows."""
    return RecordBatch(
        tools(compression).compress([encode_records(rows, 0, rows.times.first())]),
        len(rows.documents),
        (rows.times.first(), rows.times.highest()),
        attributes=CODES[compression],
        crc32c=tools().crc32c,
    )


@given(st.integers(-(2**62), 2**62))
def test_varints_are_those_of_others(number: int) -> None:
    """One number, and many of them, on both sides of what is kept."""
    theirs = bytearray()
    encode_varint(number, theirs.append)
    assert varint(number) == theirs
    for numbers in (
        [number & 0xFFFF],
        [0, number & 0x3FFF],
        [63, 64, 8191, 8192, TABLE - 1, TABLE],
    ):
        assert list(varints(numbers)) == [varint(each) for each in numbers]


def test_kept_varints_are_those_that_are_made() -> None:
    """All of them, however they were made."""
    assert list(varints(list(range(TABLE)))) == [varint(each) for each in range(TABLE)]


ROWS = st.lists(
    st.tuples(
        st.one_of(st.binary(max_size=80), st.integers(8000, 8300).map(bytes)),
        st.integers(0, 2**41),
        st.one_of(st.none(), st.binary(max_size=70)),
    ),
    min_size=1,
    max_size=150,
)


@given(ROWS, st.booleans(), st.booleans(), st.sampled_from(COMPRESSIONS))
def test_rows_come_back(
    rows: list[tuple[bytes, int, bytes | None]],
    with_ids: bool,  # noqa: FBT001 - hypothesis calls by position
    with_keys: bool,  # noqa: FBT001 - the same
    compression: Compression,
) -> None:
    """Keys, values, headers and times of any size are what was put in."""
    documents, times, keys = map(list, zip(*rows, strict=True))
    ids = [b"%027d" % n for n in range(len(rows))] if with_ids else None
    made = columns_of(documents, times, ids=ids, key=b"k", keys=keys if with_keys else None)
    for n, record in enumerate(decode(batch_of(made, compression))):
        assert record.key == (keys[n] if with_keys else b"k")
        assert (record.value, record.time_ms) == (documents[n], times[n])
        assert record.headers == [("a", b"\n"), *([("id", ids[n])] if ids else [])]


def test_rows_of_usual_size_come_back() -> None:
    """Some thousand rows, over the sizes that an offset's varint has, times near each other."""
    count = 9000
    documents = [b"%0*d" % (64 + n % 300, n) for n in range(count)]
    times = [1_790_000_000_000 + n // 20 for n in range(count)]
    ids = [b"%027d" % n for n in range(count)]
    records = decode(batch_of(columns_of(documents, times, ids=ids, key=b"key"), "zstd"))
    assert [record.value for record in records] == documents
    assert [record.time_ms for record in records] == times
    assert [record.headers[1][1] for record in records] == ids


def test_offsets_go_on_beyond_what_is_kept() -> None:
    """A batch of more rows than there are kept varints."""
    count = TABLE + 10
    records = decode(batch_of(columns_of([b"x"] * count, [5] * count)))
    assert len(records) == count


def test_records_are_the_bytes_of_another_encoder() -> None:
    """Without compression a batch is, to the byte, what aiokafka builds of the same records."""
    documents, times = [b"d" * n for n in (0, 63, 64, 300)], [7, 9, 5, 7]
    theirs = BatchBuilder(1 << 20, 0)
    for document, time in zip(documents, times, strict=True):
        theirs.append(timestamp=time, key=b"k", value=document, headers=[("a", b"\n")])
    ours = batch_of(columns_of(documents, times, key=b"k"))
    for builder in (theirs, ours):
        builder._set_producer_state(5, 1, 17)
    assert bytes(ours._build()) == bytes(theirs._build())


def test_a_batch_stands_for_aiokafkas_own() -> None:
    """It has each method that aiokafka calls, and is closed from the start."""
    batch = batch_of(columns_of([b"x"], [1]))
    batch.close()
    assert batch.closed()
    assert batch.append(timestamp=1, key=b"", value=b"") is None  # type: ignore[func-returns-value]
    called = [name for name in vars(BatchBuilder) if not name.startswith("__")]
    assert {name for name in called if not hasattr(batch, name)} == {"_serialize"}


def test_another_producer_may_send_it_again() -> None:
    """The producer's state is overwritten, under a checksum that is right again; the sequence
    wraps to 0 behind 2³¹-1, also when it is said as aiokafka says it."""
    batch = batch_of(columns_of([b"x"], [1]))
    for producer, epoch, said, meant in [
        (7, 0, 5, 5),
        (2**40, 3, 2**31 - 1, 2**31 - 1),
        (8, 1, 2**31, 0),
        (8, 1, -(2**31) + 9, 9),
    ]:
        batch._set_producer_state(producer, epoch, said)
        read = DefaultRecordBatch(bytes(batch._build()))
        assert read.validate_crc()
        assert (read.producer_id, read.producer_epoch, read.base_sequence) == (
            producer,
            epoch,
            meant,
        )


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_attributes_say_how_it_is_compressed(compression: Compression) -> None:
    """A reader is told the codec; a batch without a producer's state says that there is none."""
    read = DefaultRecordBatch(bytes(batch_of(columns_of([b"x"], [1]), compression)._build()))
    assert read.compression_type == CODES[compression]
    assert (read.producer_id, read.producer_epoch, read.base_sequence) == (-1, -1, -1)
    assert not read.is_transactional
