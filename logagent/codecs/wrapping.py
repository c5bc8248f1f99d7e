"""A document that no mapping can refuse, made of one that was.

Knows which members a wrapped document has and which dates are safe. Must not know any framing.
"""

import re
from datetime import date
from typing import Final

import msgspec
import orjson
from msgspec import UNSET, Raw, Struct, UnsetType

_RFC3339: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-7]):[0-5][0-9])"
)
"""RFC 3339 as far as Elasticsearch's `strict_date_optional_time` takes it: upper-case T and Z, no
leap second, at most nanoseconds, an offset that Java knows (below 18 hours)."""

_YEARS: Final = range(1970, 2262)
"""What both field types can hold: `date_nanos` counts nanoseconds since 1970 in 63 bits."""

_EPOCH_MS_MAX: Final = 9_223_372_036_854
"""The same limit for a number (milliseconds)."""

AGENTS: Final = ("kubernetes", "k8s", "data_stream")
"""The members that no line can write (render/metadata.py, with dotted ones below them), so that
none can have given them another type either. A test holds the two together."""

_OURS: Final = frozenset({"@timestamp", "message", "logagent", "logagent.error"})


class _Dated(Struct):
    """All that is read of the document. The rest may be what the sink choked on."""

    timestamp: Raw | UnsetType = msgspec.field(default=UNSET, name="@timestamp")


def wrap_document(document: bytes, metadata: bytes, *, kind: str, now: str) -> bytes:
    """`@timestamp` (the document's own if it is a date, else `now`), the metadata's members, the
    document as text in `message`, and `logagent.error: kind`. One line without newline.

    `metadata` is members with or without commas around them: `"a":1,"b":{},`.
    """
    members: dict[str, object] = orjson.loads(b"{%b}" % metadata.strip(b", "))
    ours = members.get("logagent")
    remarks = {**ours, "error": kind} if isinstance(ours, dict) else {"error": kind}
    return orjson.dumps(
        {
            "@timestamp": timestamp(document, now),
            **{key: value for key, value in members.items() if key not in _OURS},
            "message": document.decode("utf-8", "replace"),
            "logagent": remarks,
        }
    )


def bare_document(wrapped: bytes) -> bytes:
    """A wrapped document once more, for an index where lines gave `message`, or a name of the
    metadata, another type: time, the agent's own members, the text in `logagent.message`."""
    members: dict[str, object] = orjson.loads(wrapped)
    remarks = members["logagent"]
    assert isinstance(remarks, dict), "made by wrap_document"
    return orjson.dumps(
        {
            "@timestamp": members["@timestamp"],
            **{key: value for key, value in members.items() if key.split(".", 1)[0] in AGENTS},
            "logagent": {**remarks, "message": members["message"]},
        }
    )


def unwrap_document(wrapped: bytes) -> bytes:
    """The document that a wrapped one, or a bare one, was made of."""
    members: dict[str, object] = orjson.loads(wrapped)
    remarks = members["logagent"]
    assert isinstance(remarks, dict), "made by wrap_document"
    text = members.get("message", remarks.get("message"))
    assert isinstance(text, str), "made by wrap_document"
    return text.encode()


def timestamp(document: bytes, now: str) -> str | int:
    """The document's `@timestamp` if every Elasticsearch date field takes it, else `now`."""
    try:
        raw = msgspec.json.decode(document, type=_Dated).timestamp
        value = None if raw is UNSET else msgspec.json.decode(raw, type=str | int)
    except (ValueError, RecursionError):  # any kind of bad JSON, UTF-8 or type
        return now
    if isinstance(value, str):
        return value if _is_date(value) else now
    return now if value is None or not 0 <= value <= _EPOCH_MS_MAX else value


def _is_date(text: str) -> bool:
    match = _RFC3339.fullmatch(text)
    if match is None:
        return False
    try:
        return date.fromisoformat(match[1]).year in _YEARS
    except ValueError:  # 30 February
        return False
