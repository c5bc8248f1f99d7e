"""What the tests of the questions share: servers that answer as told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest

from tests.cli.asking.serving import Served, serving

Serve = Callable[[Mapping[str, tuple[int, bytes]]], Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers paths as told; see `serving`."""
    with ExitStack() as servers:
        yield lambda answers: servers.enter_context(serving(answers))
