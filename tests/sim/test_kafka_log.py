"""The model of a partition's log checks what a broker checks."""

from __future__ import annotations

import zlib

import pytest

from logagent.codecs.kafka_records import RecordBatch
from logagent.core.chunk import Request
from logagent.edge.kafka_tools import crc32c
from tests.sim.kafka_log import (
    EPOCH,
    OUT_OF_ORDER,
    REMEMBERED,
    UNKNOWN_PRODUCER,
    Batch,
    Partition,
    Reader,
    Record,
)
from tests.sim.rows import Broken
from tests.sim.watch import Attempt

ATTEMPT = Attempt(1, Request(b"", 1, 0, gzipped=False))


def make(first: int, count: int = 2, *, producer: int = 7, epoch: int = 0) -> Batch:
    """A batch of a producer, from a sequence number on."""
    return Batch(producer, epoch, first, 100, [Record(b"{}", b"")] * count, ATTEMPT)


def filled(*firsts: int) -> Partition:
    """A partition with batches of two records that start at these numbers."""
    partition = Partition(0)
    for first in firsts:
        partition.append(make(first))
    return partition


def test_only_the_next_number_is_taken() -> None:
    """A gap, a step back and a batch that overlaps are out of order."""
    partition = filled(0, 2)
    assert partition.check(make(4)) == 0
    assert [partition.check(make(n)) for n in (3, 5, 6)] == [OUT_OF_ORDER] * 3
    assert partition.check(make(2, count=3)) == OUT_OF_ORDER


def test_a_producer_starts_at_0() -> None:
    """Numbers of a producer that isn't known start at 0, whatever others have sent."""
    partition = filled(0, 2)
    assert partition.check(make(0, producer=8)) == 0
    assert partition.check(make(4, producer=8)) == UNKNOWN_PRODUCER


def test_one_of_the_last_batches_again_is_a_duplicate() -> None:
    """So many are remembered; one in front of them is out of order."""
    firsts = [2 * n for n in range(REMEMBERED + 1)]
    partition = filled(*firsts)
    for first in firsts[1:]:
        found = partition.check(make(first))
        assert isinstance(found, Batch)
        assert found.first == first
    assert partition.check(make(0)) == OUT_OF_ORDER


def test_numbers_wrap_to_0() -> None:
    """Behind 2³¹-1 comes 0."""
    partition = filled(0x7FFF_FFFE)
    assert partition.check(make(0)) == 0
    assert partition.check(make(1)) == OUT_OF_ORDER


def test_an_older_epoch_is_refused() -> None:
    """A producer's id with an epoch that was replaced is fenced."""
    partition = Partition(0)
    partition.append(make(0, epoch=3))
    assert partition.check(make(2, epoch=2)) == EPOCH


def test_an_acknowledgement_covers_everything_in_front() -> None:
    """What all replicas have is certain, with all that is in front of it, once."""
    partition = Partition(0)
    batches = [make(0), make(2), make(4)]
    for batch in batches:
        partition.append(batch)
    assert partition.settle(batches[1]) == batches[:2]
    assert partition.settle(batches[0]) == []
    assert partition.shaky == batches[2:]


def test_a_new_leader_forgets_what_it_lacks() -> None:
    """What went away with a leader isn't a duplicate: the same batch is appended again."""
    partition = filled(0, 2, 4)
    kept = partition.elect(2, keep=1)
    assert [batch.first for batch in kept] == [0]
    assert partition.shaky == []
    assert partition.leader == 2
    assert partition.check(make(2)) == 0
    assert partition.check(make(4)) == OUT_OF_ORDER


def encoded(records: bytes, count: int) -> bytearray:
    """A batch as the producer sends it."""
    batch = RecordBatch(
        zlib.compress(records, wbits=31), count, (5, 5), attributes=1, crc32c=crc32c
    )
    batch._set_producer_state(9, 1, 17)
    return bytearray(batch._build())


RECORD = bytes([2 * len(b"\0\0\0\1\4{}\2\26logagent-id\2x")]) + b"\0\0\0\1\4{}\2\26logagent-id\2x"
"""Attributes, delta of time and offset, no key, value, one header: numbers are zigzag."""


def test_a_batch_is_read_back() -> None:
    """Value and id of each record, and what the producer says of itself."""
    batch = Reader().read(bytes(encoded(RECORD, 1)), ATTEMPT)
    assert (batch.producer, batch.epoch, batch.first, batch.following) == (9, 1, 17, 18)
    assert batch.records == [Record(b"{}", b"x")]


def test_a_damaged_batch_is_noticed() -> None:
    """A wrong checksum breaks the run."""
    data = encoded(RECORD, 1)
    data[30] ^= 1
    with pytest.raises(Broken, match="checksum"):
        Reader().read(bytes(data), ATTEMPT)
