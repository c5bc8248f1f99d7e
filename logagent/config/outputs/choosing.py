"""Names with parts to fill in, as options: which parts there are, and what a line may choose.

Knows the form `{name}`, `{name|text}` and %Y %m %d %H. What is filled in is `codecs/naming.py`'s.
Must not know an output.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from msgspec import Meta, Struct

from logagent.config.problems import Rule

AGENT_NAMES: Final = ("input", "container", "pod", "namespace", "pod_uid", "pod_ip", "node")
"""What the agent can put into a name: what it knows of itself and of the file (`Origin.names`)."""
DATES: Final = ("%Y", "%m", "%d", "%H")
NAMES_MAX: Final = 1000
"""How many names one output's lines may choose from: each is an index, a topic or a stream on the
server, and each costs it memory."""

_PIECE: Final = re.compile(r"\{([a-z_][a-z0-9_]*)(\|[^{}|]*)?\}|(%.?)|([{}])")
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")


class Choose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a name that lines choose, out of a list."""

    field: Annotated[
        str,
        Meta(
            min_length=1,
            description="The field of the line whose text it is: a top-level name, or a dotted "
            "path.",
            examples=["labels.team"],
        ),
    ]
    allow: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="The values that are taken. No line makes up a name of its own.",
            examples=[["payments", "search"]],
        ),
    ]
    fallback: Annotated[
        str,
        Meta(
            min_length=1,
            description="What stands there for any other value, and for a line without the field.",
            examples=["other"],
        ),
    ]


def broken_template(text: str, choose: Mapping[str, Choose], *, dates: bool = True) -> str:
    """What is wrong with the parts of a name; "" if nothing is. dates: whether %Y may be in it."""
    for match in _PIECE.finditer(text):
        name, otherwise, date, brace = match.groups()
        if brace:
            return f"has a {brace} that isn't part of {{name}}"
        if date and date not in DATES:
            return "has a % that is none of %Y, %m, %d, %H"
        if date and not dates:
            return f"has {date} in it, but this name has no dates"
        if name in choose and otherwise is not None:
            return f"has {match[0]}, but choose.{name} has its own fallback; write {{{name}}}"
        if name and name not in AGENT_NAMES and name not in choose:
            known = ", ".join((*AGENT_NAMES, *choose))
            return f"has {{{name}}}, which is none of {known}; see choose for a field of the lines"
    return ""


def wildcard(text: str, date: Mapping[str, str] | None = None) -> str:
    """The pattern of all names that a template can give. date: what stands there for %Y, %m, %d
    and %H; without it, anything."""
    pattern = _PIECE.sub(lambda match: (date or {}).get(match[3] or "", "*"), text)
    return re.sub(r"\*[*._-]*\*", "*", pattern)


def broken_choices(choose: Mapping[str, Choose], *texts: str) -> Iterator[Rule]:
    """What is wrong with the choices of the names `texts`."""
    for name in choose:
        if not _NAME.fullmatch(name):
            yield Rule(("choose", name), "is not a name; it has a-z, 0-9 and _")
        elif name in AGENT_NAMES:
            yield Rule(("choose", name), "is a name that the agent fills in itself; take another")
        elif not any(f"{{{name}" in text for text in texts):
            yield Rule(("choose", name), f"is not used; write {{{name}}} where it belongs")
    count = math.prod(len({*one.allow, one.fallback}) for one in choose.values())
    if count > NAMES_MAX:
        yield Rule(("choose",), f"makes {count} names; at most {NAMES_MAX} are allowed")
