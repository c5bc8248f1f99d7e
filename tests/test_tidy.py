"""The house rules, held over every text file of the repository.

Each file is read once. What a rule forbids, and what to do instead, is in `tests/tidy/`; there each
rule is also shown to catch a planted violation.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.tidy import bans, imports, sizes, words
from tests.tidy.source import Finding, Source, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).resolve().parent.parent

ONE_FILE: Final[tuple[Callable[[Source], Iterator[Finding]], ...]] = (
    sizes.check_module,
    sizes.check_functions,
    sizes.check_lines,
    bans.check_names,
    bans.check_tasks,
    bans.check_holes,
    bans.check_optimised,
    words.check_docstrings,
    words.check_test_docstrings,
    words.check_words,
    words.check_lock,
)
"""Rules that look at one file at a time."""


@pytest.fixture(scope="module", name="sources")
def read_sources() -> list[Source]:
    """Every text file of the repository, read once."""
    return list(read_tree(ROOT))


def report(findings: list[Finding]) -> str:
    """List the findings, one a line, as editors understand it."""
    return "\n" + "\n".join(str(each) for each in findings)


@pytest.mark.parametrize("check", ONE_FILE, ids=lambda check: check.__name__)
def test_each_file_keeps_the_rule(
    sources: list[Source], check: Callable[[Source], Iterator[Finding]]
) -> None:
    """No file breaks this rule."""
    findings = [each for source in sources for each in check(source)]
    assert not findings, report(findings)


def test_imports_follow_the_table(sources: list[Source]) -> None:
    """Each part of the package imports only what its row in the table allows."""
    findings = list(imports.check_table(sources))
    assert not findings, report(findings)


def test_no_module_is_dead(sources: list[Source]) -> None:
    """Each module of the package is reached from an entry point."""
    findings = list(imports.check_dead(sources))
    assert not findings, report(findings)


def test_the_walk_sees_the_repository(sources: list[Source]) -> None:
    """The rules above aren't green because the walk found nothing, or read something twice."""
    paths = Counter(source.path for source in sources)
    assert {"Makefile", "pyproject.toml", ".ci/run", "logagent/__init__.py"} <= set(paths)
    assert max(paths.values()) == 1
    assert not any(path.startswith((".venv", ".git/")) for path in paths)


def test_locks_agree(sources: list[Source]) -> None:
    """A package has one version in all locks, so that tests run what users get."""
    versions: dict[str, set[str]] = {}
    for source in sources:
        if source.path.startswith("requirements/") and source.path.endswith(".txt"):
            for line in source.lines:
                name, pinned, rest = line.partition("==")
                if pinned and not line.startswith((" ", "#")):
                    versions.setdefault(name, set()).add(rest.split()[0])
    assert versions
    assert {name: each for name, each in versions.items() if len(each) > 1} == {}
