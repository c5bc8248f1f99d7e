"""What can be wrong with a configuration, as values: where, what, and what to change.

Knows how a problem is worded for people. Must not know any option.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from logagent.config.model import Config

Path = tuple[str | int, ...]
"""Where an option is: keys and list indices from the top of the configuration."""


class Rule(NamedTuple):
    """A broken relation between options. `path` and `depends` (the other options that the rule
    looked at) are relative to the Struct whose rule it is."""

    path: Path
    text: str
    depends: tuple[Path, ...] = ()


class BrokenRules(ValueError):
    """All broken rules of one Struct; msgspec passes it on as the cause of its own error."""

    def __init__(self, rules: list[Rule]) -> None:
        super().__init__("; ".join(rule.text for rule in rules))
        self.rules = rules


def enforce(rules: Iterable[Rule]) -> None:
    """Raise BrokenRules with all of `rules`, unless there are none."""
    broken = list(rules)
    if broken:
        raise BrokenRules(broken)


class Problem(NamedTuple):
    """One thing to change. `file` "" and `line` 0 mean not known; `path` None means the file as a
    whole. `near` is a nearby name that may be meant, "" if there is none."""

    file: str
    line: int
    path: Path | None
    what: str
    near: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        parts = [where] if where else []
        if self.path is not None:
            parts.append(show(self.path))
        hint = f'; did you mean "{self.near}"?' if self.near else ""
        return ": ".join([*parts, self.what]) + hint


class ConfigError(Exception):
    """The configuration can't be used. `problems` has at least one, one line each.

    `usable` is what is left when the options with problems are taken out, so that `check` can go on
    with the files that it names; None when nothing is.
    """

    def __init__(self, problems: Iterable[Problem], usable: Config | None = None) -> None:
        self.problems = tuple(problems)
        self.usable = usable
        assert self.problems
        super().__init__("\n".join(map(str, self.problems)))


def show(path: Path) -> str:
    """A path for people: `$.outputs.search.hosts[0]`, with odd keys quoted and escaped."""
    return "$" + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" if _plain(step) else f"[{quote(step)}]"
        for step in path
    )


def quote(text: str) -> str:
    """Text of a user in double quotes, on one line, safe for a terminal, at most 60 characters."""
    cut = text if len(text) <= 60 else text[:57] + "..."
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    return f'"{safe}"'


def nearest(name: str, names: Iterable[str]) -> str:
    """The one of `names` that `name` is most probably a slip of, "" if none is close."""
    # Imported here: it costs 5 ms, and only a wrong configuration needs it.
    from difflib import get_close_matches

    folded = {other.replace("-", "_").lower(): other for other in names}
    wanted = name.replace("-", "_").lower()
    close = get_close_matches(wanted, folded, n=1, cutoff=0.6)
    if close:
        return folded[close[0]]
    longer = [other for key, other in folded.items() if wanted and key.startswith(wanted)]
    return longer[0] if len(longer) == 1 else ""


def _plain(key: str) -> bool:
    return bool(key) and key.isascii() and key.replace("_", "a").replace("-", "a").isalnum()
