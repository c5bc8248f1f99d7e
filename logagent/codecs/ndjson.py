"""One JSON document a line: what the outputs `file`, `stdout` and `http` write.

Knows the framing and that such a sink takes all rows or none. Must not know where lines go.
"""

from collections.abc import Callable
from typing import Final

from logagent.codecs.packing import RowPacking
from logagent.core.chunk import Frame, Origin, Reply, Request, Verdict

FRAME: Final = Frame(head=b"", middle=b"", tail=b"\n")

DISK_FULL: Final = "disk full"
"""What the fault of a local sink begins with when there is no room."""

Judge = Callable[[Request, Reply], Verdict]
"""What a reply means for the rows of a request. Never raises."""


def judge_local(request: Request, reply: Reply) -> Verdict:
    """A file or a pipe: all rows are delivered, or the outcome of the whole request is open."""
    if reply.fault.startswith(DISK_FULL):
        return Verdict("again", why="disk_full")
    if reply.fault:
        return Verdict("again", why="ambiguous" if reply.sent else "unreachable")
    if reply.status == 200:
        return Verdict("done", delivered=request.rows)
    return Verdict("again", why="ambiguous")


class NdjsonCodec(RowPacking):
    """Newline-delimited JSON. judge: what the sink's replies mean."""

    def __init__(self, *, gzip: bool = False, judge: Judge = judge_local) -> None:
        super().__init__(lines=1, gzip=gzip)
        self._judge = judge

    def frame(self, origin: Origin) -> Frame:  # noqa: ARG002 - all files alike
        """A document and its newline."""
        return FRAME

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """See `Codec.judge`."""
        return self._judge(request, reply)

    def document(self, row: bytes) -> bytes:
        """The JSON document inside a row, without newline."""
        return row.removesuffix(b"\n")
