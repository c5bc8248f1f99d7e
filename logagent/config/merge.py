"""Several files → one tree: maps merge by key, everything else is set once.

Knows plain values and where they were written. Must not know any option.
"""

from __future__ import annotations

from typing import NamedTuple

from logagent.config.parse import Tree
from logagent.config.problems import Path, Problem


class Origin(NamedTuple):
    """Where a value was written; line 0 = not known."""

    file: str
    line: int


class Merged(NamedTuple):
    """The tree of all files; `origins` has each path's, `problems` what was left out."""

    value: dict[str, object]
    origins: dict[Path, Origin]
    problems: list[Problem]

    def origin(self, path: Path) -> Origin:
        """Where a path was written, or the nearest thing around it."""
        for end in range(len(path), 0, -1):
            if (found := self.origins.get(path[:end])) is not None:
                return found
        return Origin("", 0)


def merge(trees: dict[str, Tree]) -> Merged:
    """Merge the files' trees, in order. A value that two files set is a problem that names both."""
    merged = Merged({}, {}, [])
    for file, tree in trees.items():
        merged.problems.extend(tree.problems)
        if isinstance(tree.value, dict):
            # A section with nothing but comments in it is no section.
            sections = {key: value for key, value in tree.value.items() if value is not None}
            _merge_into(merged, merged.value, sections, (file, tree.lines, ()))
        elif tree.value is not None:
            what = "is not a map; a configuration has agent, metadata, inputs and outputs"
            merged.problems.append(Problem(file, 1, None, what))
    return merged


def _merge_into(
    merged: Merged,
    target: dict[str, object],
    source: dict[str, object],
    where: tuple[str, dict[Path, int], Path],
) -> None:
    file, lines, above = where
    for key, value in source.items():
        path = (*above, key)
        origin = Origin(file, lines.get(path, 0))
        old = target.get(key)
        if isinstance(value, dict) and (key not in target or isinstance(old, dict)):
            inner: dict[str, object] = {}
            if isinstance(old, dict):
                inner = old
            target[key] = inner
            merged.origins.setdefault(path, origin)
            _merge_into(merged, inner, value, (file, lines, path))
        elif key in target:
            first = merged.origin(path)
            at = f"{first.file}:{first.line}" if first.line else first.file
            what = f"is set in {at} already; remove one of the two"
            merged.problems.append(Problem(file, origin.line, path, what))
        else:
            target[key] = value
            merged.origins[path] = origin
            _note_items(merged, value, (file, lines, path))


def _note_items(merged: Merged, value: object, where: tuple[str, dict[Path, int], Path]) -> None:
    """Remember where the items of a list were written."""
    file, lines, above = where
    items: list[tuple[str | int, object]] = []
    if isinstance(value, list):
        items.extend(enumerate(value))
    elif isinstance(value, dict):
        items.extend(value.items())
    for key, inner in items:
        path = (*above, key)
        merged.origins[path] = Origin(file, lines.get(path, 0))
        _note_items(merged, inner, (file, lines, path))
