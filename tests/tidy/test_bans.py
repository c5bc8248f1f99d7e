"""Planted uses of banned names, written in the ways people write them."""

from __future__ import annotations

import pytest

from tests.tidy.bans import BANS, check_holes, check_names, check_optimised, check_tasks
from tests.tidy.source import Source


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import time\ntime.time()", "time.time"),
        ("import time as t\nt.time_ns()", "time.time_ns"),
        ("from time import time as now\nnow()", "time.time"),
        ("import time\nCLOCK = time.monotonic", "time.monotonic"),
        ("from time import perf_counter\nperf_counter()", "time.perf_counter"),
        ("import datetime\ndatetime.datetime.now()", "datetime.datetime.now"),
        ("from datetime import datetime\ndatetime.now()", "datetime.datetime.now"),
        ("from datetime import date\ndate.today()", "datetime.date.today"),
        ("import random\nrandom.random()", "random.random"),
        ("from random import uniform\nuniform(0, 1)", "random.uniform"),
        ("import random\nrandom.SystemRandom()", "random.SystemRandom"),
        ("from random import Random\nRandom()", "random.Random()"),
        ("import os\nos.environ['HOME']", "os.environ"),
        ("from os import environ\nenviron.get('HOME')", "os.environ"),
        ("import os\nos.getenv('HOME')", "os.getenv"),
        ("import asyncio\nasyncio.create_task(f())", "asyncio.create_task"),
        ("import asyncio\nasyncio.ensure_future(f())", "asyncio.ensure_future"),
        ("from asyncio import gather\ngather(f(), g())", "asyncio.gather"),
        ("print('x')", "print"),
        ("import logging\nlogging.getLogger(__name__)", "logging.getLogger"),
        ("open('x')", "open"),
    ],
)
def test_catches(text: str, name: str) -> None:
    """A banned name is found in the pipeline, and the finding says what to use instead."""
    found = list(check_names(Source("logagent/pipeline.py", text)))
    assert [each.what.partition(": ")[0] for each in found] == [name]
    assert all(each.what.partition(": ")[2] for each in found)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("logagent/app.py", "import time, os\ntime.time(); os.environ"),
        ("logagent/edge/x.py", "import time\ntime.monotonic()"),
        ("logagent/cli/x.py", "import os\nprint(os.environ)"),
        ("logagent/demo/x.py", "import time\nprint(time.sleep(1))"),
        ("logagent/config/load.py", "open('x')"),
        ("logagent/core/retry.py", "from random import Random\nRandom(7).uniform(0, 1)"),
        ("logagent/pipeline.py", "def f(random, x):\n    return random(x), x.time.time()"),
        ("logagent/pipeline.py", "NOTE = 'time.time()'  # print(time.time())"),
        ("tests/test_x.py", "print('x')"),
    ],
)
def test_lets_pass(path: str, text: str) -> None:
    """Edges may touch the world, a seeded generator is a value, and names in strings are words."""
    assert list(check_names(Source(path, text))) == []


@pytest.mark.parametrize("name", ["print", "asyncio.gather", "asyncio.ensure_future"])
def test_some_bans_hold_at_the_edges(name: str) -> None:
    """`app` and `edge` don't print, and gather nothing."""
    top = name.split(".", maxsplit=1)[0]
    text = f"{'' if top == 'print' else f'import {top}'}\n{name}()"
    for path in ("logagent/app.py", "logagent/edge/http.py"):
        assert len(list(check_names(Source(path, text)))) == 1


def test_tasks_belong_to_a_group() -> None:
    """`create_task` is a TaskGroup's method, and the group is called one."""

    def count(text: str, path: str = "logagent/pipeline.py") -> int:
        return len(list(check_tasks(Source(path, text))))

    assert count("group.create_task(f())") == 0
    assert count("self._group.create_task(f())") == 0
    assert count("loop.create_task(f())") == 1
    assert count("asyncio.get_running_loop().create_task(f())") == 1
    assert count("loop.create_task(f())", "logagent/app.py") == 0


def test_holes_in_types_are_explained() -> None:
    """`Any` and `cast` need a comment in their paragraph, or at their import."""

    def count(text: str) -> int:
        return len(list(check_holes(Source("logagent/x.py", text))))

    assert count("from typing import Any\nx: Any = 1") == 1
    assert count("import typing as t\nx = t.cast(int, y)") == 1
    assert count("from typing import Any\nx: Any = 1  # whatever JSON holds") == 0
    assert count("from typing import Any\n# whatever JSON holds\nx: Any = 1") == 0
    assert count("from typing import Any") == 0
    assert count("from typing import Any\n\n# JSON\nx: Any = 1\ny: Any = 1\n\nz: Any = 1") == 1
    assert count("# JSON is anything\nfrom typing import Any\n\n\nx: Any = 1") == 0


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python -O -m logagent", 1),
        ("python3.11 -I -OO x.py", 1),
        ("ENV PYTHONOPTIMIZE=1", 1),
        ("python -m logagent -O", 0),
        ("curl -O file", 0),
    ],
)
def test_asserts_stay_on(line: str, expected: int) -> None:
    """Python isn't started in a way that drops asserts."""
    assert len(list(check_optimised(Source("Dockerfile", line)))) == expected


def test_each_ban_names_its_replacement() -> None:
    """No ban only says no, and no name is banned twice."""
    assert all(len(ban.instead) > len("use x") for ban in BANS)
    assert len({ban.name for ban in BANS}) == len(BANS)
