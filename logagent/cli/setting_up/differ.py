"""What differs between a thing that is wanted and the one that a server has.

Pure. Knows that servers give settings back as nested texts, and add what was left out. Must not
know what the values mean, nor ask anybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from logagent.cli.setting_up.wanted import Json, Object

Leaves = dict[str, str]


def differences(wanted: Object, there: Object, *, whole: str) -> list[str]:
    """Each leaf that differs, as `path: there -> wanted`. What only the server has is taken for a
    default of its own, except where its path begins with `whole` ("" = nowhere)."""
    mine, theirs = dict(_leaves(wanted, "")), dict(_leaves(there, ""))
    found = [
        f"{path}: {theirs.get(path, 'nothing')} -> {value}"
        for path, value in mine.items()
        if theirs.get(path) != value
    ]
    found += [
        f"{path}: {value} -> nothing"
        for path, value in theirs.items()
        if whole and path.startswith(whole) and path not in mine
    ]
    return sorted(found)


def _leaves(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """The values below one, texts as servers keep them; an empty object is nothing."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    elif isinstance(value, bool):
        yield path, str(value).lower()
    else:
        yield path, str(value)
