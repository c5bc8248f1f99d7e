"""Sinks and requests that several tests of the HTTP edge use. No tests in here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logagent.core.chunk import Request
from logagent.edge.http import HttpSink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BIG = Request(b"x" * 8_000_000, 1, 8_000_000, gzipped=False)
SMALL = Request(b'{"create":{}}\n{"a":1}\n', 1, 22, gzipped=False)


def make_sink(
    hosts: Sequence[str],
    *,
    timeout_s: float = 20.0,
    connections: int = 2,
    auth: Callable[[], str] | None = None,
) -> HttpSink:
    """A sink with one fixed header."""
    return HttpSink(
        hosts,
        "/_bulk?x=1",
        headers={"content-type": "application/x-ndjson"},
        auth=auth,
        timeout_s=timeout_s,
        connections=connections,
    )
