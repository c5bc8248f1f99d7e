"""From one failed load to all of its problems: finds them, takes their options out, looks again.

So that a wrong type in one place doesn't hide nonsense in another, and `check` can still look at
the files that the rest names. Must not read a file.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from logagent.config.explain import Found, explain
from logagent.config.model import Config
from logagent.config.problems import Path
from logagent.config.shape import Shape, arm_of, options, shape_of, words

_ROUNDS_MAX: Final = 16


def diagnose(
    tree: dict[str, object], wrong: Iterable[Path], secret: Collection[Path], *, blind: bool
) -> tuple[list[Found], Config | None]:
    """All problems of `tree`, and the configuration that is left without them (None if none is).

    `wrong` are places that were reported before; `blind` says that a file is missing from the
    tree, so that what isn't there, or doesn't fit together, is not reported.
    """
    tree = copy.deepcopy(tree)
    whole = shape_of(Config)
    touched = list(wrong)
    pruned: list[Path] = []
    for path in touched:
        _prune(tree, path, pruned)
    reported: list[Found] = []
    for _ in range(_ROUNDS_MAX):
        found = explain(tree, whole, (), secret)
        if not found:
            return reported, msgspec.convert(tree, Config)
        fresh = [problem for problem in found if not _follows(problem, touched)]
        reported += [problem for problem in fresh if not (blind and problem.absent)]
        pruned = []
        for problem in found:
            touched += problem.touches()
            _prune(tree, problem.path, pruned)
        if not tree:
            break
    return reported, None


def coerce(tree: dict[str, object], lone: dict[Path, str]) -> list[Found]:
    """Give each value that was nothing but a variable its option's type, in place. Returns what
    doesn't fit. The value itself is not shown: it may be a secret in the wrong place."""
    found: list[Found] = []
    for path, name in lone.items():
        shape = _shape_at(tree, path)
        if shape is None:
            continue  # an unknown option: reported as such
        if shape.item is not None or shape.value is not None:
            what = f"must be {words(shape)}, which a variable can't be"
            hint = f'; write ["${{{name}}}"]' if shape.item is not None else ""
            found.append(Found(path, what + hint))
        elif shape.bare in {int, float, bool}:
            holder, last = _holder(tree, path)
            try:
                value = msgspec.convert(_get(holder, last), shape.bare, strict=False)
            except msgspec.ValidationError:
                what = f"must be {words(shape)}, which the value of the variable {name} is not"
                found.append(Found(path, what))
            else:
                _set(holder, last, value)
    return found


def _follows(problem: Found, touched: list[Path]) -> bool:
    """Whether a problem is about places that were reported before."""
    return any(
        place[: len(other)] == other or other[: len(place)] == place
        for place in (problem.path, *problem.depends)
        for other in touched
    )


def _prune(tree: dict[str, object], path: Path, pruned: list[Path]) -> None:
    """Take out the option at `path`, or, if it was never there, what should have it. An item of a
    list goes with its list, so that the others keep their places. `pruned` is what went in
    the same round."""
    end = next((at for at, step in enumerate(path) if isinstance(step, int)), len(path))
    while not any(path[: len(other)] == other for other in pruned):
        holder: object = tree
        for step in path[: max(0, end - 1)]:
            holder = holder.get(str(step)) if isinstance(holder, dict) else None
        if not end:
            tree.clear()
        elif isinstance(holder, dict) and path[end - 1] in holder:
            del holder[path[end - 1]]
        else:
            end -= 1
            continue
        pruned.append(path[:end])


def _shape_at(tree: dict[str, object], path: Path) -> Shape | None:
    shape: Shape | None = shape_of(Config)
    value: object = tree
    for step in path:
        if shape is None:
            return None
        if shape.structs and isinstance(value, dict):
            struct = arm_of(shape, value)
            option = options(struct).get(str(step)) if struct else None
            shape = option.shape if option else None
        elif shape.item is not None or shape.value is not None:
            shape = shape_of(shape.value if shape.item is None else shape.item)
        else:
            return None
        value = _get(value, step)
    return shape


def _holder(tree: dict[str, object], path: Path) -> tuple[object, str | int]:
    value: object = tree
    for step in path[:-1]:
        value = _get(value, step)
    return value, path[-1]


def _get(holder: object, step: str | int) -> object:
    if isinstance(holder, dict):
        return holder.get(step)
    assert isinstance(holder, list)
    return holder[int(step)]


def _set(holder: object, step: str | int, value: object) -> None:
    if isinstance(holder, dict):
        holder[step] = value
    else:
        assert isinstance(holder, list)
        holder[int(step)] = value
