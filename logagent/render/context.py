"""What a renderer knows about its file, its output and the configuration: the routes share it.

Knows the wanted timestamp fields, the metadata as bytes and the frame. Holds nothing of the data.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

from msgspec import Struct

from logagent.render.framing import Framing
from logagent.render.metadata import Clashes
from logagent.render.shapes import Shapes
from logagent.render.watch import Watch

OWN_STAMP: Final = "@timestamp"
Format = Literal["auto", "text", "json"]


class Refusal(Enum):
    """Why a route doesn't render a chunk."""

    DENSE = "its rows would be too many bytes: render less at once"
    EDIT = "it isn't what the route is for: the edit route has to look at each line"


class Tables(Struct, frozen=True):
    """What depends on the names in the metadata only: shared by the renderers of all files.

    clashes: which keys of an app push out which members. forbidden: watches for those and for the
    agent's own keys; stamps: watches for the timestamp fields.
    """

    clashes: Clashes
    forbidden: Watch
    stamps: Watch
    shapes: Shapes


class Context(Struct, frozen=True):
    """What all routes of one renderer need.

    fields: timestamp fields in the order of preference, `@timestamp` first in any case. members:
    key → `"key":value`. metadata: all of them, joined by commas. wire_bytes_max: see `Spec`.
    """

    format: Format
    fields: tuple[str, ...]
    members: Mapping[str, bytes]
    metadata: bytes
    framing: Framing
    tables: Tables
    wire_bytes_max: int

    def without(self, keys: frozenset[str]) -> bytes:
        """Return the metadata without the members that an app's `keys` push out."""
        out = self.tables.clashes.pushed_out(keys)
        return b",".join([text for key, text in self.members.items() if key not in out])


def normalise(data: bytes) -> bytes:
    """Make each line end in a newline alone."""
    return data.replace(b"\r\n", b"\n") if b"\r" in data else data


def is_utf8(data: bytes) -> bool:
    """Whether all bytes are UTF-8. msgspec doesn't look where it skips a value."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
