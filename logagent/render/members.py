"""The top level of JSON objects, as dicts: what the careful route works on.

Knows how to decode and rewrite it without touching a value. Must not know metadata or timestamps.
"""

from typing import Final

import msgspec
from msgspec import DecodeError, Raw

Members = dict[str, Raw]
"""The top level of an object; `Raw` keeps each value byte for byte, undecoded."""

decode_members: Final = msgspec.json.Decoder(Members).decode
decode_rows: Final = msgspec.json.Decoder(Members).decode_lines
encode: Final = msgspec.json.Encoder().encode


def shadow(members: Members, moved: tuple[str, ...]) -> bytes:
    """Return the object with some of its keys moved under `shadowed`.

    What the app has under `shadowed` itself stays there, beside them; what isn't an object gets the
    name `shadowed` in it.
    """
    kept = members.copy()
    under: Members = {}
    for key in moved:
        under[key] = kept.pop(key)
    own = kept.pop("shadowed", None)
    if own is not None:
        beside = decode_members(own) if bytes(own).startswith(b"{") else {"shadowed": own}
        under = beside | under
    kept["shadowed"] = Raw(encode(under))
    return encode(kept)


def decode_all(lines: list[bytes]) -> list[Members] | None:
    """Decode lines at once; None when not each of them is one JSON object."""
    if not all(line[0] == 123 and line[-2] == 125 for line in lines):
        return None
    try:
        rows = decode_rows(b"".join(lines))
    except (DecodeError, RecursionError):
        return None
    return rows if len(rows) == len(lines) else None  # equal: see splice.py


def try_decode(line: bytes) -> Members | None:
    """Decode one line; None when it isn't a JSON object in UTF-8."""
    try:
        if not line.isascii():
            line.decode()  # msgspec doesn't look at what it skips
        return decode_members(line)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
