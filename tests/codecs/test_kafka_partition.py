"""Partitions are those that Java's client chooses."""

import pytest
from aiokafka.partitioner import murmur2 as their_murmur2  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.kafka_partition import murmur2, partition_of

KNOWN = {
    # org.apache.kafka.common.utils.UtilsTest.testMurmur2
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "value"), KNOWN.items())
def test_the_hash_is_javas(key: bytes, value: int) -> None:
    """The values that Kafka's own tests demand, as unsigned numbers."""
    assert murmur2(key) == value % 2**32
    assert partition_of(key, 7) == (value & 0x7FFFFFFF) % 7


@given(st.binary(max_size=70))
def test_the_hash_is_that_of_other_clients(key: bytes) -> None:
    """For any bytes, whatever their length leaves over."""
    assert murmur2(key) == their_murmur2(key) % 2**32


@given(st.binary(max_size=20), st.integers(1, 1000))
def test_a_partition_is_one_of_the_topic(key: bytes, partitions: int) -> None:
    """It is never negative and never too large."""
    assert 0 <= partition_of(key, partitions) < partitions
