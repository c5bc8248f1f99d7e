"""Reads an app's timestamps and writes ours.

Knows RFC 3339 and epoch numbers, as Elasticsearch's `strict_date_optional_time` takes them. Must
not know the clock: the reading time is an argument.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

import msgspec
import orjson

HOUR_CHARS: Final = len("2026-11-24T10")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LIMITS: Final = ((10**11, 0), (10**14, 3), (10**17, 6), (10**20, 9))
"""Epoch numbers by magnitude: below 10^11 seconds (until the year 5138), then milli-, micro-,
nanoseconds; the second figure is how many of the digits are the fraction of a second."""
OFFSET_MINUTES_MAX: Final = 18 * 60
"""Java's limit for a zone offset, and with that Elasticsearch's."""
LENGTH_MAX: Final = len("2026-11-24T10:00:00.123456789Z")

RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d+))?(?:([Zz])|([+-]\d\d):?(\d\d))?", re.ASCII
)
NUMBER: Final = re.compile(rb"(\d+)(?:\.(\d+))?")


Hours = str | list[str]
"""The UTC hours of rows: one for all of them, or one for each."""


class Stamp(NamedTuple):
    """A timestamp as JSON text (quotes included), and its hour in UTC, as in `2026-11-24T10`."""

    text: bytes
    hour: str


UNREADABLE: Final = b',"logagent":{"error":"timestamp"}'
"""Follows our time where the app's can't be read."""


class Column(NamedTuple):
    """The timestamps of some rows: their JSON text, their hours, and how many can't be read."""

    texts: list[bytes]
    hours: Hours
    unreadable: int


def stamp(now: float) -> Stamp:
    """Return the reading time, seconds since the epoch, as RFC 3339 with milliseconds."""
    text = (EPOCH + timedelta(milliseconds=int(now * 1000))).isoformat(timespec="milliseconds")
    return Stamp(b'"%bZ"' % text[: -len("+00:00")].encode(), text[:HOUR_CHARS])


def read_stamp(value: bytes) -> Stamp | None:
    """Read one JSON value as a timestamp; None when it isn't one.

    A string that Elasticsearch takes as it is stays as it is; others are spelled its way (`T` and
    `Z` large, a point, at most 9 digits of a second, a colon in the offset; no zone is UTC).
    """
    if not value.startswith(b'"'):
        return read_number(value)
    try:
        match = RFC3339.fullmatch(orjson.loads(value))
    except orjson.JSONDecodeError:
        return None
    if match is None:
        return None
    date, time, fraction, _, hours, minutes = match.groups()
    offset = int(f"{hours[0]}1") * (int(hours[1:]) * 60 + int(minutes)) if hours else 0
    if abs(offset) > OFFSET_MINUTES_MAX or int(minutes or 0) > 59:
        return None
    try:
        moment = datetime.fromisoformat(f"{date}T{time}")
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=offset))).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day or hour; the year 0 or 10000 in UTC
        return None
    zone = f"{hours}:{minutes}" if hours else "Z"
    text = f'"{date}T{time}{"." if fraction else ""}{(fraction or "")[:9]}{zone}"'
    return Stamp(text.encode(), moment.isoformat()[:HOUR_CHARS])


def read_number(value: bytes) -> Stamp | None:
    """Read an epoch number, as precise as it is written; None for a negative or absurd one."""
    match = NUMBER.fullmatch(value)
    if match is None:
        try:  # with an exponent, as some encoders write floats: 1.7324424e+09
            match = NUMBER.fullmatch(b"%.6f" % float(value))
        except (ValueError, OverflowError):
            return None
        if match is None or b"e" not in value.lower():
            return None
    whole, rest = match[1], match[2] or b""
    if len(whole) > 20:
        return None
    digits = next((count for limit, count in LIMITS if int(whole) < limit), None)
    if digits is None:
        return None
    seconds = int(whole[: len(whole) - digits] or b"0")
    fraction = (whole[len(whole) - digits :] if digits else b"") + rest
    text = (EPOCH + timedelta(seconds=seconds)).isoformat()[: -len("+00:00")]
    point = b"." if fraction else b""
    return Stamp(b'"%b%b%bZ"' % (text.encode(), point, fraction[:9]), text[:HOUR_CHARS])


def read_texts(texts: list[str], ours: Stamp, *, dated: bool) -> Column:
    """Read the strings of a column. dated: the hours are wanted."""
    if are_plain(texts):
        hours = hours_of(texts) if dated else ours.hour
        return Column(('"' + '"\n"'.join(texts) + '"').encode().split(b"\n"), hours, 0)
    return read_each(list(map(orjson.dumps, texts)), ours)


