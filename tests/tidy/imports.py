"""Rules about imports: the table of `tests.tidy.table`, and no dead module.

An import under `if TYPE_CHECKING:` has no effect at run time: it may name a barred standard module
(`Random` as the type of an argument), but the table of our own parts holds for it too.
"""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.tidy.source import Finding, Source
from tests.tidy.table import ENTRY_POINTS, LIBRARIES, PARTS, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT: Final = "logagent"
SPELLED: Final = re.compile(r"logagent(\.\w+)+")
"""A module's name in a string: what `python -m` or a lazy import is given."""


class Import(NamedTuple):
    """A module that a file imports. `names` are the names taken from it, if any."""

    line: int
    module: str
    names: tuple[str, ...]
    typing_only: bool


def is_type_checking(node: ast.AST) -> bool:
    """Whether a node is an `if TYPE_CHECKING:`."""
    if not isinstance(node, ast.If):
        return False
    match node.test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case _:
            return False


def imports(source: Source) -> Iterator[Import]:
    """List all imports of a file, also those inside functions; relative ones are made absolute."""
    typing_nodes = {
        id(inner)
        for node in source.nodes
        if isinstance(node, ast.If) and is_type_checking(node)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in source.nodes:
        typing_only = id(node) in typing_nodes
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, (), typing_only)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(node.lineno, absolute(source, node), names, typing_only)


def absolute(source: Source, node: ast.ImportFrom) -> str:
    """Give the full name of the module that a `from … import` names."""
    if not node.level:
        return node.module or ""
    is_package = source.path.endswith("/__init__.py")
    parents = source.module.split(".")
    kept = parents[: len(parents) - node.level + is_package]
    return ".".join([*kept, *([node.module] if node.module else [])])


def part_of(module: str) -> str:
    """Name the part a module of ours belongs to; the package itself is the part `logagent`."""
    head, _, rest = module.partition(".")
    return rest.split(".")[0] if rest else head


def targets(item: Import, modules: frozenset[str]) -> Iterator[str]:
    """Give the modules that an import really means: `from logagent import tail` means `tail`."""
    found = [name for name in (f"{item.module}.{each}" for each in item.names) if name in modules]
    yield from found
    if len(found) < len(item.names) or not item.names:
        yield item.module


def check_table(sources: Iterable[Source]) -> Iterator[Finding]:
    """Hold each module of the package to its row in the table."""
    package = [source for source in sources if source.is_python and source.under(ROOT)]
    modules = frozenset(source.module for source in package)
    for source in package:
        part = PARTS.get(part_of(source.module))
        if part is None:
            yield Finding(source.path, 1, f"{part_of(source.module)} has no row in tidy/table.py")
            continue
        for item in imports(source):
            for target in targets(item, modules):
                what = refuse(source, item, target, part)
                if what:
                    yield Finding(source.path, item.line, what)


def refuse(source: Source, item: Import, target: str, part: Part) -> str:
    """Say why this import may not be, or nothing."""
    name, top = part_of(source.module), target.split(".", maxsplit=1)[0]
    if top == ROOT:
        allowed = part_of(target) in part.ours or source.module == target
        return "" if allowed else f"{name} must not import {target}: see tidy/table.py"
    if top in sys.stdlib_module_names:
        named = {top, target, *(f"{target}.{each}" for each in item.names)}
        barred = sorted(named & part.barred)
        if not barred or item.typing_only:
            return ""
        return f"{name} must not import {barred[0]}: take its answer as an argument"
    if top not in part.others:
        return f"{name} must not import the package {top}: see tidy/table.py"
    places = LIBRARIES.get(top)
    if places and not any(f"{source.module}.".startswith(f"{place}.") for place in places):
        return f"{top} belongs to {' and '.join(sorted(places))} alone"
    return ""


def check_dead(sources: Iterable[Source]) -> Iterator[Finding]:
    """Find modules of the package that no entry point reaches, by import or by name in a string."""
    package = {
        source.module: source for source in sources if source.is_python and source.under(ROOT)
    }
    alive: set[str] = set()
    pending = [name for name in ENTRY_POINTS if name in package]
    while pending:
        module = pending.pop()
        if module in alive or module not in package:
            continue
        alive.add(module)
        pending.append(module.rpartition(".")[0])  # importing a.b imports a
        pending += references(package[module], frozenset(package))
    for module in sorted(set(package) - alive):
        yield Finding(package[module].path, 1, f"{module} is dead: nothing that runs imports it")


def references(source: Source, modules: frozenset[str]) -> Iterator[str]:
    """Give all modules that a file imports or spells out."""
    for item in imports(source):
        yield from targets(item, modules)
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = SPELLED.match(node.value)
            if found:
                yield found.group()
