"""Every option in one commented YAML file, which is itself a configuration that loads.

Made from the Structs; config/reference.yaml is this module's output. Options without a default are
comments, unless the configuration needs them.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from logagent.config.model import Config
from logagent.config.shape import MISSING, Option, Shape, bounds, options, shape_of, words

_WIDTH: Final = 100
_HEAD: Final = """\
# yaml-language-server: $schema=./schema.json
#
# Every option of logagent, with its type, bounds and default. Made by `logagent reference`.
#
# A line without # in front shows an option's default, or an example where it must be given. Options
# that are commented out have no default, or exclude another one. ${VAR} and ${VAR:-default} in a
# value are replaced from the environment, $$ is a dollar sign. Several files are merged by id.
"""
_SECTIONS: Final = {"inputs": "app"}
"""The id that the reference uses for the only arm of a section."""


def reference() -> str:
    """The reference as text, the same for the same options."""
    lines = [_HEAD]
    for name, option in options(Config).items():
        lines.append(_comment(option.shape.description, ""))
        lines.append(f"{name}:")
        if option.shape.value is None:
            lines += _struct(option.shape.structs[""], "  ")
        else:
            lines += _arms(name, shape_of(option.shape.value))
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _arms(section: str, shape: Shape) -> Iterator[str]:
    """Each kind of input or output, under an id that is the kind's name."""
    for tag, struct in shape.structs.items():
        if len(shape.structs) > 1:
            yield ""
        yield _comment(struct.__doc__ or "", "  ")
        yield f"  {tag or _SECTIONS[section]}:"
        if tag:
            yield f"    type: {tag}"
        yield from _struct(struct, "    ")


def _struct(struct: type[Struct], prefix: str) -> Iterator[str]:
    """The options of a Struct, each line after `prefix`, which has a # where all is a comment."""
    for option in options(struct).values():
        yield _comment(_help(option), prefix)
        yield from _value(option, prefix)


def _help(option: Option) -> str:
    shape = option.shape
    facts = [words(shape)]
    if shape.item is not None:
        facts = ["a list of " + words(shape_of(shape.item))]
    if limits := bounds(shape):
        facts.append(limits)
    if option.default is MISSING:
        facts.append("must be given")
    elif option.default not in ("", None, (), {}):
        facts.append(f"default {_flow(option.default)}")
    return f"{shape.description} [{'; '.join(facts)}]"


def _value(option: Option, prefix: str) -> Iterator[str]:
    """The option itself: its default, else an example, as a comment if it may be left out."""
    shape = option.shape
    empty = option.default in ("", None, (), {})
    mark = f"{prefix}# " if empty and not shape.shown and "#" not in prefix else prefix
    if shape.structs and option.default is None:
        yield f"{mark}{option.name}:"
        yield from _struct(next(iter(shape.structs.values())), f"{mark}  ")
        return
    inner = shape_of(shape.value).structs if shape.value is not None else {}
    if inner and empty and shape.examples:
        yield f"{mark}{option.name}:"
        key = next(iter(msgspec.to_builtins(shape.examples[0])))
        yield f"{mark}  {key}:"
        yield from _struct(next(iter(inner.values())), f"{mark}    ")
        return
    given = empty or option.default is MISSING
    shown = shape.examples[0] if given and shape.examples else option.default
    yield f"{mark}{option.name}: {_flow(shown)}"


def _flow(value: object) -> str:
    """A value in YAML's flow style, which for texts and numbers is JSON's."""
    plain = msgspec.to_builtins(value)
    if isinstance(plain, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in plain.items()) + "}"
    if isinstance(plain, (list, tuple)):
        return "[" + ", ".join(map(_flow, plain)) + "]"
    if isinstance(plain, str) and plain.isidentifier() and plain.lower() not in {"yes", "no"}:
        return plain
    if isinstance(plain, float) and plain.is_integer():
        return str(int(plain))
    return json.dumps(plain, ensure_ascii=False)


def _comment(text: str, prefix: str) -> str:
    lines = textwrap.wrap(
        " ".join(text.split()),
        _WIDTH - len(prefix) - len("# "),
        break_on_hyphens=False,
        break_long_words=False,
    )
    return "\n".join(f"{prefix}# {line}" for line in lines)
