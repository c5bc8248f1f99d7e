"""One JSON document a line: what the outputs `file` and `stdout` write.

Knows the framing and that such a sink takes all rows or none. Must not know where lines go.
"""

from logagent.codecs.packing import RowPacking
from logagent.codecs.wrapping import bare_document, wrap_document
from logagent.core.chunk import Frame, Reply, Request, Verdict


class NdjsonCodec(RowPacking):
    """Newline-delimited JSON."""

    def __init__(self, *, gzip: bool = False) -> None:
        super().__init__(lines=1, gzip=gzip)
        self.frame = Frame(head=b"", middle=b"", tail=b"\n")

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """All rows are delivered, or the outcome of the whole request is open."""
        if reply.fault:
            return Verdict("again", why="ambiguous" if reply.sent else "unreachable")
        if reply.status == 200:
            return Verdict("done", delivered=request.rows)
        return Verdict("again", why="ambiguous")

    def document(self, row: bytes) -> bytes:
        """The JSON document inside a row, without newline."""
        return row.removesuffix(b"\n")

    def wrap(self, row: bytes, metadata: bytes, *, kind: str, now: str) -> bytes:
        """The row again with its document as text in `message`."""
        return wrap_document(self.document(row), metadata, kind=kind, now=now) + b"\n"

    def bare(self, row: bytes) -> bytes:
        """A wrapped row again with its text in `logagent.message`."""
        return bare_document(self.document(row)) + b"\n"
