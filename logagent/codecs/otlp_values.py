"""JSON values as OTLP's AnyValue, both ways.

Source: opentelemetry/proto/common/v1/common.proto (AnyValue, KeyValue) and the JSON mapping of
docs/specification.md, "JSON Protobuf Encoding": keys in lowerCamelCase, 64-bit integers as decimal
strings. An object becomes a kvlistValue: flattened to dotted keys it could meet a key that is
dotted already, and keys are unique; a receiver that wants them flat flattens them itself. Must not
know a record.
"""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final

import msgspec
from msgspec import Raw

DEPTH_MAX: Final = 16
"""Objects and lists inside each other; what is deeper is text. Receivers stop at 100 messages, of
which one level takes three (protobuf's limit of recursion)."""

_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_LIST: Final = msgspec.json.Decoder(list[Raw])
_INTEGERS: Final = re.compile(rb"-?[0-9]{1,18}(?:\n-?[0-9]{1,18})*")
_FRACTION: Final = rb"-?[0-9]{1,17}\.[0-9]{1,17}"
_FRACTIONS: Final = re.compile(_FRACTION + rb"(?:\n" + _FRACTION + rb")*")
_INTEGER: Final = re.compile(rb"-?[0-9]{1,19}")
_LIMITS: Final = range(-(2**63), 2**63)

STRING: Final = b'{"stringValue":%b}'
INTEGER: Final = b'{"intValue":"%b"}'
DOUBLE: Final = b'{"doubleValue":%b}'


def column_values(joined: bytes, column: Sequence[Raw]) -> tuple[bytes, Sequence[Raw | bytes]]:
    """A template and what to fill in for the values of one key. joined: the values as JSON, with a
    newline between them.

    Nearly always all are of one kind, and a search in C finds it out.
    """
    if joined[:1] == b'"' and joined.count(b'\n"') == len(column) - 1:
        return STRING, column
    if _INTEGERS.fullmatch(joined):
        return INTEGER, column
    if _FRACTIONS.fullmatch(joined):
        return DOUBLE, column
    return b"%b", [any_value(bytes(value)) for value in column]


def any_value(raw: bytes, depth: int = DEPTH_MAX) -> bytes:
    """The AnyValue of a JSON value; null is an empty one."""
    first = raw[:1]
    if first == b'"':
        return STRING % raw
    if first in b"{[":
        return _nested(raw, depth)
    if first in b"tf":
        return b'{"boolValue":%b}' % raw
    if first == b"n":
        return b"{}"
    if _INTEGER.fullmatch(raw) and int(raw) in _LIMITS:
        return INTEGER % raw
    # Beyond a double's range (1e999) a parser refuses the whole request.
    return DOUBLE % raw if isfinite(float(raw)) else _text(raw)


def attribute(key: str, value: bytes) -> bytes:
    """A KeyValue of a key and an AnyValue."""
    return b'{"key":%b,"value":%b}' % (msgspec.json.encode(key), value)


def plain_value(value: object) -> object:
    """What an AnyValue, decoded, was made of."""
    match value:
        case {"stringValue": str(text)}:
            return text
        case {"intValue": number}:
            return int(str(number))
        case {"doubleValue": number} | {"boolValue": number}:
            return number
        case {"kvlistValue": {"values": [*members]}}:
            return plain_members(members)
        case {"arrayValue": {"values": [*values]}}:
            return [plain_value(each) for each in values]
        case _:
            return None


def plain_members(members: object) -> Mapping[str, object]:
    """What a list of KeyValues was made of."""
    assert isinstance(members, list), "a list in a record of ours"
    return {each["key"]: plain_value(each["value"]) for each in members}


def _nested(raw: bytes, depth: int) -> bytes:
    if depth == 0:
        return _text(raw)
    if raw[:1] == b"[":
        values = [any_value(bytes(each), depth - 1) for each in _LIST.decode(raw)]
        return b'{"arrayValue":{"values":[%b]}}' % b",".join(values)
    members = [
        attribute(key, any_value(bytes(value), depth - 1))
        for key, value in _OBJECT.decode(raw).items()
    ]
    return b'{"kvlistValue":{"values":[%b]}}' % b",".join(members)


def _text(raw: bytes) -> bytes:
    return STRING % msgspec.json.encode(raw.decode())
