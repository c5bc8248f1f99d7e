"""Bodies in groups: JSON whose rows stand below a head that many of them share.

Knows how such a body is put together as rows come, and taken apart again: one row a line, and the
lines of the structure begin with a blank (JSON allows both between its tokens). Must not know what
a head or a row means.
"""

from collections.abc import Iterator
from io import BytesIO
from itertools import groupby
from typing import Final

from msgspec import Struct

from logagent.codecs.packing import GzipPacker, PlainPacker, pieces
from logagent.core.chunk import Request

BLANK: Final = 0x20
_ROWS_PER_STEP: Final = 1024


class Shape(Struct, frozen=True):
    """The JSON around groups. begin: in front of the first; close: behind the rows of each; end:
    behind the last. A group's head is JSON up to and with the `[` of its rows."""

    begin: bytes
    close: bytes
    end: bytes


class GroupedRequest(Request, frozen=True):
    """A request that also tells how many different heads are in its body."""

    heads: int = 1


class Heads:
    """Heads by a number each, so that a row of `split` can carry its group in a few bytes.

    Grows with the heads of one output: what names them must be bounded.
    """

    def __init__(self) -> None:
        self._heads: list[bytes] = []
        self._numbers: dict[bytes, int] = {}

    def number(self, head: bytes) -> int:
        """The number of a head, the same for good."""
        number = self._numbers.setdefault(head, len(self._heads))
        if number == len(self._heads):
            self._heads.append(head)
        return number

    def head(self, number: int) -> bytes:
        """The head that has a number."""
        return self._heads[number]


class GroupPacker:
    """One open body of groups."""

    def __init__(self, shape: Shape, body: PlainPacker | GzipPacker) -> None:
        self._shape = shape
        self._body = body
        self._head = b""
        self._heads: set[bytes] = set()

    @property
    def raw_bytes(self) -> int:
        """Size of the body so far, before compression."""
        return self._body.raw_bytes

    def add(self, head: bytes, rows: bytes) -> None:
        """Append rows of a group. rows: whole lines, each with its comma in front."""
        if head == self._head:
            self._body.add(rows)
            return
        opening = b" %b\n ,%b\n" % (self._shape.close, head) if self._head else self._begin(head)
        self._head = head
        self._heads.add(head)
        self._body.add(opening + rows[1:])

    def close(self, rows: int) -> GroupedRequest:
        """End the body; the packer is used up."""
        closing = b" %b\n" % self._shape.close if self._head else b" %b\n" % self._shape.begin
        self._body.add(closing + b" %b\n" % self._shape.end)
        done = self._body.close(rows)
        return GroupedRequest(done.body, rows, done.raw_bytes, done.gzipped, len(self._heads))

    def _begin(self, head: bytes) -> bytes:
        return b" %b\n %b\n" % (self._shape.begin, head)


class GroupPacking:
    """The part of a codec that outputs with such bodies share.

    A row of `split` is the number of its head, a blank, and the row without comma and newline. It
    is for the `pack` of the same object.
    """

    def __init__(self, shape: Shape, *, gzip: bool) -> None:
        self._shape = shape
        self._gzip = gzip
        self._heads = Heads()

    def group_packer(self) -> GroupPacker:
        """A packer of groups for a new batch."""
        return GroupPacker(self._shape, GzipPacker() if self._gzip else PlainPacker())

    def split(self, request: Request) -> list[bytes]:
        """The rows of a request, each with the number of its group's head."""
        structure = {self._shape.begin, self._shape.close, self._shape.end}
        rows: list[bytes] = []
        prefix = b""
        for line in _lines(request):
            if line[0] != BLANK:
                assert prefix, "a row has a head in front of it"
                rows.append(prefix + line.lstrip(b","))
            elif line[1:] not in structure:
                prefix = b"%d " % self._heads.number(line.lstrip(b" ,"))
        assert len(rows) == request.rows, "a body has another number of rows than its request"
        return rows

    def pack(self, rows: list[bytes]) -> GroupedRequest:
        """A request of these rows (as `split` returns them)."""
        packer = self.group_packer()
        for number, group in groupby(rows, key=_number):
            bare = [b",%b\n" % row[row.index(b" ") + 1 :] for row in group]
            for at in range(0, len(bare), _ROWS_PER_STEP):
                packer.add(self._heads.head(number), b"".join(bare[at : at + _ROWS_PER_STEP]))
        return packer.close(len(rows))

    def parts(self, request: Request) -> list[Request]:
        """A request for each head, in the order of their first rows; the request itself when it
        has one. For servers that answer for one group only."""
        if isinstance(request, GroupedRequest) and request.heads == 1:
            return [request]
        groups: dict[int, list[bytes]] = {}
        for row in self.split(request):
            groups.setdefault(_number(row), []).append(row)
        return [self.pack(rows) for rows in groups.values()]


def _number(row: bytes) -> int:
    return int(row[: row.index(b" ")])


def _lines(request: Request) -> Iterator[bytes]:
    """The lines of a body, without newlines."""
    rest = b""
    for piece in pieces(request):
        for line in BytesIO(rest + piece):
            if line.endswith(b"\n"):
                yield line[:-1]
                rest = b""
            else:
                rest = line
    assert not rest, "a body ends within a line"
