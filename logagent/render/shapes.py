"""Decodes JSON lines as far as the render has to know them, at C speed.

Knows how to have msgspec validate a chunk and refuse it when a key is there that must not be, or
isn't there that must. Must not know what the keys mean.
"""

from typing import Annotated, Final, Protocol

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

Impossible = Annotated[str, Meta(min_length=1, max_length=0)]
"""A type that no value has: a field of it makes msgspec refuse each object that has the key. It has
unescaped the key by then, so no spelling gets past it (10 ns a line and key)."""

SHAPES_MAX: Final = 64
"""Distinct decoders kept; each is some kilobytes. An app has one or two shapes."""


class Shape(Struct, frozen=True):
    """Which keys each object of a chunk has, and which none has.

    value: the key whose value is wanted ("": of none); is_text: it is a string. present: further
    keys, absent: keys that must not be there.
    """

    value: str
    is_text: bool
    present: frozenset[str]
    absent: frozenset[str]


class Row(Protocol):
    """What a decoder returns for each line: the wanted value, if the shape wants one."""

    text: str
    raw: Raw


class Decode(Protocol):
    """Decode all lines of a chunk. Raises msgspec.ValidationError when an object has another shape,
    msgspec.DecodeError when a line isn't JSON, RecursionError when it is nested too deeply."""

    def __call__(self, data: bytes) -> list[Row]:
        """Decode."""


class DecodeLoose(Protocol):
    """Decode all lines, of whatever shape: attributes `value0`, `value1`, …, Raw or UNSET."""

    def __call__(self, data: bytes) -> list[object]:
        """Decode."""


class Shapes:
    """The decoders made so far."""

    def __init__(self) -> None:
        self.decoders: dict[Shape, Decode] = {}
        self.loose_decoders: dict[tuple[tuple[str, ...], frozenset[str]], DecodeLoose] = {}

    def decoder(self, shape: Shape) -> Decode:
        """Return the decoder for a shape, made when it is first asked for."""
        found = self.decoders.get(shape)
        if found is None:
            if len(self.decoders) >= SHAPES_MAX:
                self.decoders.clear()
            found = self.decoders[shape] = make_decoder(shape)
        return found

    def loose(self, keys: tuple[str, ...], absent: frozenset[str]) -> DecodeLoose:
        """Return the decoder that tells which of `keys` each object has; none has `absent`."""
        found = self.loose_decoders.get((keys, absent))
        if found is None:
            if len(self.loose_decoders) >= SHAPES_MAX:
                self.loose_decoders.clear()
            found = self.loose_decoders[keys, absent] = make_loose_decoder(keys, absent)
        return found


Field = tuple[str, object, object]


def make_decoder(shape: Shape) -> Decode:
    """Make a decoder. An empty Struct is the cheapest of all types that only objects have."""
    fields: list[Field] = []
    if shape.value:
        name, kind = ("text", str) if shape.is_text else ("raw", Raw)
        fields.append((name, kind, msgspec.field(name=shape.value)))
    fields += [
        (f"present{at}", Raw, msgspec.field(name=key))
        for at, key in enumerate(sorted(shape.present))
    ]
    struct = msgspec.defstruct("Row", [*fields, *forbid(shape.absent)], gc=False)
    # Its attributes are known at run time only.
    return msgspec.json.Decoder(struct).decode_lines  # type: ignore[return-value]


def make_loose_decoder(keys: tuple[str, ...], absent: frozenset[str]) -> DecodeLoose:
    """Make a decoder of optional fields."""
    fields: list[Field] = [
        (f"value{at}", Raw | UnsetType, msgspec.field(name=key, default=UNSET))
        for at, key in enumerate(keys)
    ]
    struct = msgspec.defstruct("Loose", [*fields, *forbid(absent)], gc=False)
    return msgspec.json.Decoder(struct).decode_lines  # type: ignore[return-value]


def forbid(keys: frozenset[str]) -> list[Field]:
    """Make fields that no object may have."""
    return [
        (f"absent{at}", Impossible, msgspec.field(name=key, default=""))
        for at, key in enumerate(sorted(keys))
    ]
