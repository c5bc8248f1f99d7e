"""Dead letters: rows that a sink refused, as lines that can be read, counted and sent again.

Knows the line's form. Must not write it anywhere.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from logagent.core.chunk import Rejection


class DeadLetter(Struct, frozen=True, omit_defaults=True):
    """One refused row.

    `document` is the JSON document as text, so that nothing in it can be refused again for its
    shape. `row` is the framing in front of it (an Elasticsearch action with the event's id), so
    that a replay sends the same id.
    """

    time: str
    output: str
    status: int
    kind: str
    reason: str
    document: str
    row: str = ""


def encode(letters: Sequence[DeadLetter]) -> bytes:
    """Whole lines, one a letter."""
    return b"".join(msgspec.json.encode(letter) + b"\n" for letter in letters)


def decode(line: bytes) -> DeadLetter:
    """A letter from its line. Raises msgspec.DecodeError."""
    return msgspec.json.decode(line, type=DeadLetter)


def letter(
    row: bytes, document: bytes, rejection: Rejection, *, output: str, time: str
) -> DeadLetter:
    """The letter for a refused row of `output` at `time` (RFC 3339)."""
    head = row.split(b"\n", 1)[0] if row.count(b"\n") > 1 else b""
    return DeadLetter(
        time=time,
        output=output,
        status=rejection.status,
        kind=rejection.kind,
        reason=rejection.reason,
        document=document.decode("utf-8", "replace"),
        row=head.decode("utf-8", "replace"),
    )
