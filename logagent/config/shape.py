"""The option types, taken apart: what a place in the configuration may hold.

Knows msgspec's types and annotations. Imported only where a person is answered (a problem, the
schema, the reference) or a variable needs its option's type: a good configuration doesn't pay.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

MISSING: Final = object()
"""The default of an option that must be given."""

_WORDS: Final = {str: "text", int: "an integer", float: "a number", bool: "true or false"}
_BOUNDS: Final = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}"}


class Shape(NamedTuple):
    """One type. `whole` is what msgspec converts to; `bare` is it without annotation and None.

    structs: the arms that are maps with fixed options, by tag ("" if there is but one);
    literals: the allowed texts; item: of a list; value: of a map with free keys, `key` its key.
    """

    # Any: a type can be a class, an alias or a union; Python has no common type for them.
    whole: Any
    bare: Any
    metas: tuple[Meta, ...]
    structs: dict[str, type[Struct]]
    literals: tuple[str, ...]
    item: Any = None
    key: Any = None
    value: Any = None

    @property
    def description(self) -> str:
        """What the option is for."""
        return next((meta.description for meta in self.metas if meta.description), "")

    @property
    def examples(self) -> list[object]:
        """Values that the option may have."""
        return next((list(meta.examples) for meta in self.metas if meta.examples), [])

    @property
    def shown(self) -> bool:
        """Whether the reference writes the option out though it has no default."""
        return any((meta.extra or {}).get("shown") for meta in self.metas)

    @property
    def tagged(self) -> bool:
        """Whether the structs are told apart by `type`."""
        return bool(self.structs) and "" not in self.structs


class Option(NamedTuple):
    """A field of a Struct; `default` is MISSING when it must be given."""

    name: str
    shape: Shape
    default: object


# Any: see Shape.whole.
def shape_of(whole: Any) -> Shape:  # noqa: ANN401
    """Take a type apart."""
    bare = whole
    metas: tuple[Meta, ...] = ()
    while get_origin(bare) is Annotated:
        bare, *more = get_args(bare)
        metas += tuple(meta for meta in more if isinstance(meta, Meta))
    arms = [bare]
    if get_origin(bare) in {Union, UnionType}:
        arms = [arm for arm in get_args(bare) if arm is not NoneType]
    structs: dict[str, type[Struct]] = {}
    literals: tuple[str, ...] = ()
    for arm in arms:
        if isinstance(arm, type) and issubclass(arm, Struct):
            structs[str(arm.__struct_config__.tag or "")] = arm
        elif get_origin(arm) is Literal:
            literals += get_args(arm)
    single = arms[0] if len(arms) == 1 else None
    parts = get_args(single)
    item = parts[0] if get_origin(single) in {tuple, list} else None
    key, value = parts if get_origin(single) is dict else (None, None)
    return Shape(whole, single or bare, metas, structs, literals, item, key, value)


def options(struct: type[Struct]) -> dict[str, Option]:
    """The options of a Struct by name, its own before the inherited ones."""
    found: dict[str, Option] = {}
    for info in msgspec.structs.fields(struct):
        default: object = MISSING
        if info.default is not msgspec.NODEFAULT:
            default = info.default
        elif info.default_factory is not msgspec.NODEFAULT:
            default = info.default_factory()
        found[info.encode_name] = Option(info.encode_name, shape_of(info.type), default)
    own = struct.__annotations__
    return {name: found[name] for name in sorted(found, key=lambda name: name not in own)}


def arm_of(shape: Shape, value: dict[str, object]) -> type[Struct] | None:
    """The Struct that a map stands for; None when its tag names none (or it has none)."""
    if not shape.tagged:
        return shape.structs.get("")
    return shape.structs.get(str(value.get("type")))


def bounds(shape: Shape) -> str:
    """The bounds of a number, in words; "" if there are none."""
    limits = {
        name: f"{limit:g}" if isinstance(limit, float) else str(limit)
        for meta in shape.metas
        for name in _BOUNDS
        if (limit := getattr(meta, name)) is not None
    }
    if limits.keys() == {"ge", "le"}:
        return f"{limits['ge']} to {limits['le']}"
    return " and ".join(_BOUNDS[name].format(limit) for name, limit in limits.items())


def words(shape: Shape) -> str:
    """What a value must be, in words, without bounds."""
    if shape.literals:
        choice = ", ".join(shape.literals[:-1]) + " or " + shape.literals[-1]
        return choice.removeprefix(" or ") + (" or a map" if shape.structs else "")
    if shape.structs or shape.value is not None:
        return "a map"
    if shape.item is not None:
        return "a list"
    arms = get_args(shape.bare) if get_origin(shape.bare) in {Union, UnionType} else (shape.bare,)
    found = [_WORDS.get(shape_of(arm).bare, "") for arm in arms]
    return " or ".join(found) if all(found) else "any JSON value"
