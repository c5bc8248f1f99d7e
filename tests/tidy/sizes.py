"""Rules about size: modules, functions, positional parameters, lines."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tests.tidy.source import Finding, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE_LINES_MAX: Final = 300
FUNCTION_LINES_MAX: Final = 50
PARAMETERS_MAX: Final = 5
LINE_LENGTH_MAX: Final = 100

WRAPPED_SUFFIXES: Final = (".py", ".toml", ".sh", ".java", "Makefile", "Dockerfile", "/run")
"""Files whose lines are held to the limit: code. Prose and data wrap as they like."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def check_module(source: Source) -> Iterator[Finding]:
    """Find a Python file with too many lines."""
    lines = len(source.lines)
    if source.is_python and lines > MODULE_LINES_MAX:
        what = f"{lines} lines, {MODULE_LINES_MAX} at most: split it where a second subject starts"
        yield Finding(source.path, lines, what)


def check_functions(source: Source) -> Iterator[Finding]:
    """Find functions that are too long, or take too many positional parameters."""
    if not source.is_python:
        return
    methods = {
        id(statement)
        for node in source.nodes
        if isinstance(node, ast.ClassDef)
        for statement in node.body
    }
    for node in source.nodes:
        if not isinstance(node, Function):
            continue
        lines = body_lines(node)
        if lines > FUNCTION_LINES_MAX:
            what = f"{node.name} has {lines} lines, {FUNCTION_LINES_MAX} at most: move a leaf out"
            yield Finding(source.path, node.lineno, what)
        count = positional(node, is_method=id(node) in methods)
        if count > PARAMETERS_MAX:
            what = (
                f"{node.name} takes {count} positional parameters, {PARAMETERS_MAX} at most:"
                " make the rest keyword-only"
            )
            yield Finding(source.path, node.lineno, what)


def body_lines(node: Function) -> int:
    """Count the lines of a function from its `def` to its end, without its docstring."""
    end = node.end_lineno or node.lineno
    lines = end - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def positional(node: Function, *, is_method: bool) -> int:
    """Count the parameters that a caller may give by position: `self` and `cls` aren't given."""
    count = len(node.args.posonlyargs) + len(node.args.args)
    names = {each.id for each in node.decorator_list if isinstance(each, ast.Name)}
    static = "staticmethod" in names
    return count - (is_method and not static and count > 0)


def check_lines(source: Source) -> Iterator[Finding]:
    """Find lines of code that are too long."""
    if not source.path.endswith(WRAPPED_SUFFIXES):
        return
    for number, line in enumerate(source.lines, 1):
        if len(line) > LINE_LENGTH_MAX:
            yield Finding(source.path, number, f"{len(line)} characters, {LINE_LENGTH_MAX} at most")
