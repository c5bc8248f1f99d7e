"""Where a buffer may be cut: event boundaries.

Knows lines and their longest allowed length. Must not know what is inside a line. A cut is a pure
function of the bytes from a line's start on: any split of the input gives the same events.
"""

from typing import NamedTuple


class Cut(NamedTuple):
    """`length` bytes are whole lines. `long` says that the line that follows them is over-long."""

    length: int
    long: bool


def cut_lines(data: bytes, line_bytes_max: int) -> Cut:
    """The longest prefix of `data` made of whole lines of at most `line_bytes_max` bytes each.

    The newline isn't counted. `data` starts at a line's start. The search jumps from limit to
    limit, so it costs len(data) / line_bytes_max short backward scans and not a look at each line.
    """
    start = 0
    window = line_bytes_max + 1
    while len(data) - start >= window:
        newline = data.rfind(b"\n", start, start + window)
        if newline < 0:
            return Cut(start, long=True)
        start = newline + 1
    return Cut(data.rfind(b"\n") + 1, long=False)


def cut_text(data: bytes, limit: int) -> int:
    """The largest length ≤ `limit` (≥ 4) at which `data` can be cut without splitting a UTF-8
    character. Bytes that aren't UTF-8 are cut at the limit."""
    if len(data) <= limit:
        return len(data)
    for length in range(limit, limit - 4, -1):
        if data[length] & 0xC0 != 0x80:  # not a continuation byte: a character starts here
            return length
    return limit
