"""Columns of a chunk's documents: their times, and the text of a field.

Knows NDJSON as the render makes it: valid, one object a line. For outputs whose rows carry a time,
a key or a name that the document alone has. At C speed: one decoding for all rows. Must not know a
codec.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX: Final = b'{"@timestamp":"'
SECOND_NS: Final = 1_000_000_000
NS_END: Final = 2**63
"""One more than the last nanosecond that formats have room for: in April 2262."""
_EPOCH_LIMITS: Final = ((10**11, SECOND_NS), (10**14, 10**6), (10**17, 10**3))
"""Epoch numbers by magnitude: seconds, milli-, micro-, else nanoseconds, as render/timestamp.py
reads them; the second figure makes nanoseconds of them."""


class _Timed(Struct, gc=False):
    stamp: str | int | float | UnsetType | None = msgspec.field(default=UNSET, name="@timestamp")


class _Loose(Struct, gc=False):
    stamp: Raw | UnsetType = msgspec.field(default=UNSET, name="@timestamp")


_TIMED: Final = msgspec.json.Decoder(_Timed)
_LOOSE: Final = msgspec.json.Decoder(_Loose)
_ODD: Final = re.compile(r'["\\\x00-\x1f]')
_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])


class Times(NamedTuple):
    """When rows happened, in nanoseconds since 1970: one time for all of them, or each."""

    same: int | None
    each: list[int]

    def column(self, count: int) -> list[int]:
        """The time of each of `count` rows."""
        return self.each if self.same is None else [self.same] * count


def times_ns(documents: bytes, count: int, now_ns: int) -> Times:
    """The `@timestamp` of each document; `now_ns` for one without, or that can't be read.

    documents: `count` lines, each one JSON object. 12 ns a row when all have the agent's own time
    in front, as text and what has no time of its own does; else about 300.
    """
    if documents.startswith(_PREFIX):
        end = documents.index(b'"', len(_PREFIX)) + 1
        head = documents[:end]
        if b"\\" not in head and (b"\n" + head in documents or count == 1):
            same = documents.count(b"\n" + head) + 1 == count
            if same:
                return Times(to_ns(head[len(_PREFIX) : -1].decode(), now_ns), [])
    try:
        stamps: list[object] = [row.stamp for row in _TIMED.decode_lines(documents)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        stamps = [_loose(line) for line in _lines(documents)]
    return Times(None, _zulu(stamps) or [to_ns(stamp, now_ns) for stamp in stamps])


def _zulu(stamps: list[object]) -> list[int] | None:
    """The times of stamps that all look like the first, `2026-11-24T10:11:12.345Z`; None if they
    don't. A quarter of what one `to_ns` each costs: the seconds are looked up."""
    first = stamps[0] if stamps else None
    if not isinstance(first, str) or not 21 < len(first) <= 30:
        return None
    length, scale = len(first), 10 ** (30 - len(first))
    seconds: dict[str, int] = {}
    each: list[int] = []
    for stamp in stamps:
        if not isinstance(stamp, str) or len(stamp) != length:
            return None
        second, digits = stamp[:19], stamp[20:-1]
        if stamp[19] != "." or stamp[-1] != "Z" or "." in second:
            return None
        if not digits.isdecimal() or not digits.isascii():
            return None
        known = seconds.get(second)
        if known is None:
            known = to_ns(second + "Z", -1)
            if known < 0:
                return None
            seconds[second] = known
        each.append(known + int(digits) * scale)
    return each


def to_ns(stamp: object, now_ns: int) -> int:
    """Nanoseconds since 1970 of a decoded `@timestamp`; `now_ns` when it is none.

    Text is RFC 3339, with up to nine digits of a second; numbers are epochs by magnitude. What is
    before 1970 or after 2262 is none: the formats that want nanoseconds can't hold it.
    """
    if isinstance(stamp, str):
        return _text_ns(stamp, now_ns)
    if isinstance(stamp, (int, float)) and not isinstance(stamp, bool) and 0 <= stamp < NS_END:
        factor = next((f for limit, f in _EPOCH_LIMITS if stamp < limit), 1)
        return int(stamp * factor)
    return now_ns