def read_hours(texts: list[str], ours: Stamp) -> Hours:
    """Read the hours of strings alone; of one that isn't a timestamp, our hour."""
    return hours_of(texts) if are_plain(texts) else read_texts(texts, ours, dated=True).hours


def read_values(values: list[bytes], ours: Stamp, *, dated: bool) -> Column:
    """Read the JSON values of a column: at once if they are strings, or numbers of one form."""
    try:
        texts = msgspec.json.decode(b"[" + b",".join(values) + b"]", type=list[str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return read_epochs(values, ours, dated=dated) or read_each(values, ours)
    return read_texts(texts, ours, dated=dated)


def read_each(values: list[bytes], ours: Stamp) -> Column:
    """Read JSON values one by one; one that can't be read becomes our time with a remark."""
    unreadable = Stamp(ours.text + UNREADABLE, ours.hour)
    stamps = [read_stamp(value) or unreadable for value in values]
    return Column(
        [each.text for each in stamps],
        [each.hour for each in stamps],
        sum(each is unreadable for each in stamps),
    )


def read_epochs(values: list[bytes], ours: Stamp, *, dated: bool) -> Column | None:
    """Read epoch numbers of one form as `read_number` does; None for others.

    From 2001 to 2286 the seconds are the first ten digits, and what follows is the fraction as it
    is: three, six or nine digits, or a point and digits.
    """
    heads = [value[:10] for value in values]
    tails = [value[10:] for value in values]
    count, digits, width = len(values), b"".join(tails), len(tails[0])
    point = digits[:1] if digits[:1] == b"." else b""
    if point:
        if digits.count(point) != count or not all(
            tail[:1] == point and tail[1:] for tail in tails
        ):
            return None
        digits = digits.replace(point, b"")
        tails = [tail[:10] for tail in tails] if max(map(len, tails)) > 10 else tails
    elif width not in (0, 3, 6, 9) or set(map(len, tails)) != {width}:
        return None
    if not b"".join([*heads, digits]).isdigit() or min(map(len, heads)) != 10:
        return None
    spelled: dict[bytes, bytes] = {}
    hours: dict[bytes, str] = {}
    for head in set(heads):
        text = (EPOCH + timedelta(seconds=int(head))).isoformat()[: -len("+00:00")]
        spelled[head] = b'"' + text.encode() + (b"" if point or not width else b".")
        hours[head] = text[:HOUR_CHARS]
    texts = [spelled[head] + tail + b'Z"' for head, tail in zip(heads, tails, strict=True)]
    return Column(texts, [hours[head] for head in heads] if dated else ours.hour, 0)


def are_plain(texts: Sequence[str]) -> bool:
    """Whether all strings are timestamps that `read_stamp` would keep as they are.

    Columnar: msgspec reads them all (ranges, 35 ns each), and a few searches over all of them make
    sure of the spelling. Sound but not complete: those that it can't judge are for `read_stamp`.
    """
    try:
        msgspec.convert(texts, list[datetime])
    except msgspec.ValidationError:
        return False
    joined, count, width = "".join(texts), len(texts), len(texts[0])
    if not joined.isascii() or " " in joined or "t" in joined or "z" in joined or "," in joined:
        return False
    zone = texts[0][-6:]
    if zone[-1] == "Z":
        # A zone is last in its string: as many at these places as strings, so widths are equal.
        return (joined[width - 1 :: width] == "Z" * count and width <= LENGTH_MAX) or (
            "".join([text[-1] for text in texts]) == "Z" * count
            and max(map(len, texts)) <= LENGTH_MAX
        )
    return (
        zone[0] in "+-"
        and zone[3] == ":"
        and set(map(len, texts)) == {width}
        and width <= LENGTH_MAX - 1 + len(zone)
        and int(zone[1:3]) < 18
        and all(joined[width - 6 + at :: width] == zone[at] * count for at in range(6))
    )


def hours_of(texts: Sequence[str]) -> Hours:
    """Return the UTC hours of plain timestamps."""
    zone = texts[0][-6:]
    if zone[-1] == "Z":
        first = texts[0][:HOUR_CHARS]
        if min(texts)[:HOUR_CHARS] == first == max(texts)[:HOUR_CHARS]:
            return first
        return [text[:HOUR_CHARS] for text in texts]
    # All have the same offset. One of half an hour splits an hour, so the key has the minutes.
    ahead = timedelta(minutes=int(f"{zone[0]}1") * (int(zone[1:3]) * 60 + int(zone[4:])))
    known: dict[str, str] = {}
    for local in {text[:16] for text in texts}:
        try:
            known[local] = (datetime.fromisoformat(local) - ahead).isoformat()[:HOUR_CHARS]
        except OverflowError:  # in UTC it is the year 0 or 10000
            known[local] = local[:HOUR_CHARS]
    return [known[text[:16]] for text in texts]
