"""Planted violations of the import table, and dead modules."""

from __future__ import annotations

import pytest

from tests.tidy.imports import check_dead, check_table, imports
from tests.tidy.source import Source
from tests.tidy.table import PARTS, PURE


def refusals(path: str, text: str) -> list[str]:
    """What the table says against one module, in a package that has a few others."""
    others = [Source(f"logagent/{each}", "") for each in ("__init__.py", "tail.py", "core/cut.py")]
    return [each.what for each in check_table([Source(path, text), *others])]


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        ("logagent/core/x.py", "import asyncio", "asyncio"),
        ("logagent/core/x.py", "from time import time", "time"),
        ("logagent/core/x.py", "def f() -> None:\n    import os", "os"),
        ("logagent/core/x.py", "import os.path", "os"),
        ("logagent/codecs/x.py", "import urllib.request", "urllib.request"),
        ("logagent/codecs/x.py", "from urllib import request", "urllib.request"),
        ("logagent/core/x.py", "import orjson", "orjson"),
        ("logagent/core/x.py", "from logagent.render import program", "logagent.render"),
        ("logagent/core/x.py", "from logagent import tail", "logagent.tail"),
        ("logagent/core/x.py", "from .. import tail", "logagent.tail"),
        ("logagent/core/x.py", "from ..render.program import Program", "logagent.render"),
        ("logagent/render/x.py", "from logagent.codecs import elastic", "logagent.codecs"),
        ("logagent/pipeline.py", "from logagent.edge.http import Http", "logagent.edge.http"),
        ("logagent/pipeline.py", "import socket", "socket"),
        ("logagent/edge/x.py", "from logagent.config import Config", "logagent.config"),
        ("logagent/edge/x.py", "import uvloop", "uvloop belongs to"),
        ("logagent/edge/x.py", "import requests", "requests"),
        ("logagent/config/x.py", "from logagent.core.cut import cut", "logagent.core.cut"),
        ("logagent/app.py", "from logagent.cli import main", "logagent.cli"),
        ("logagent/demo/x.py", "from logagent.core.cut import cut", "logagent.core.cut"),
        ("logagent/demo/x.py", "import msgspec", "msgspec"),
        ("logagent/helpers.py", "", "helpers has no row"),
        (
            "logagent/core/x.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from logagent.app import App",
            "logagent.app",
        ),
    ],
)
def test_catches(path: str, text: str, what: str) -> None:
    """An import that the table doesn't allow is found, however it is written."""
    found = refusals(path, text)
    assert len(found) == 1
    assert what in found[0]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "logagent/core/x.py",
            "from zlib import crc32\nimport msgspec\nfrom logagent.core import cut",
        ),
        (
            "logagent/core/x.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from random import Random",
        ),
        ("logagent/codecs/x.py", "from io import BytesIO\nfrom urllib.parse import quote"),
        ("logagent/pipeline.py", "import asyncio\nfrom logagent.tail import Tail"),
        ("logagent/edge/http.py", "import h11, ssl, os, time"),
        ("logagent/config/load.py", "import os, yaml"),
        ("logagent/app.py", "import uvloop\nfrom logagent import build"),
        (
            "logagent/cli/demo.py",
            "from logagent.demo import show\nfrom logagent import __version__",
        ),
        ("logagent/demo/x.py", "import asyncio, orjson, socket"),
    ],
)
def test_lets_pass(path: str, text: str) -> None:
    """What the table allows isn't found."""
    assert refusals(path, text) == []


def test_an_else_isnt_for_types_only() -> None:
    """The other branch of `if TYPE_CHECKING` runs, so it is held to the table."""
    text = "if TYPE_CHECKING:\n    import time\nelse:\n    import os"
    found = {item.module: item.typing_only for item in imports(Source("logagent/core/x.py", text))}
    assert found == {"time": True, "os": False}


def test_table_is_closed() -> None:
    """Each part that a row names has a row; nothing imports `app` or `cli` but the way in."""
    assert {each for part in PARTS.values() for each in part.ours} <= set(PARTS)
    assert {name for name, part in PARTS.items() if part.ours & {"app", "cli"}} == {
        "cli",
        "__main__",
    }


@pytest.mark.parametrize("name", ["core", "render", "codecs"])
def test_pure_parts_bar_the_world(name: str) -> None:
    """The three pure parts bar all that the architecture names."""
    assert {"asyncio", "os", "time", "random", "socket", "logging"} <= PURE <= PARTS[name].barred


def dead(**texts: str) -> list[str]:
    """Which modules of a package, given as name=text, are dead."""
    sources = [Source(f"logagent/{name}.py", text) for name, text in texts.items()]
    return [each.what.split()[0] for each in check_dead(sources)]


def test_dead_modules_are_found() -> None:
    """A module that no entry point reaches is dead, also when two keep each other company."""
    assert dead(
        __init__="",
        __main__="from logagent import a",
        a="def f() -> None:\n    from logagent.b import x",
        b="ARGUMENTS = ['-m', 'logagent.c']",
        c="",
        d="from logagent import e",
        e="from logagent import d",
    ) == ["logagent.d", "logagent.e"]
