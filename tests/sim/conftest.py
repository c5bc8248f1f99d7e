"""How many seeds the campaign runs: `--sim-seeds N`, or SIM_SEEDS in the environment, or 500.

Seeds go to the tests in groups, so that several workers share them.
"""

from __future__ import annotations

import os
from typing import Final

import pytest

SEEDS_DEFAULT: Final = 500
GROUP: Final = 25


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option where this folder is what pytest was asked for."""
    parser.addoption("--sim-seeds", type=int, default=None, help="seeds of the simulator")


def count_seeds(config: pytest.Config) -> int:
    """The number of seeds. The option is unknown when pytest was asked for a folder above."""
    chosen: int | None = config.getoption("--sim-seeds", default=None)
    return chosen or int(os.environ.get("SIM_SEEDS", SEEDS_DEFAULT))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each group of seeds."""
    if "seeds" in metafunc.fixturenames:
        total = count_seeds(metafunc.config)
        groups = [range(low, min(low + GROUP, total)) for low in range(0, total, GROUP)]
        names = [f"{group.start}-{group.stop - 1}" for group in groups]
        metafunc.parametrize("seeds", groups, ids=names)


@pytest.fixture(name="total")
def count_all_seeds(request: pytest.FixtureRequest) -> int:
    """The number of seeds of the whole campaign."""
    return count_seeds(request.config)
