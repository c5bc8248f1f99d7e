"""One JSON array a request: for servers that take no newline-delimited JSON.

Knows the framing. Must not know where arrays go. Each element stands on a line of its own, with
its comma in front: so a body can be made as rows come, and taken apart again by lines.
"""

from typing import Final

from msgspec.structs import replace

from logagent.codecs.ndjson import Judge
from logagent.codecs.packing import GzipPacker, PlainPacker, RowPacking
from logagent.core.chunk import Frame, Origin, Reply, Request, Verdict

FRAME: Final = Frame(head=b",", middle=b"", tail=b"\n")
_OPEN: Final = b"[\n"
_CLOSE: Final = b"]\n"


class ArrayPacker:
    """An array that is open until it is closed."""

    def __init__(self, inner: PlainPacker | GzipPacker) -> None:
        self._inner = inner
        self._first = True
        self.raw_bytes = 0

    def add(self, wire: bytes, origin: Origin | None = None) -> None:
        """Append rendered rows; the very first one loses its comma."""
        if self._first and wire:
            self._first = False
            wire = _OPEN + wire[1:]
        self._inner.add(wire, origin)
        self.raw_bytes = self._inner.raw_bytes

    def close(self, rows: int) -> Request:
        """End the array; the packer is used up."""
        self._inner.add(_OPEN + _CLOSE if self._first else _CLOSE)
        return self._inner.close(rows)


class ArrayCodec(RowPacking):
    """A JSON array of documents. judge: what the sink's replies mean."""

    def __init__(self, *, gzip: bool, judge: Judge) -> None:
        super().__init__(lines=1, gzip=gzip)
        self._judge = judge

    def frame(self, origin: Origin) -> Frame:  # noqa: ARG002 - all files alike
        """A comma in front of each document."""
        return FRAME

    def packer(self) -> ArrayPacker:  # type: ignore[override] # the inner one, wrapped
        """A packer for a new batch."""
        return ArrayPacker(super().packer())

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """See `Codec.judge`."""
        return self._judge(request, reply)

    def split(self, request: Request) -> list[bytes]:
        """The rows of a request, as `pack` takes them: documents with a newline."""
        lines = super().split(replace(request, rows=request.rows + 2))
        rows = lines[1:-1]
        return [rows[0], *(row[1:] for row in rows[1:])] if rows else []

    def pack(self, rows: list[bytes]) -> Request:
        """A request of these rows (as `split` returns them)."""
        return super().pack([b"," + row for row in rows])

    def document(self, row: bytes) -> bytes:
        """The JSON document inside a row, without newline."""
        return row.removesuffix(b"\n")
