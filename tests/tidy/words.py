"""Rules about text: docstrings, leftover markers, machine paths, registries, locks."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from tests.tidy.source import Finding, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CODE: Final = ("logagent", "tests", "bench")
RULES: Final = "tests/tidy/"
"""These files spell out what they forbid, so the rules about words pass them over."""

MARKERS: Final = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
MACHINE_PATHS: Final = re.compile(r"(?<![\w.~/$})-])/(?:work|root|home/\w+|opt/wheels)/")
TEMPORARY: Final = re.compile(r"(?<![\w./$})-])/tmp/")
ORGANISATION: Final = re.compile(
    r"\bissue #?\d+\b|\bshared/(?:facts|design)|\bfacts/\w+\.md|\bpull request #?\d+", re.IGNORECASE
)
REGISTRIES: Final = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|pypi\.org|pythonhosted\.org"
    r"|registry\.npmjs|repo\d?\.maven|proxy\.golang|deb\.debian\.org|static\.crates",
    re.IGNORECASE,
)
URL: Final = re.compile(r"\w+://")
PINNED: Final = re.compile(r"[A-Za-z0-9._-]+(?:\[[\w,-]+\])?==\S+")
HASH: Final = "--hash=sha256:"


def check_docstrings(source: Source) -> Iterator[Finding]:
    """Find modules without a docstring, and public functions and methods of the package."""
    if not (source.is_python and source.under(*CODE)):
        return
    if ast.get_docstring(source.tree) is None:
        yield Finding(source.path, 1, "a module says what it knows and what it must not know")
    if source.under("logagent"):
        for node in public_functions(source.tree.body):
            if ast.get_docstring(node) is None:
                yield Finding(source.path, node.lineno, f"{node.name} has no docstring")


def public_functions(
    body: Iterable[ast.stmt],
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give the functions of a module, and of its classes, whose names don't start with `_`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_") or is_second_face(node):
                continue
            if isinstance(node, ast.ClassDef):
                yield from public_functions(node.body)
            else:
                yield node


def is_second_face(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether a definition is an overload or a setter: the first one is documented."""
    names = {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
    return bool(names & {"overload", "setter", "override"})


def check_test_docstrings(source: Source) -> Iterator[Finding]:
    """Find tests that don't say what they prove."""
    if not (source.is_python and source.under("tests", "bench")):
        return
    for node in source.nodes:
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test_")
            and ast.get_docstring(node) is None
        ):
            yield Finding(source.path, node.lineno, f"{node.name} doesn't say what it proves")


def check_words(source: Source) -> Iterator[Finding]:
    """Find leftover markers, paths of one machine, registries, and talk of how work goes."""
    if source.path.startswith(RULES) or source.path == "LICENSE":
        return
    shipped = not source.under("tests", "bench", "docs") and not source.path.endswith(".md")
    rules = [
        (MARKERS, "finish it, or file it"),
        (MACHINE_PATHS, "no path of one machine: take it as an argument, or use ~"),
        (ORGANISATION, "say the reason itself, not where it was discussed"),
        (REGISTRIES, "no registry: pip and the others know theirs"),
        *([(TEMPORARY, "use the tempfile module")] if shipped else []),
    ]
    for number, line in enumerate(source.lines, 1):
        for pattern, instead in rules:
            found = pattern.search(line)
            if found:
                yield Finding(source.path, number, f"{found.group()}: {instead}")


def check_lock(source: Source) -> Iterator[Finding]:
    """Find entries of requirements/*.txt that aren't pinned and hashed, and addresses."""
    if not (source.under("requirements") and source.path.endswith(".txt")):
        return
    joined = source.text.replace("\\\n", " ")
    for line in joined.splitlines():
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        number = source.text[: source.text.index(entry.split()[0])].count("\n") + 1
        if URL.search(entry) or " @ " in entry:
            yield Finding(source.path, number, "a lock names no address")
        elif not PINNED.match(entry) or HASH not in entry:
            yield Finding(source.path, number, f"{entry.split()[0]} has no version or no hash")
