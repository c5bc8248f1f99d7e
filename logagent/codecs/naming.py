"""Names made of what the agent knows: an index, a topic, a label, an object's key.

Knows templates (`app-{namespace}-%Y.%m.%d`) and what may go into them. A value that comes out of a
line is taken only when the user has listed it: no line invents an index. Must not know a server.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Final

from msgspec import Struct

HOUR: Final = "2026-11-24T10"
"""The form of the UTC hour that dates in a name are made of."""
DATES: Final[Mapping[str, slice]] = {
    "%Y": slice(0, 4),
    "%m": slice(5, 7),
    "%d": slice(8, 10),
    "%H": slice(11, 13),
}
"""strftime's codes, and where they are in an hour."""

SOURCES: Final[Mapping[str, str]] = {
    "container": "the input's option container",
    "pod": "the variable POD_NAME",
    "namespace": "the variable POD_NAMESPACE",
    "pod_uid": "the variable POD_UID",
    "pod_ip": "the variable POD_IP",
    "node": "the variable NODE_NAME",
}
"""What tells the agent its names, for people who miss one."""

_PIECE: Final = re.compile(r"\{([a-z_][a-z0-9_]*)(?:\|([^{}|]*))?\}|(%.?)|([{}])")
_HOUR: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}")


class Choice(Struct, frozen=True):
    """A name's part that a line chooses: the text of a field if it is one of `allow`, else
    `fallback`. The field's own name is dotted (`labels.team`)."""

    field: str
    allow: tuple[str, ...]
    fallback: str

    def of(self, value: str | None) -> str:
        """What goes into the name for a field's text; None = the line has none."""
        return value if value in self.allow else self.fallback


class Legal(Struct, frozen=True):
    """Which names are legal: a pattern, and what replaces a character that isn't.

    characters: a class of a regular expression, of ASCII, as in `a-z0-9._`. length: at most, in
    bytes. starts: characters that no name may start with. lower: capital letters become small.
    """

    characters: str
    length: int
    starts: str = ""
    lower: bool = False

    def clean(self, text: str) -> str:
        """`text` with each illegal character replaced by `_`: a part of a name."""
        text = text.lower() if self.lower else text
        return re.sub(f"[^{self.characters}]", "_", text)

    def is_name(self, text: str) -> bool:
        """Whether `text` can be a whole name. `.` and `..` never are: they are paths."""
        if not 0 < len(text) <= self.length or text[0] in self.starts or text in {".", ".."}:
            return False
        return re.fullmatch(f"[{self.characters}]+", text) is not None


INDEX: Final = Legal(r"a-z0-9._\-", 255, starts="._-", lower=True)
"""An index or data stream, stricter than the servers, so that it needs no escaping."""
DATASET: Final = Legal("a-z0-9._", 100, starts="._-+", lower=True)
NAMESPACE: Final = Legal(r"a-z0-9._\-", 100, starts="._-+", lower=True)
"""Parts of a data stream's name (Elastic's data stream naming scheme, and what its reroute
processor takes: no `-` in a dataset, which separates the parts)."""
TOPIC: Final = Legal(r"a-zA-Z0-9._\-", 249)
"""A topic (Kafka's `Topic.validate`)."""


