"""The text of one configuration file → plain values, and the line that each was written in.

Knows YAML and JSON syntax and what of it is refused: aliases (eight levels of them make 43 million
values of 289 bytes), duplicate keys, tags, depth. Must not know any option.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.nodes import ScalarNode

from logagent.config.problems import Path, Problem, quote, show

BYTES_MAX: Final = 1 << 20
DEPTH_MAX: Final = 32
_TAG: Final = "tag:yaml.org,2002:"
_TYPES: Final = frozenset({f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null")})

# The C parser takes a tenth of the time; a PyYAML built without libyaml has the other alone.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Tree(NamedTuple):
    """The values of one file. `lines` has the line of each path (of those that are known), counted
    from 1; `problems` is what had to be left out."""

    value: object
    lines: dict[Path, int]
    problems: list[Problem]


def parse(file: str, data: bytes) -> Tree:
    """Parse a file's bytes; the name's ending says whether it is JSON. Never raises."""
    if len(data) > BYTES_MAX:
        return _nothing(file, 0, f"is larger than {BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _nothing(file, 0, f"is not UTF-8 at byte {error.start}")
    if file.endswith(".json"):
        return _parse_json(file, text)
    try:
        builder = _Builder(file, text)
        return Tree(builder.document(), builder.lines, builder.problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        what = f"YAML syntax at line {line}, column {column}: {error.problem or error.context}"
        return _nothing(file, line, what + _yaml_advice(text, line, str(error.problem)))
    except yaml.YAMLError as error:
        return _nothing(file, 0, f"YAML syntax: {' '.join(str(error).split())}")
    except _RefusedError as error:
        return _nothing(file, error.line, str(error))


class _RefusedError(Exception):
    """YAML that is well-formed and still not taken."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


class _Builder:
    """Builds values from the parser's events: no node tree, and a bound on the depth."""

    def __init__(self, file: str, text: str) -> None:
        # Any: the two loaders have no common typed base.
        self._loader: Any = _Loader(text)
        self._file = file
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []

    def document(self) -> object:
        """The only document of the file; None when there is nothing in it."""
        self._next()
        event = self._next()
        if isinstance(event, StreamEndEvent):
            return None
        assert isinstance(event, DocumentStartEvent)
        value = self._value(self._next(), ())
        self._next()
        event = self._next()
        if not isinstance(event, StreamEndEvent):
            raise _RefusedError(_line(event), "has a second document (---); one file is one map")
        return value

    def _next(self) -> Event:
        event: Event = self._loader.get_event()
        return event

    def _value(self, event: Event, path: Path) -> object:
        if len(path) > DEPTH_MAX:
            raise _RefusedError(_line(event), f"is nested more than {DEPTH_MAX} deep")
        if isinstance(event, AliasEvent):
            what = f"has the alias *{event.anchor}; aliases are refused, write the value out"
            raise _RefusedError(_line(event), what)
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, path)
        assert isinstance(event, ScalarEvent)
        return self._scalar(event)

    def _mapping(self, start: MappingStartEvent, path: Path) -> dict[str, object]:
        self._untagged(start, "map")
        out: dict[str, object] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            line = _line(event)
            key = self._key(event)
            here = (*path, key)
            value = self._value(self._next(), here)
            if key in out:
                what = f"is given a second time; the first is in line {self.lines[here]}"
                self.problems.append(Problem(self._file, line, here, what))
            else:
                out[key] = value
                self.lines[here] = line
        return out

    def _sequence(self, start: SequenceStartEvent, path: Path) -> list[object]:
        self._untagged(start, "seq")
        out: list[object] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            here = (*path, len(out))
            self.lines[here] = _line(event)
            out.append(self._value(event, here))
        return out

    def _key(self, event: Event) -> str:
        if not isinstance(event, ScalarEvent):
            raise _RefusedError(_line(event), "has a key that is a map, a list or an alias")
        if event.value == "<<" and event.implicit[0]:
            raise _RefusedError(_line(event), "has a merge key (<<), which is refused")
        value = self._scalar(event)
        if not isinstance(value, str) or not value.isprintable():
            what = f"has the key {quote(event.value)}, which is not text; put it in quotes"
            raise _RefusedError(_line(event), what)
        return value

    def _scalar(self, event: ScalarEvent) -> object:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(ScalarNode, event.value, event.implicit)
        elif tag not in _TYPES:
            raise _RefusedError(_line(event), f"has the tag {quote(tag)}, which is refused")
        # A date stays text, and so does 12:30, which YAML 1.1 reads as the number 750.
        if tag not in _TYPES or (tag != f"{_TAG}str" and ":" in event.value):
            return event.value
        try:
            value: object = self._loader.construct_object(ScalarNode(tag, event.value))
        except ValueError:  # `!!int x`, or a number of more than 4,300 digits
            raise _RefusedError(_line(event), f"{quote(event.value)} is not a number") from None
        return value

    def _untagged(self, event: MappingStartEvent | SequenceStartEvent, name: str) -> None:
        if event.tag not in {None, "!", _TAG + name}:
            raise _RefusedError(_line(event), f"has the tag {quote(event.tag)}, which is refused")


def _parse_json(file: str, text: str) -> Tree:
    # Imported here: most configurations are YAML.
    import json

    doubled: list[str] = []

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        out: dict[str, object] = {}
        for key, value in pairs:
            if key in out:
                doubled.append(key)
            out[key] = value
        return out

    try:
        value: object = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        what = f"JSON syntax at line {error.lineno}, column {error.colno}: {error.msg}"
        return _nothing(file, error.lineno, what)
    except (RecursionError, ValueError):
        return _nothing(file, 0, "is nested too deep, or has a number that is too long")
    if deep := _deep(value, ()):
        return _nothing(file, 0, f"is nested more than {DEPTH_MAX} deep at {show(deep)[:60]}")
    problems = [Problem(file, 0, None, f"has the key {quote(key)} twice") for key in doubled]
    return Tree(value, {}, problems)


def _deep(value: object, path: Path) -> Path:
    """A path that is too deep, () if none is."""
    if len(path) > DEPTH_MAX:
        return path
    if isinstance(value, dict):
        return next(filter(None, (_deep(v, (*path, k)) for k, v in value.items())), ())
    if isinstance(value, list):
        return next(filter(None, (_deep(v, (*path, i)) for i, v in enumerate(value))), ())
    return ()


def _nothing(file: str, line: int, what: str) -> Tree:
    return Tree(None, {}, [Problem(file, line, None, what)])


def _line(event: Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 0


def _yaml_advice(text: str, line: int, problem: str) -> str:
    """What to change, for the three mistakes that people make most."""
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return "; indent with spaces, not with a tab"
    if "alphabetic or numeric" in problem or here.lstrip("- ").startswith("*"):
        return '; put a value that starts with * in quotes: "*.log"'
    if "mapping values are not allowed" in problem:
        return "; is the indentation right, and is text with a colon in quotes?"
    return ""
