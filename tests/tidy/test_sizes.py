"""Planted violations of the size limits, each one over the limit and at it."""

from __future__ import annotations

from tests.tidy.sizes import check_functions, check_lines, check_module
from tests.tidy.source import Source


def function(lines: int, doc: str = "") -> str:
    """Write a function of so many lines, not counting its docstring."""
    return "\n".join(["def f():", *([doc] if doc else []), *["    x = 1"] * (lines - 1)])


def test_long_modules_are_found() -> None:
    """The 301st line is one too many, in Python files only."""
    assert not list(check_module(Source("logagent/a.py", "x = 1\n" * 300)))
    assert list(check_module(Source("logagent/a.py", "x = 1\n" * 301)))
    assert not list(check_module(Source("README.md", "x\n" * 301)))


def test_long_functions_are_found() -> None:
    """The 51st line is one too many; the docstring doesn't count, decorators don't either."""
    doc = '    """Say.\n\n    More.\n    """'
    assert not list(check_functions(Source("a.py", function(50))))
    assert not list(check_functions(Source("a.py", "@cache\n@cache\n" + function(50, doc))))
    assert list(check_functions(Source("a.py", function(51))))
    assert list(check_functions(Source("a.py", function(51, doc))))
    assert list(check_functions(Source("a.py", "async " + function(51))))
    inner = "class C:\n" + "\n".join("    " + line for line in function(51).split("\n"))
    assert list(check_functions(Source("a.py", inner)))


def test_many_positional_parameters_are_found() -> None:
    """The sixth is one too many; keyword-only ones are free, and so is `self`."""

    def count(text: str) -> int:
        return len(list(check_functions(Source("a.py", text))))

    assert count("def f(a, b, c, d, e): ...") == 0
    assert count("def f(a, b, /, c, d, e, f): ...") == 1
    assert count("def f(a, b, c, d, e, *, f, g): ...") == 0
    assert count("class C:\n    def f(self, a, b, c, d, e): ...") == 0
    assert count("class C:\n    def f(self, a, b, c, d, e, f): ...") == 1
    assert count("class C:\n    @staticmethod\n    def f(a, b, c, d, e, f): ...") == 1
    assert count("class C:\n    @classmethod\n    def f(cls, a, b, c, d, e): ...") == 0


def test_long_lines_are_found() -> None:
    """The 101st character is one too many, in code; prose wraps as it likes."""
    assert not list(check_lines(Source("Makefile", "x" * 100)))
    found = list(check_lines(Source(".ci/run", "\n" + "x" * 101)))
    assert [each.line for each in found] == [2]
    assert not list(check_lines(Source("README.md", "x" * 101)))
