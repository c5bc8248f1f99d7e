"""The committed schema is what the options say, in words that all editors know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from logagent.config import load
from logagent.config.schema import schema

CONFIG = Path(__file__).parents[2] / "config"
KEYWORDS = {
    "$schema", "$ref", "title", "description", "default", "examples", "type", "enum", "anyOf",
    "allOf", "properties", "required", "additionalProperties", "propertyNames", "items",
    "minItems", "minLength", "minimum", "maximum", "exclusiveMinimum", "pattern", "definitions",
}  # fmt: skip
KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
    "integer": int, "number": (int, float),
}  # fmt: skip
# Any: a schema's parts are whatever JSON holds.
Part = dict[str, Any]
Whole = Part


@pytest.fixture
def whole() -> Whole:
    """The schema, parsed."""
    return msgspec.json.decode(schema(), type=Whole)


def test_the_committed_schema_is_current() -> None:
    """`make generate` was run after the last change of an option."""
    assert (CONFIG / "schema.json").read_text() == schema()


def test_nothing_but_draft_07_is_used(whole: Whole) -> None:
    """Editors ignore what they don't know: a check that nobody makes."""

    def check(part: object) -> None:
        if isinstance(part, list):
            for inner in part:
                check(inner)
        if not isinstance(part, dict):
            return
        assert part.keys() <= KEYWORDS, part.keys() - KEYWORDS
        assert "$ref" not in part or len(part) == 1
        for key, value in part.items():
            if key in {"properties", "definitions"}:
                for inner in value.values():
                    check(inner)
            elif key not in {"default", "examples", "enum"}:
                check(value)

    check(whole)


def broken(value: object, part: Part, whole: Whole) -> Iterator[str]:
    """Why a value isn't what the schema says: as much of draft-07 as ours uses."""
    if "$ref" in part:
        part = whole["definitions"][part["$ref"].removeprefix("#/definitions/")]
    for inner in part.get("allOf", ()):
        yield from broken(value, inner, whole)
    arms = [list(broken(value, inner, whole)) for inner in part.get("anyOf", ())]
    if arms and all(arms):
        yield from min(arms, key=len)
    yield from broken_scalar(value, part)
    for item in value if isinstance(value, list) else ():
        yield from broken(item, part.get("items", {}), whole)
    if not isinstance(value, dict):
        return
    for name in part.get("required", ()):
        if name not in value:
            yield f"{name} is missing"
    for name, inner in value.items():
        known = part.get("properties", {}).get(name, part.get("additionalProperties", {}))
        if known is False:
            yield f"{name} is unknown"
        else:
            yield from broken(inner, known, whole)


def broken_scalar(value: object, part: Part) -> Iterator[str]:
    """The same for what is no map and no list."""
    if part.get("type") and not isinstance(value, KINDS[part["type"]]):
        yield f"{value!r} is no {part['type']}"
    if part.get("type") in {"integer", "number"} and isinstance(value, bool):
        yield f"{value!r} is no {part['type']}"
    if "enum" in part and value not in part["enum"]:
        yield f"{value!r} is none of {part['enum']}"
    if "pattern" in part and isinstance(value, str) and not re.search(part["pattern"], value):
        yield f"{value!r} does not match"


@pytest.mark.parametrize("name", ["reference.yaml", "example.yaml", "quickstart.yaml"])
def test_the_schema_takes_what_loads(whole: Whole, name: str) -> None:
    """All committed configurations, as they come out of YAML and before variables are replaced."""
    import yaml

    tree = yaml.safe_load((CONFIG / name).read_text())
    assert list(broken(tree, whole, whole)) == []
    load([str(CONFIG / name)], {})


def test_the_schema_refuses_what_does_not_load(whole: Whole) -> None:
    """Unknown options, wrong types, wrong kinds; a variable may stand for a number."""

    def check(tree: object, expected: int) -> None:
        assert len(list(broken(tree, whole, whole))) == expected

    check({"agnt": {}}, 1)
    check({"agent": {"grace_s": "soon"}}, 1)
    check({"agent": {"grace_s": "${GRACE:-3}"}}, 0)
    check({"agent": {"log_level": "loud"}}, 1)
    check({"outputs": {"o": {"type": "file"}}}, 1)
    check({"outputs": {"o": {"type": "stdout", "path": "/x"}}}, 1)


def test_the_schema_is_stable() -> None:
    """Two calls give the same text, or the comparison above would fail by chance."""
    assert schema() == schema()
    assert json.loads(schema())["$schema"] == "http://json-schema.org/draft-07/schema#"
