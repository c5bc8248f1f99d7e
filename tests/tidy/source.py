"""One file of the repository as the rules see it, and the walk that reads each of them once.

Knows paths, text and syntax trees. Must not know any rule.
"""

from __future__ import annotations

import ast
import os
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SKIPPED_FOLDERS: Final = frozenset(
    {".git", ".hg", ".idea", ".vscode", ".hypothesis", ".benchmarks", "build", "dist", "out"}
)
"""Folders that tools make; `.venv*`, `.cache`, `*_cache`, `*.egg-info` and `__pycache__` go too."""

TEXT_SUFFIXES: Final = frozenset(
    ".cfg .in .ini .java .json .md .properties .py .sh .toml .txt .xml .yaml .yml".split()
)
TEXT_NAMES: Final = frozenset(
    {"Dockerfile", "Makefile", "run", ".dockerignore", ".gitattributes", ".gitignore"}
)
"""Files without a suffix that are text all the same; `run` is the one in .ci."""

BYTES_MAX: Final = 1 << 20
"""No text of ours is larger; a corpus that lies about may be."""


class Finding(NamedTuple):
    """A broken rule: where, and what to do instead."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        """Give the form that editors make a link of."""
        return f"{self.path}:{self.line}: {self.what}"


class Source:
    """A text file: its path from the repository's root, its text, its tree when it is Python."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; raises SyntaxError, which is a finding of its own kind."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the tree, walked once for all rules."""
        return list(ast.walk(self.tree))

    @property
    def is_python(self) -> bool:
        """Whether `tree` makes sense."""
        return self.path.endswith(".py")

    def under(self, *folders: str) -> bool:
        """Whether the file is inside one of these top-level folders."""
        return self.path.split("/", 1)[0] in folders and "/" in self.path

    @property
    def module(self) -> str:
        """The dotted name that Python imports it by; a package is its `__init__`."""
        dotted = self.path.removesuffix(".py").replace("/", ".")
        return dotted.removesuffix(".__init__")


def is_skipped(folder: str) -> bool:
    """Whether a folder's name says that a tool made it."""
    return (
        folder in SKIPPED_FOLDERS
        or folder == "__pycache__"
        or folder.startswith(".venv")
        or folder.endswith(("cache", ".egg-info"))
    )


def is_text(name: str) -> bool:
    """Whether a file's name says that people wrote it as text."""
    return name in TEXT_NAMES or os.path.splitext(name)[1] in TEXT_SUFFIXES


def read_tree(root: Path) -> Iterator[Source]:
    """Read every text file beneath `root`, in the order of paths, without following symlinks."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not is_skipped(name))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not is_text(name) or os.path.islink(path) or os.path.getsize(path) > BYTES_MAX:
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                yield Source(os.path.relpath(path, root), file.read())
