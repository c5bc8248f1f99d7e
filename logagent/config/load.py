"""Files and directories → one Config, or all of the problems that they have.

The only module of the package that reads files. Must not read the environment: it is an argument.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from logagent.config.merge import Merged, merge
from logagent.config.model import Config
from logagent.config.parse import BYTES_MAX, Tree, parse
from logagent.config.problems import ConfigError, Path, Problem
from logagent.config.variables import Filled, fill

_ENDINGS: Final = (".yaml", ".yml", ".json")


def load(paths: Sequence[str], env: Mapping[str, str]) -> Config:
    """Read, merge, fill in and check the configuration of `paths` (files, or directories whose
    *.yaml, *.yml and *.json are taken in the order of their names).

    Raises ConfigError with every problem that could be found, and nothing else.
    """
    trees, problems = _read_all(paths)
    merged = merge(trees)
    problems += merged.problems
    filled = fill(merged.value, env)
    problems += [_at(merged, path, what) for path, what in filled.problems]
    if not problems and not filled.lone:
        try:
            config = msgspec.convert(merged.value, Config)
        except msgspec.ValidationError:
            pass  # the long way finds it again, and all others
        else:
            _check_variables(config, merged, env, [])
            return config
    return _load_slow(merged, filled, problems, env)


def _load_slow(
    merged: Merged, filled: Filled, problems: list[Problem], env: Mapping[str, str]
) -> Config:
    """The way with variables that need a type, or with problems: it looks at the types."""
    # Imported here: a good configuration doesn't pay for it.
    from logagent.config.diagnose import coerce, diagnose

    wrong = [path for path, _ in filled.problems]
    for misfit in coerce(merged.value, filled.lone):
        wrong.append(misfit.path)
        problems.append(_at(merged, misfit.path, misfit.what))
    blind = any(problem.path is None for problem in problems)
    found, usable = diagnose(merged.value, wrong, filled.used, blind=blind)
    problems += [_at(merged, problem.path, problem.what, problem.near) for problem in found]
    if usable is not None:
        _check_variables(usable, merged, env, problems)
    if problems:
        raise ConfigError(_sorted(problems), usable)
    assert usable is not None
    return usable


def _read_all(paths: Sequence[str]) -> tuple[dict[str, Tree], list[Problem]]:
    trees: dict[str, Tree] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            files = list(_files(path))
            if not files:
                endings = ", ".join(f"*{ending}" for ending in _ENDINGS)
                problems.append(Problem(path, 0, None, f"is a directory without {endings}"))
            for file in files:
                if file not in trees:
                    with open(file, "rb") as stream:
                        trees[file] = parse(file, stream.read(BYTES_MAX + 1))
        except OSError as error:
            name = os.fsdecode(error.filename or path)
            problems.append(Problem(name, 0, None, f"reading it: {error.strerror}"))
        except ValueError:
            problems.append(Problem(repr(path), 0, None, "is not a path"))
    if not paths:
        problems.append(Problem("", 0, None, "no configuration is named"))
    return trees, problems


def _files(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for name in sorted(os.listdir(path)):
        # `..data` and its like are how the kubelet swaps a ConfigMap.
        if name.endswith(_ENDINGS) and not name.startswith("."):
            yield os.path.join(path, name)


def _check_variables(
    config: Config, merged: Merged, env: Mapping[str, str], problems: list[Problem]
) -> None:
    """Variables with secrets must be set now: they never come later. Raises ConfigError, unless
    `problems` has some already; then it appends."""
    found = [
        _at(merged, ("outputs", name, *option), f"names {variable}, which is not set")
        for name, output in config.outputs.items()
        for option, variable in output.variables()
        if not env.get(variable)
    ]
    if found and not problems:
        raise ConfigError(_sorted(found), config)
    problems += found


def _at(merged: Merged, path: Path, what: str, near: str = "") -> Problem:
    origin = merged.origin(path)
    return Problem(origin.file, origin.line, path, what, near)


def _sorted(problems: list[Problem]) -> list[Problem]:
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda problem: (not problem.file, problem.file, problem.line))
