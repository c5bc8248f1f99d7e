"""The fences around all tests stand."""

from __future__ import annotations

import socket
import warnings

import pytest

from tests.conftest import is_loopback


def test_only_loopback_is_reached() -> None:
    """A connection or a bind to another address is refused before a packet leaves."""
    with socket.socket() as plain:
        with pytest.raises(PermissionError, match="loopback only"):
            plain.connect(("192.0.2.1", 9))  # an address reserved for documentation
        with pytest.raises(PermissionError, match="loopback only"):
            plain.bind(("", 0))
        plain.bind(("127.0.0.1", 0))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
        ("", False),
        ("example.org", False),
    ],
)
def test_loopback_is_known(host: str, *, expected: bool) -> None:
    """Loopback is told from everything else, by address or as `localhost`."""
    assert is_loopback(host) is expected


def test_warnings_are_errors() -> None:
    """A warning anywhere under test fails the test."""
    with pytest.raises(UserWarning, match="planted"):
        warnings.warn("planted", stacklevel=1)
