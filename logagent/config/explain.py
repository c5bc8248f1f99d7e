"""Why a tree is not a configuration: every problem of it, in words for people.

msgspec stops at the first problem and doesn't say where in a map it is; this walks on. Imported
only when something is wrong. Must not read a file.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from logagent.config.problems import BrokenRules, Path, nearest, quote
from logagent.config.shape import MISSING, Option, Shape, arm_of, bounds, options, shape_of, words

_KNOWN_MAX = 12
"""A list of more options than this helps nobody; the reference does."""


class Found(NamedTuple):
    """A problem at an absolute path. `depends`: other places that the rule looked at; `absent`:
    the problem is what isn't there (or a relation), so a file that can't be parsed may solve it."""

    path: Path
    what: str
    near: str = ""
    depends: tuple[Path, ...] = ()
    absent: bool = False

    def touches(self) -> list[Path]:
        """Places that are wrong because of this problem, and not worth another word."""
        if self.near and self.path:
            return [self.path, (*self.path[:-1], self.near)]
        return [self.path]


def explain(value: object, shape: Shape, path: Path, secret: Collection[Path]) -> list[Found]:
    """All problems of `value` as a `shape`. Values at the paths in `secret` are not shown."""
    try:
        msgspec.convert(value, shape.whole)
    except msgspec.ValidationError as error:
        if isinstance(value, dict) and shape.structs:
            return _explain_struct(value, shape, path, secret, error=error)
        if isinstance(value, dict) and shape.value is not None:
            return _explain_map(value, shape, path, secret)
        if isinstance(value, list) and shape.item is not None:
            return _explain_list(value, shape, path, secret)
        return [Found(path, _mismatch(value, shape, shown=path not in secret))]
    return []


def _explain_struct(
    value: dict[str, object],
    shape: Shape,
    path: Path,
    secret: Collection[Path],
    *,
    error: msgspec.ValidationError,
) -> list[Found]:
    struct = arm_of(shape, value)
    if struct is None:
        return [_wrong_tag(value, shape, path)]
    known = options(struct)
    found = [
        _unknown((*path, key), known)
        for key in value
        if key not in known and not (shape.tagged and key == "type")
    ]
    meant = {problem.near for problem in found}
    for name, option in known.items():
        if name in value:
            found += explain(value[name], option.shape, (*path, name), secret)
        elif option.default is MISSING and name not in meant:
            what = f"is missing; it must be {_must_be(option.shape)}"
            found.append(Found((*path, name), what, absent=True))
    return found or _broken_rules(error, path)


def _explain_map(
    value: dict[str, object], shape: Shape, path: Path, secret: Collection[Path]
) -> list[Found]:
    found: list[Found] = []
    key_shape, value_shape = shape_of(shape.key), shape_of(shape.value)
    for key, inner in value.items():
        here = (*path, key)
        if explain(key, key_shape, here, ()):
            advice = key_shape.description or "must not be empty"
            found.append(Found(here, f"is not a good name. {advice.rstrip('.')}"))
        found += explain(inner, value_shape, here, secret)
    return found


def _explain_list(
    value: list[object], shape: Shape, path: Path, secret: Collection[Path]
) -> list[Found]:
    item = shape_of(shape.item)
    found: list[Found] = []
    for index, inner in enumerate(value):
        found += explain(inner, item, (*path, index), secret)
    return found or [Found(path, "is an empty list; name at least one, or remove the option")]


def _broken_rules(error: msgspec.ValidationError, path: Path) -> list[Found]:
    cause = error.__cause__
    if not isinstance(cause, BrokenRules):
        return [Found(path, str(error).partition(" - at ")[0])]
    return [
        Found(
            (*path, *rule.path),
            rule.text,
            depends=tuple((*path, *other) for other in rule.depends),
            absent=True,
        )
        for rule in cause.rules
    ]


def _unknown(path: Path, known: dict[str, Option]) -> Found:
    near = nearest(str(path[-1]), known)
    if near:
        return Found(path, "unknown option", near)
    if len(known) <= _KNOWN_MAX:
        return Found(path, f"unknown option; remove it (known: {', '.join(known)})")
    return Found(path, "unknown option; remove it (`logagent reference` lists all)")


def _wrong_tag(value: dict[str, object], shape: Shape, path: Path) -> Found:
    choice = ", ".join(shape.structs)
    if "type" not in value:
        return Found((*path, "type"), f"is missing; write one of {choice}", absent=True)
    tag = value["type"]
    what = f"must be one of {choice}, found {_found(tag, shown=True)}"
    return Found((*path, "type"), what, nearest(str(tag), shape.structs))


def _must_be(shape: Shape) -> str:
    limits = bounds(shape)
    return f"{words(shape)} ({limits})" if limits else words(shape)


def _mismatch(value: object, shape: Shape, *, shown: bool) -> str:
    if isinstance(value, str) and shape.literals:
        near = nearest(value, shape.literals) if shown else ""
        hint = f'; did you mean "{near}"?' if near else ""
        return f"must be {words(shape)}, found {_found(value, shown=shown)}{hint}"
    if isinstance(value, str) and shape.bare is str:
        return "must not be empty"
    # Text where a map or list belongs may be a secret that somebody wrote in the wrong place.
    simple = not shape.structs and shape.value is None
    what = f"must be {_must_be(shape)}, found {_found(value, shown=shown and simple)}"
    if isinstance(value, str) and shape.item is not None:
        return f"{what}; write it in brackets: [{quote(value)}]" if shown else what
    if isinstance(value, bool) and (shape.bare is str or shape.literals):
        return f"{what} (YAML reads on, off, yes and no as that; put the text in quotes)"
    if isinstance(value, (int, float)) and shape.bare is str:
        return f"{what}; put it in quotes"
    if isinstance(value, str) and shape.bare in {int, float, bool} and _is_number(value):
        return f"{what}; remove the quotes"
    return what


def _found(value: object, *, shown: bool) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value}" if shown else "a number"
    if isinstance(value, str):
        return f"the text {quote(value)}" if shown else "text"
    return "a list" if isinstance(value, list) else "a map"


def _is_number(text: str) -> bool:
    return text.replace("_", "").replace(".", "", 1).removeprefix("-").isdigit()
