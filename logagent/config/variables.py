"""`${VAR}`, `${VAR:-default}` and `$$` in values, after parsing: a variable can't change structure.

Knows the environment that it is given. Must not read any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from logagent.config.problems import Path

_MARK: Final = re.compile(
    r"\$(?:(?P<escape>\$)"
    r"|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<odd>\{))"
)


class MissingError(ValueError):
    """A variable that is not set, or `${` that is no variable."""


class Filled(msgspec.Struct):
    """What `fill` did. `lone` are the paths whose value was nothing but one variable, with its
    name: they take their option's type. `used` are all paths with a variable: their values may be
    secrets, and are never shown. `problems` are paths and what is wrong there."""

    lone: dict[Path, str]
    used: set[Path]
    problems: list[tuple[Path, str]]


def fill(tree: dict[str, object], env: Mapping[str, str]) -> Filled:
    """Replace the variables in all texts of `tree`, in place."""
    filled = Filled({}, set(), [])
    _fill_dict(tree, env, filled, ())
    return filled


def text_of(text: str, env: Mapping[str, str]) -> tuple[str, str]:
    """A text with its variables replaced, and the name of the variable if it was nothing else.

    Raises MissingError.
    """
    lone = ""

    def replace(match: re.Match[str]) -> str:
        nonlocal lone
        if match["escape"]:
            return "$"
        if match["odd"]:
            raise MissingError("has ${ that starts no variable; write $${ if it is text")
        if match[0] == text:
            lone = match["name"]
        value = env.get(match["name"])
        if not value and match["default"] is not None:
            value = match["default"]
        if value is None:
            name = match["name"]
            what = f"needs the variable {name}, which is not set; set it, or give a default: "
            raise MissingError(what + f"${{{name}:-…}}")
        return value

    return _MARK.sub(replace, text), lone


def _fill_dict(tree: dict[str, object], env: Mapping[str, str], filled: Filled, path: Path) -> None:
    for key, value in tree.items():
        tree[key] = _filled(value, env, filled, (*path, key))


def _filled(value: object, env: Mapping[str, str], filled: Filled, path: Path) -> object:
    if isinstance(value, str) and "$" in value:
        try:
            value, lone = text_of(value, env)
        except MissingError as error:
            filled.problems.append((path, str(error)))
            return value
        filled.used.add(path)
        if lone:
            filled.lone[path] = lone
    elif isinstance(value, dict):
        _fill_dict(value, env, filled, path)
    elif isinstance(value, list):
        value[:] = [_filled(item, env, filled, (*path, index)) for index, item in enumerate(value)]
    return value
