"""What a Kafka output's codec is handed: CRC-32C and compression in C, and the time.

Knows the libraries and their levels. Must not know what is compressed.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

import cramjam
from aiokafka.record.util import calc_crc32c  # type: ignore[import-untyped]
from isal import isal_zlib

ZSTD_LEVEL: Final = 1
"""On rows as records (bench/test_kafka.py): 1 takes 350 ns a row for a twelfth of the bytes, 3 460
for no less, -1 330 for a ninth."""
GZIP_LEVEL: Final = 1
LZ4_LEVEL: Final = 0
"""The fast one; 3 takes five times as long for a fifth less."""

XERIAL_HEAD: Final = b"\x82SNAPPY\0" + (1).to_bytes(4, "big") * 2
"""How xerial's Snappy stream starts, Java's and so Kafka's form (`SnappyCodec` of snappy-java):
magic, version, the lowest compatible version. Blocks follow, each behind its length."""
XERIAL_BLOCK: Final = 32 * 1024


def crc32c(data: memoryview) -> int:
    """CRC-32C (Castagnoli), at 1.9 GB/s."""
    checksum: int = calc_crc32c(data)
    return checksum


def now_ns() -> int:
    """The time, in nanoseconds since 1970."""
    return time.time_ns()


def compressor(
    name: Literal["none", "gzip", "snappy", "lz4", "zstd"],
) -> Callable[[Sequence[bytes]], bytes]:
    """The function that compresses a batch's records, given in parts."""
    return {"none": b"".join, "gzip": _gzip, "snappy": _snappy, "lz4": _lz4, "zstd": _zstd}[name]


def _gzip(parts: Sequence[bytes]) -> bytes:
    stream = isal_zlib.compressobj(GZIP_LEVEL, wbits=31)
    return b"".join([*map(stream.compress, parts), stream.flush()])


def _zstd(parts: Sequence[bytes]) -> bytes:
    """A part at a time: 30 ns a row less than joined, and without a copy of all."""
    stream = cramjam.zstd.Compressor(level=ZSTD_LEVEL)
    for part in parts:
        stream.compress(part)
    return bytes(stream.finish())


def _lz4(parts: Sequence[bytes]) -> bytes:
    """An LZ4 frame of independent blocks: brokers take no others (KIP-57)."""
    stream = cramjam.lz4.Compressor(level=LZ4_LEVEL, content_checksum=False, block_linked=False)
    for part in parts:
        stream.compress(part)
    return bytes(stream.finish())


def _snappy(parts: Sequence[bytes]) -> bytes:
    blocks = [XERIAL_HEAD]
    for part in parts:
        with memoryview(part) as view:
            for at in range(0, len(part), XERIAL_BLOCK):
                block = bytes(cramjam.snappy.compress_raw(view[at : at + XERIAL_BLOCK]))
                blocks += [len(block).to_bytes(4, "big"), block]
    return b"".join(blocks)
