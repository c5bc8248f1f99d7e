"""Bodies: any packing of rows is read back, by us and by other gzip readers."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.packing import STEP_BYTES, RowPacking
from logagent.core.chunk import Request
from tests.fakes.origin import ORIGIN

LINES = st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"") + b"\n")


def packed(packing: RowPacking, rows: list[bytes], cuts: list[int]) -> Request:
    """A request of `rows`, added to the packer in portions that end at `cuts`."""
    packer = packing.packer()
    ends = sorted({*cuts, len(rows)})
    for start, end in zip([0, *ends], ends, strict=False):
        packer.add(b"".join(rows[start:end]), ORIGIN)
    assert packer.raw_bytes == sum(map(len, rows))
    return packer.close(len(rows))


@given(
    lines=st.lists(LINES, min_size=2, max_size=60),
    cuts=st.lists(st.integers(0, 30), max_size=4),
    per_row=st.sampled_from([1, 2]),
    compress=st.booleans(),
)
def test_rows_come_back(
    lines: list[bytes], cuts: list[int], per_row: int, *, compress: bool
) -> None:
    """However rows were added, `split` returns exactly them and `pack` makes the same body."""
    whole = range(0, len(lines) - len(lines) % per_row, per_row)
    rows = [b"".join(lines[i : i + per_row]) for i in whole]
    packing = RowPacking(lines=per_row, gzip=compress)
    request = packed(packing, rows, [min(cut, len(rows)) for cut in cuts])
    raw = b"".join(rows)
    assert request.gzipped == compress
    assert (request.rows, request.raw_bytes) == (len(rows), len(raw))
    assert (gzip.decompress(request.body) if compress else request.body) == raw
    assert packing.split(request) == rows
    again = packing.pack(rows)
    assert packing.split(again) == rows
    assert (again.rows, again.raw_bytes) == (len(rows), len(raw))


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("size", [10, 100_000, STEP_BYTES - 1, STEP_BYTES, 3 * STEP_BYTES])
def test_rows_of_any_size_come_back(size: int, *, compress: bool) -> None:
    """Rows that end at, before and behind the steps of decompression are put together again."""
    rows = [b'{"create":{}}\n' + bytes([97 + i]) * (size + i) + b"\n" for i in range(8)]
    packing = RowPacking(lines=2, gzip=compress)
    assert packing.split(packing.pack(rows)) == rows


def test_gzip_needs_no_large_window() -> None:
    """Every distance fits into 16 KiB: a reader that keeps no more than that can read the body."""
    raw = b"".join(b'{"create":{}}\n{"n":%d,"text":"%x"}\n' % (i, i * i) for i in range(20_000))
    body = RowPacking(lines=2, gzip=True).pack([raw]).body
    assert body[:4] == b"\x1f\x8b\x08\x00"  # gzip, deflate, no optional fields in the header
    assert zlib.decompress(body[10:-8], wbits=-14) == raw
    assert len(body) < len(raw) / 3


def test_a_body_that_is_not_ours_is_our_bug() -> None:
    """A count, a size or a shape that doesn't fit its request stops the pipeline, loudly."""
    packing = RowPacking(lines=2, gzip=True)
    good = packing.pack([b"a\nb\n", b"c\nd\n"])
    plain = RowPacking(lines=2, gzip=False)
    for request in (
        Request(good.body, 3, good.raw_bytes, gzipped=True),
        Request(good.body, 2, good.raw_bytes + 1, gzipped=True),
        Request(good.body[:-12], 2, good.raw_bytes, gzipped=True),
        Request(b"a\nb\nc\n", 1, 6, gzipped=False),
        Request(b"a\nb", 1, 3, gzipped=False),
    ):
        with pytest.raises(AssertionError):
            (packing if request.gzipped else plain).split(request)
