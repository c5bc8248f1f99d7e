"""What the Kafka codec is handed: checksums and compression that other clients read."""

import pytest
from aiokafka.codec import (  # type: ignore[import-untyped]
    gzip_decode,
    lz4_decode,
    snappy_decode,
    zstd_decode,
)
from hypothesis import given
from hypothesis import strategies as st

from logagent.edge.kafka_tools import XERIAL_BLOCK, compressor, crc32c, now_ns

PARTS = st.lists(st.binary(max_size=200).map(lambda part: part * 300), max_size=5)


def test_the_checksum_is_castagnolis() -> None:
    """The check value of CRC-32C (RFC 3720, appendix B.4), over any kind of bytes."""
    assert crc32c(memoryview(b"123456789")) == 0xE3069283
    assert crc32c(memoryview(bytearray(32))) == 0x8A9136AA


@given(PARTS)
def test_compressed_parts_come_back(parts: list[bytes]) -> None:
    """In each codec, parts are one stream."""
    whole = b"".join(parts)
    assert compressor("none")(parts) == whole
    assert gzip_decode(compressor("gzip")(parts)) == whole
    assert lz4_decode(compressor("lz4")(parts)) == whole
    assert zstd_decode(compressor("zstd")(parts)) == whole
    if len(whole) > 1:
        assert snappy_decode(compressor("snappy")(parts)) == whole


def test_blocks_are_those_of_other_writers() -> None:
    """LZ4's blocks don't need each other (KIP-57), Snappy's are as large as Java's at most."""
    data = bytes(range(256)) * 1024
    flags = compressor("lz4")([data])[4]
    assert flags & 0x20
    assert flags >> 6 == 1
    stream = compressor("snappy")([data])
    assert stream.startswith(b"\x82SNAPPY\0\0\0\0\1\0\0\0\1")
    assert 0 < int.from_bytes(stream[16:20], "big") < XERIAL_BLOCK


def test_the_time_is_wall_time() -> None:
    """Nanoseconds since 1970, going on."""
    assert now_ns() > 1_700_000_000 * 10**9


@pytest.mark.parametrize("name", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_names_are_known(name: str) -> None:
    """Each option's value has a function."""
    assert callable(compressor(name))  # type: ignore[arg-type]
