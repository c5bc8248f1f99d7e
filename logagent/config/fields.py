"""Rules for the fields that a user adds to each document.

Knows JSON values and dotted names. Must not know who writes the fields where.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from msgspec import Meta

from logagent.config.problems import Path, Rule, quote

# Any: msgspec has no recursive aliases, so what JSON may hold is checked here instead of by type.
Fields = dict[Annotated[str, Meta(min_length=1)], Any]

DEPTH_MAX: Final = 8
"""Elasticsearch's own limit is 20 (index.mapping.depth.limit), for the app's fields too."""
_AGENT_OWNED: Final = frozenset({"@timestamp", "message", "logagent"})


def field_rules(fields: Mapping[str, object]) -> Iterator[Rule]:
    """What is wrong with a `fields` option, relative to the Struct that has it."""
    for name in fields:
        if name.split(".", 1)[0] in _AGENT_OWNED:
            yield Rule(("fields", name), "is written by the agent itself; choose another name")
        if not all(name.split(".")):
            yield Rule(("fields", name), "has an empty name between dots")
    yield from _values(fields, ("fields",))
    for name, path in clashes(fields).items():
        yield Rule(("fields", *path), f"gives {quote(name)} a second value; remove one")


def clashes(*layers: Mapping[str, object]) -> dict[str, Path]:
    """Dotted names that are both a value and the parent of others (or, within one layer, given
    twice), with where the later one was written. A server refuses documents with such fields."""
    leaves: dict[str, int] = {}
    parents: set[str] = set()
    found: dict[str, Path] = {}
    for number, layer in enumerate(layers):
        for name, path in _leaves(layer):
            above = _parents(name)
            if name in parents or leaves.get(name) == number or not above.isdisjoint(leaves):
                found[name] = path
            leaves[name] = number
            parents |= above
    return found


def _leaves(value: Mapping[str, object]) -> Iterator[tuple[str, Path]]:
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            for name, path in _leaves(inner):
                yield f"{key}.{name}", (key, *path)
        else:
            yield key, (key,)


def _parents(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts))}


def _values(value: object, path: Path) -> Iterator[Rule]:
    if len(path) > DEPTH_MAX:
        yield Rule(path, f"is nested more than {DEPTH_MAX} deep")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _values(inner, (*path, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield Rule(path, "is not a number that JSON has")
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        yield Rule(path, "is an integer of more than 64 bits; write it as text, in quotes")
