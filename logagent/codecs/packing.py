"""Bodies of requests: rows packed as they come, and taken apart again.

Knows gzip and how many lines a row has. Must not know what the lines mean.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Final, Protocol

from isal import isal_zlib

from logagent.core.chunk import Origin, Request

GZIP_LEVEL: Final = 1
"""isal's levels: 0 is 5 % faster and 20 % larger, 2 costs 5 % for nothing, 3 costs 3×."""

GZIP_WBITS: Final = 16 + 14
"""A gzip header (16) and a window of 16 KiB (2¹⁴). Any gzip reader takes it: the header doesn't
tell the window, and distances are only shorter. On rendered rows (bench/test_pack.py) it takes 2 %
less time than 32 KiB for 3 % more bytes; 8 KiB, best for raw lines, holds too few of the longer
rows: 3 % (JSON) to 8 % (text) more time for 6 and 16 % more bytes."""

STEP_BYTES: Final = 256 * 1024
"""How much of a body is decompressed at a time."""

_ROWS_PER_STEP: Final = 1024


class _Inflater(Protocol):
    """What is used of isal's decompressor."""

    eof: bool
    unconsumed_tail: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most `max_length` bytes more."""


class PlainPacker:
    """A body as it is."""

    def __init__(self) -> None:
        self.raw_bytes = 0
        self._parts: list[bytes] = []

    def add(self, wire: bytes, origin: Origin | None = None) -> None:  # noqa: ARG002
        """Append rendered rows."""
        self.raw_bytes += len(wire)
        self._parts.append(wire)

    def close(self, rows: int) -> Request:
        """End the body; the packer is used up."""
        body = b"".join(self._parts)
        self._parts.clear()
        return Request(body, rows, self.raw_bytes, gzipped=False)


class GzipPacker:
    """A body that is compressed chunk by chunk, while the chunk is still in the CPU's cache."""

    def __init__(self) -> None:
        self.raw_bytes = 0
        self._deflater = isal_zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WBITS)
        self._parts: list[bytes] = []

    def add(self, wire: bytes, origin: Origin | None = None) -> None:  # noqa: ARG002
        """Append rendered rows."""
        self.raw_bytes += len(wire)
        self._parts.append(self._deflater.compress(wire))

    def close(self, rows: int) -> Request:
        """End the body; the packer is used up."""
        self._parts.append(self._deflater.flush())
        body = b"".join(self._parts)
        self._parts.clear()
        return Request(body, rows, self.raw_bytes, gzipped=True)


class RowPacking:
    """The part of a codec that all line-based sinks share: rows of `lines` lines each."""

    def __init__(self, *, lines: int, gzip: bool) -> None:
        self._lines = lines
        self._gzip = gzip

    def packer(self) -> PlainPacker | GzipPacker:
        """A packer for a new batch."""
        return GzipPacker() if self._gzip else PlainPacker()

    def split(self, request: Request) -> list[bytes]:
        """The rows of a request, each with its framing: `b"".join` of them is its raw body.

        The body is ours, so its shape is asserted; never more than STEP_BYTES of it are
        decompressed beside the rows.
        """
        rows: list[bytes] = []
        taken: list[bytes] = []  # the lines of a row that isn't whole yet; the last may be a part
        for piece in pieces(request):
            lines = taken + list(BytesIO(piece))
            if taken and not taken[-1].endswith(b"\n"):
                at = len(taken) - 1
                lines[at : at + 2] = [b"".join(lines[at : at + 2])]
            whole = len(lines) - (not lines[-1].endswith(b"\n"))
            whole -= whole % self._lines
            if self._lines == 1:
                rows += lines[:whole]
            else:
                step = range(0, whole, self._lines)
                rows += [b"".join(lines[i : i + self._lines]) for i in step]
            taken = lines[whole:]
        assert not taken, "a body ends within a row"
        assert len(rows) == request.rows, "a body has another number of rows than its request"
        return rows

    def pack(self, rows: list[bytes]) -> Request:
        """A request of these rows (as `split` returns them)."""
        packer = self.packer()
        for at in range(0, len(rows), _ROWS_PER_STEP):
            packer.add(b"".join(rows[at : at + _ROWS_PER_STEP]))
        return packer.close(len(rows))


def pieces(request: Request) -> Iterator[bytes]:
    """The raw body in pieces of at most STEP_BYTES, none of them empty."""
    if not request.gzipped:
        for at in range(0, len(request.body), STEP_BYTES):
            yield request.body[at : at + STEP_BYTES]
        return
    inflater: _Inflater = isal_zlib.decompressobj(wbits=31)
    rest, total = request.body, 0
    while not inflater.eof:
        piece = inflater.decompress(rest, STEP_BYTES)
        rest = inflater.unconsumed_tail
        assert piece or inflater.eof, "a body ends within its compressed stream"
        total += len(piece)
        if piece:
            yield piece
    assert total == request.raw_bytes, "a body has another size than its request"
