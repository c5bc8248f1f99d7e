"""What holds for all tests: no network but loopback, e2e marks by folder, Hypothesis profiles."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

E2E: Final = Path(__file__).parent / "e2e"

# A slow machine isn't a bug, so no example has a deadline; a failure prints how to repeat it.
settings.register_profile(
    "default", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
# The same examples on each run: a red run is about the change, never about luck.
settings.register_profile("fixed", settings.get_profile("default"), derandomize=True, database=None)
settings.register_profile("deep", settings.get_profile("default"), max_examples=10_000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("fixed" if os.environ.get("CI") else "default")
)


def is_loopback(host: str) -> bool:
    """Whether an address is this machine itself; the empty host of a bind is every interface."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """Raise before Python connects or binds a socket to another machine's reach.

    An audit hook, because it also sees sockets that asyncio makes. It can't see those of uvloop,
    which the tests use in child processes only.
    """
    if event not in {"socket.connect", "socket.bind", "socket.sendto"}:
        return
    address = arguments[1]
    if isinstance(address, tuple) and not is_loopback(str(address[0])):
        raise PermissionError(f"{event} {address[0]!r}: tests use loopback only")


sys.addaudithook(refuse_the_network)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in tests/e2e, so that nobody can forget to."""
    for item in items:
        if item.path.is_relative_to(E2E):
            item.add_marker(pytest.mark.e2e)