def field_texts(documents: bytes, field: str) -> list[str | None]:
    """The text of a field in each document: a string as it is, a number or a boolean as JSON; None
    where it isn't there or has no such value. `field` is a top-level name, else the dotted path
    below objects.

    0.4 µs a row for a top-level name that has a text, or nothing, in all documents; else 1.2.
    """
    if _ODD.search(field):  # no name for a decoder of msgspec's
        return [_text(_find(line, field)) for line in _lines(documents)]
    if "." not in field:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [row.text for row in _text_decoder(field).decode_lines(documents)]
    decoder, depth = _field_decoder(field)
    try:
        rows = decoder.decode_lines(documents)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # One document has something else where others have an object: each by itself.
        return [_text(_find(line, field)) for line in _lines(documents)]
    return [_text(_inner(row, depth)) for row in rows]


def _text_ns(text: str, now_ns: int) -> int:
    if text.endswith("z"):  # as RFC 3339 allows it, and Python doesn't
        text = text[:-1] + "Z"
    head, point, rest = text.replace(",", ".").partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if point else ""
    zone = rest[len(digits) :]
    if "." in zone:
        return now_ns
    try:
        moment = datetime.fromisoformat(head + zone)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        whole = moment - _EPOCH
    except (ValueError, OverflowError):
        return now_ns
    seconds = whole.days * 86_400 + whole.seconds
    found = seconds * SECOND_NS + int(digits[:9].ljust(9, "0") or "0")
    return found if 0 <= found < NS_END else now_ns


def _loose(line: bytes) -> object:
    try:
        raw = _LOOSE.decode(line).stamp
        return None if raw is UNSET else msgspec.json.decode(raw, type=str | int | float)
    except (ValueError, RecursionError):
        return None


# Any: the decoder's type is made at run time, from a field's name.
@lru_cache(maxsize=64)
def _text_decoder(field: str) -> Any:  # noqa: ANN401 - see above
    """A decoder of documents whose top-level `field` is a text, null or absent."""
    text = ("text", str | None, msgspec.field(name=field, default=None))
    return msgspec.json.Decoder(msgspec.defstruct("Row", [text], gc=False))


# Any: the decoder's type is made at run time, from a field's name.
@lru_cache(maxsize=64)
def _field_decoder(field: str) -> tuple[Any, int]:
    """A decoder of documents down to a field, and how many objects deep it is.

    The whole name is tried as one key first: what has `a.b` as a key means that.
    """
    parts = field.split(".")
    kind: Any = Raw  # Any: a type made at run time
    for part in reversed(parts):
        kind = msgspec.defstruct(
            "Level", [("inner", kind | UnsetType, msgspec.field(name=part, default=UNSET))]
        )
    if len(parts) > 1:
        flat = ("flat", Raw | UnsetType, msgspec.field(name=field, default=UNSET))
        inner = msgspec.structs.fields(kind)[0]
        kind = msgspec.defstruct(
            "Top", [("inner", inner.type, msgspec.field(name=parts[0], default=UNSET)), flat]
        )
    return msgspec.json.Decoder(kind), len(parts)


# Any: see _field_decoder.
def _inner(row: object, depth: int) -> Raw | None:
    found: object = getattr(row, "flat", UNSET)
    if found is UNSET:
        found = row
        for _ in range(depth):
            found = getattr(found, "inner", UNSET)
    return found if isinstance(found, Raw) else None


def _find(line: bytes, field: str) -> Raw | None:
    """The field's value in one document, whatever stands where an object is sought."""
    try:
        level = _OBJECT.decode(line)
        if field in level:
            return level[field]
        *parents, last = field.split(".")
        for parent in parents:
            level = _OBJECT.decode(level[parent])
        return level[last]
    except (ValueError, RecursionError, KeyError):
        return None


def _text(found: Raw | None) -> str | None:
    data = b"" if found is None else bytes(found)
    if data.startswith(b'"'):
        try:
            return msgspec.json.decode(data, type=str)
        except ValueError:  # half a surrogate pair, which no text can hold
            return None
    return None if data[:1] in b"{[n" else data.decode()


def _lines(documents: bytes) -> list[bytes]:
    """Not `splitlines`: JSON may have a carriage return between two of its parts."""
    return documents.removesuffix(b"\n").split(b"\n")


def split_ids(rows: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Ids and documents of rows that are an id, a tab, a document."""
    pairs = [row.partition(b"\t") for row in rows]
    return [pair[0] for pair in pairs], [pair[2] for pair in pairs]


def documents_of(rows: Sequence[bytes]) -> bytes:
    """Documents as `times_ns` and `field_texts` take them, of rows without newlines."""
    return b"\n".join(rows) + b"\n"