class Template:
    """A name with parts to fill in: `{pod}` is a name of the agent's (see `Origin.names`),
    `{pod|none}` gives what stands there where it is unknown, `{team}` may be one of `choices`, and
    `%Y %m %d %H` are the event's time in UTC.

    What is filled in is cleaned, and loses what a name may not start with; names are cut at their
    greatest length. Raises ValueError for a template that can't give a legal name.
    """

    def __init__(
        self, text: str, legal: Legal, choices: Mapping[str, Choice] | None = None
    ) -> None:
        self.text = text
        self.legal = legal
        self.choices = {n: c for n, c in (choices or {}).items() if f"{{{n}}}" in text}
        for match in _PIECE.finditer(text):
            if match[4] or (match[3] and match[3] not in DATES):
                raise ValueError(
                    f"{text!r}: {match[0]!r} is neither {{name}} nor one of %Y, %m, %d, %H"
                )
            if match[2] is not None and match[1] in (choices or {}):
                raise ValueError(f"{text!r}: {match[1]} has its own fallback; write {{{match[1]}}}")
        sample = self._expand(lambda _: "x", HOUR)
        if not legal.is_name(sample):
            raise ValueError(
                f"{text!r}: such a name is not legal; it has 1 to {legal.length} of "
                f"[{legal.characters}]"
                + (f", and doesn't start with one of {legal.starts}" if legal.starts else "")
            )

    @property
    def names(self) -> frozenset[str]:
        """The agent's names in it."""
        found = {m[1] for m in _PIECE.finditer(self.text) if m[1]}
        return frozenset(found - self.choices.keys())

    @property
    def dated(self) -> bool:
        """Whether the name depends on the event's time."""
        return any(match[3] for match in _PIECE.finditer(self.text))

    @property
    def constant(self) -> bool:
        """Whether it is the same for all lines of a file."""
        return not self.dated and not self.choices

    def unknown(self, names: Mapping[str, str]) -> list[str]:
        """Which of the agent's names in it are neither known nor have a text to stand for them."""
        return sorted(
            m[1]
            for m in _PIECE.finditer(self.text)
            if m[1] and m[2] is None and m[1] not in self.choices and not names.get(m[1])
        )

    def check(self, names: Mapping[str, str]) -> None:
        """Raises ValueError, with a sentence, when an agent that knows `names` can't fill it in
        for all lines: a name isn't known, or nothing legal is left of one."""
        for name in self.unknown(names):
            raise ValueError(
                f"{self.text!r}: this agent doesn't know its {name} "
                f"({SOURCES.get(name, 'an input')} says it); write {{{name}|TEXT}} with what shall "
                "stand there then"
            )
        for name in self.every(names):
            if not self.legal.is_name(name):
                raise ValueError(f"{self.text!r}: {name!r} is left of it, which is no legal name")

    def every(self, names: Mapping[str, str], hour: str = HOUR) -> set[str]:
        """All names that lines of an hour can have: as many as the choices allow."""
        return _every(self.fill, self.choices, names, hour)

    def fill(self, names: Mapping[str, str], hour: str = "") -> str:
        """The name. names: the agent's, and each choice's value, as `check` found them good. hour:
        when `dated`."""
        # The hour can come from an app's time stamp and goes into addresses: never unchecked.
        assert not self.dated or _HOUR.fullmatch(hour), "an hour looks like 2026-11-24T10"

        def value(match: re.Match[str]) -> str:
            known = names.get(match[1])
            return self.legal.clean(known or match[2] or "")

        name = self._expand(value, hour).lstrip(self.legal.starts)
        return name[: self.legal.length]

    def fill_each(
        self,
        names: Mapping[str, str],
        hours: str | Sequence[str],
        chosen: Mapping[str, Sequence[str]],
    ) -> list[str]:
        """The name of each row. hours: of all rows, or of each; chosen: each choice's column of
        values, already passed through `Choice.of`."""
        return _fill_each(self.fill, names, hours, chosen)

    def _expand(self, value: Callable[[re.Match[str]], str], hour: str) -> str:
        def piece(match: re.Match[str]) -> str:
            return hour[DATES[match[3]]] if match[3] else value(match)

        return _PIECE.sub(piece, self.text)


class Joined:
    """Templates with `-` between them, as a data stream's name is made, in the place of one."""

    def __init__(self, *parts: Template) -> None:
        self.parts = parts
        self.text = "-".join(part.text for part in parts)
        self.choices = {n: c for part in parts for n, c in part.choices.items()}
        self.names: frozenset[str] = frozenset().union(*(part.names for part in parts))
        self.dated = any(part.dated for part in parts)
        self.constant = all(part.constant for part in parts)

    def check(self, names: Mapping[str, str]) -> None:
        """See `Template.check`."""
        for part in self.parts:
            part.check(names)

    def every(self, names: Mapping[str, str], hour: str = HOUR) -> set[str]:
        """See `Template.every`."""
        return _every(self.fill, self.choices, names, hour)

    def fill(self, names: Mapping[str, str], hour: str = "") -> str:
        """See `Template.fill`."""
        return "-".join(part.fill(names, hour) for part in self.parts)

    def fill_each(
        self,
        names: Mapping[str, str],
        hours: str | Sequence[str],
        chosen: Mapping[str, Sequence[str]],
    ) -> list[str]:
        """See `Template.fill_each`."""
        return _fill_each(self.fill, names, hours, chosen)


def _every(
    fill: Callable[[Mapping[str, str], str], str],
    choices: Mapping[str, Choice],
    names: Mapping[str, str],
    hour: str,
) -> set[str]:
    values = [{*choice.allow, choice.fallback} for choice in choices.values()]
    return {
        fill({**names, **dict(zip(choices, chosen, strict=True))}, hour)
        for chosen in product(*values)
    }


def _fill_each(
    fill: Callable[[Mapping[str, str], str], str],
    names: Mapping[str, str],
    hours: str | Sequence[str],
    chosen: Mapping[str, Sequence[str]],
) -> list[str]:
    """Few names for many rows: each is made once."""
    columns = list(chosen.values())
    assert columns or not isinstance(hours, str), "rows are counted by a column"
    count = len(columns[0]) if columns else len(hours)
    spread = [hours] * count if isinstance(hours, str) else hours
    keys = list(zip(spread, *columns, strict=True))
    labels = list(chosen)
    table = {
        key: fill({**names, **dict(zip(labels, key[1:], strict=True))}, key[0]) for key in set(keys)
    }
    return [table[key] for key in keys]
