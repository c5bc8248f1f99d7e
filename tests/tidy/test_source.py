"""The walk of the repository and the view of one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tidy.source import BYTES_MAX, Source, read_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_reads_text_once_and_nothing_else(tmp_path: Path) -> None:
    """Text that people wrote is read, in order; what tools made, links and corpora are not."""
    for name in ("b.py", "a/Makefile", ".ci/run"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text\n")
    for name in (
        ".venv/x.py",
        ".git/x.py",
        "a/__pycache__/x.py",
        ".ruff_cache/x.py",
        "p.egg-info/x.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("made\n")
    (tmp_path / "link.py").symlink_to("b.py")
    (tmp_path / "picture.png").write_bytes(b"\xff")
    (tmp_path / "corpus.json").write_bytes(b"x" * (BYTES_MAX + 1))
    assert [each.path for each in read_tree(tmp_path)] == ["b.py", ".ci/run", "a/Makefile"]


def test_names_modules_as_python_does() -> None:
    """A file's module name is what an import says; a package is its `__init__`."""
    assert Source("logagent/core/cut.py", "").module == "logagent.core.cut"
    assert Source("logagent/core/__init__.py", "").module == "logagent.core"


def test_knows_folders() -> None:
    """A file is under a folder, not under a file of that name's beginning."""
    assert Source("bench/gate.py", "").under("logagent", "bench")
    assert not Source("benchmark/gate.py", "").under("bench")
    assert not Source("run", "").under("run")
