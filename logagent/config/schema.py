"""The JSON Schema of the configuration, for editors: within draft-07, which they all know.

Made from the Structs; config/schema.json is this module's output. Must not check anything itself.
"""

from __future__ import annotations

import json
from typing import Final

import msgspec

from logagent.config.model import Config

_SCALARS: Final = frozenset({"integer", "number", "boolean"})
_VARIABLE: Final = {
    "description": "A variable of the environment; it takes the option's type.",
    "type": "string",
    "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}$",
}


def schema() -> str:
    """The schema as text, the same for the same options."""
    _, parts = msgspec.json.schema_components([Config], ref_template="#/definitions/{name}")
    definitions = {name: _draft07(part) for name, part in sorted(parts.items())}
    whole = definitions.pop("Config")
    assert isinstance(whole, dict)
    top = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **whole,
        "title": "logagent configuration",
        "definitions": {**definitions, "Variable": _VARIABLE},
    }
    return json.dumps(top, indent=2, ensure_ascii=False) + "\n"


def _draft07(part: object) -> object:
    """A part without what draft-07 lacks. Beside `$ref` that draft ignores all other keys, so a
    reference with a description becomes an `allOf`; a variable may stand for each scalar."""
    if isinstance(part, list):
        return [_draft07(item) for item in part]
    if not isinstance(part, dict):
        return part
    plain: dict[str, object] = {
        # The names of options are not keywords: `properties` may hold an option "default".
        key: {name: _draft07(inner) for name, inner in value.items()}
        if key == "properties"
        else value
        if key in {"default", "examples", "enum"}
        else _draft07(value)
        for key, value in part.items()
        if key != "discriminator"
    }
    if "$ref" in plain and len(plain) > 1:
        plain["allOf"] = [{"$ref": plain.pop("$ref")}]
    choice = plain.get("enum")
    if plain.get("type") in _SCALARS or (isinstance(choice, list) and len(choice) > 1):
        return _or_variable(plain)
    return plain


def _or_variable(plain: dict[str, object]) -> dict[str, object]:
    words = ("description", "default", "examples")
    about: dict[str, object] = {key: plain.pop(key) for key in words if key in plain}
    return {**about, "anyOf": [plain, {"$ref": "#/definitions/Variable"}]}
