"""Names that the package must not use, each with what to use instead.

Names are followed through imports: `from time import time as now` is still `time.time`.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.tidy.source import Finding, Source

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ban(NamedTuple):
    """A name, or all names below one that ends in a dot; `free` are the parts that may use it."""

    name: str
    instead: str
    free: frozenset[str]


TERMINAL: Final = frozenset({"cli", "demo"})
EDGES: Final = frozenset({"app", "edge"}) | TERMINAL
"""Where the world is let in: clock, chance, environment."""
NOWHERE: Final[frozenset[str]] = frozenset()

CLOCK: Final = "take the wall clock as an argument"
LOOP_TIME: Final = "use the running loop's time(): the simulator has its own"
CHANCE: Final = "take a random.Random as an argument"
ENVIRONMENT: Final = "take what you need as an argument; app.py and cli/ hand it in"
GROUP: Final = "use a TaskGroup, so that no task outlives its owner"

BANS: Final = (
    Ban("time.time", CLOCK, EDGES),
    Ban("time.time_ns", CLOCK, EDGES),
    Ban("time.monotonic", LOOP_TIME, EDGES),
    Ban("time.monotonic_ns", LOOP_TIME, EDGES),
    Ban("time.perf_counter", LOOP_TIME, EDGES),
    Ban("time.perf_counter_ns", LOOP_TIME, EDGES),
    Ban("time.sleep", "await with a bound, or a stop event's wait(timeout) in a thread", TERMINAL),
    Ban("datetime.datetime.now", CLOCK, EDGES),
    Ban("datetime.datetime.utcnow", CLOCK, NOWHERE),
    Ban("datetime.datetime.today", CLOCK, NOWHERE),
    Ban("datetime.date.today", CLOCK, NOWHERE),
    Ban("random.", CHANCE, EDGES),
    Ban("secrets.", CHANCE, EDGES),
    Ban("os.urandom", CHANCE, EDGES),
    Ban("uuid.uuid1", CHANCE, EDGES),
    Ban("uuid.uuid4", CHANCE, EDGES),
    Ban("os.environ", ENVIRONMENT, EDGES),
    Ban("os.environb", ENVIRONMENT, EDGES),
    Ban("os.getenv", ENVIRONMENT, EDGES),
    Ban("asyncio.create_task", GROUP, EDGES),
    Ban("asyncio.ensure_future", GROUP, NOWHERE),
    Ban("asyncio.gather", "use a TaskGroup: gather() leaves the others running", NOWHERE),
    Ban("print", "use the log of edge/log.py; stdout belongs to cli/ and to the sink", TERMINAL),
    Ban("logging.getLogger", "use the log of edge/log.py: it limits repeats by key", NOWHERE),
    Ban("open", "use the Fs port, which opens beneath a root", EDGES | {"config"}),
    Ban("io.open", "use the Fs port, which opens beneath a root", NOWHERE),
    Ban("mmap.mmap", "use pread: a truncated file under a map is a SIGBUS", NOWHERE),
    Ban("asyncio.get_event_loop", "use asyncio.get_running_loop()", NOWHERE),
)
"""`random.Random` is exempt: with a seed it is a value like others."""

EXPLAINED: Final = frozenset({"typing.Any", "typing.cast"})
"""Holes in the types: each use, or its import, has a comment on its line or above it."""

OPTIMISED: Final = re.compile(r"PYTHONOPTIMIZE|\bpython[\d.]*\s+(?:-[A-Za-z]+\s+)*-[A-Za-z]*OO?\b")


def aliases(source: Source) -> dict[str, str]:
    """Map each name that an import binds to the full name behind it."""
    bound: dict[str, str] = {}
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                bound[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return bound


def dotted(node: ast.AST, bound: dict[str, str]) -> str:
    """Give the full name of an expression like `time.time`; empty for anything else."""
    if isinstance(node, ast.Name):
        return bound.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        base = dotted(node.value, bound)
        return f"{base}.{node.attr}" if base else ""
    return ""


def is_hit(ban: Ban, name: str) -> bool:
    """Whether a full name falls under a ban."""
    if ban.name.endswith("."):
        return name.startswith(ban.name) and name != "random.Random"
    return name == ban.name


def is_unseeded(node: ast.Call, bound: dict[str, str]) -> bool:
    """Whether a call makes a random generator that nobody can repeat."""
    return not (node.args or node.keywords) and dotted(node.func, bound) == "random.Random"


def check_names(source: Source) -> Iterator[Finding]:
    """Find banned names in a module of the package, and random generators without a seed."""
    if not (source.is_python and source.under("logagent")):
        return
    part = source.module.split(".")[1] if "." in source.module else "logagent"
    bound = aliases(source)
    shadowed = {node.name for node in source.nodes if isinstance(node, ast.FunctionDef)}
    for node in source.nodes:
        if isinstance(node, ast.Call) and part not in EDGES and is_unseeded(node, bound):
            yield Finding(source.path, node.lineno, f"random.Random(): {CHANCE}")
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name = dotted(node, bound)
        for ban in BANS:
            if is_hit(ban, name) and part not in ban.free and name not in shadowed:
                yield Finding(source.path, node.lineno, f"{name}: {ban.instead}")


def check_tasks(source: Source) -> Iterator[Finding]:
    """Find `x.create_task()` where x isn't called a group, outside the edges."""
    if not (source.is_python and source.under("logagent")):
        return
    if source.module.split(".")[1:2] and source.module.split(".")[1] in EDGES:
        return
    for node in source.nodes:
        match node:
            case ast.Attribute(attr="create_task", value=owner):
                name = ast.unparse(owner)
                if name != "asyncio" and not name.endswith("group"):
                    what = f"{name}.create_task: {GROUP}; its name ends in `group`"
                    yield Finding(source.path, node.lineno, what)
            case _:
                pass


def check_holes(source: Source) -> Iterator[Finding]:
    """Find `Any` and `cast` without a comment that explains them."""
    if not (source.is_python and source.under("logagent", "tests", "bench")):
        return
    bound = aliases(source)
    imported = {
        f"typing.{alias.name}": node.lineno
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and node.module == "typing"
        for alias in node.names
    }
    for node in source.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and dotted(node, bound) in EXPLAINED:
            places = {node.lineno, imported.get(dotted(node, bound), node.lineno)}
            if not any(has_comment(source, line) for line in places):
                what = f"{dotted(node, bound)}: say in a comment why no type fits"
                yield Finding(source.path, node.lineno, what)


def has_comment(source: Source, line: int) -> bool:
    """Whether a line, counted from 1, or one above it in the same paragraph has a comment."""
    for each in reversed(source.lines[:line]):
        if "#" in each or not each.strip():
            return "#" in each
    return False


def check_optimised(source: Source) -> Iterator[Finding]:
    """Find ways to start Python that switch the asserts off: they hold our invariants."""
    if source.under("tests") or source.path.endswith(".md"):
        return
    for number, line in enumerate(source.lines, 1):
        if OPTIMISED.search(line):
            yield Finding(source.path, number, "asserts stay on in production: no -O")
