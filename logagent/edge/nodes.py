"""The hosts of one sink: whose turn it is, who is set aside, which connections are kept for whom.

Pure but for closing connections. Must not know requests, replies' bodies or how to connect.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from logagent.edge.connection import Connection
from logagent.edge.dial import Host

ASIDE_S: Final = 1.0
ASIDE_MAX_S: Final = 60.0
"""A host that failed is passed over this long, doubling to the maximum, while another one works."""

assert ASIDE_S < ASIDE_MAX_S


class HostState(NamedTuple):
    """What a status page shows of a host: `fault` is empty while it works."""

    host: str
    failures: int
    fault: str


class Node:
    """One host, the headers that all its requests begin with, and how it has been doing.

    `idle` holds kept connections, the one used last at the end.
    """

    def __init__(self, host: Host, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.host = host
        self.headers = (b"host", host.header.encode("ascii")), *headers
        self.idle: list[Connection] = []
        self.failures = 0
        self.back_at = 0.0
        self.fault = ""

    def failed(self, fault: str, now: float) -> None:
        """Set the host aside from `now` on."""
        aside = ASIDE_S * 2.0 ** min(self.failures, 16)
        self.failures += 1
        self.fault = fault
        self.back_at = now + min(ASIDE_MAX_S, aside)

    def worked(self) -> None:
        """Take the host back."""
        self.failures, self.back_at, self.fault = 0, 0.0, ""

    def state(self) -> HostState:
        """A snapshot for people."""
        return HostState(self.host.header, self.failures, self.fault)


def choose(nodes: Sequence[Node], turn: int, now: float) -> int:
    """The index of the first host from `turn` on that isn't set aside; if all are, of the one that
    comes back first."""
    count = len(nodes)
    for step in range(count):
        index = (turn + step) % count
        if nodes[index].back_at <= now:
            return index
    return min(range(count), key=lambda index: nodes[index].back_at)


def close_idle(nodes: Sequence[Node], *, before: float) -> None:
    """Close the kept connections that were used last before a loop time."""
    for node in nodes:
        kept, node.idle = node.idle, []
        for connection in kept:
            if connection.idle_since >= before:
                node.idle.append(connection)
            else:
                connection.close()


def close_oldest(nodes: Sequence[Node], keep: int) -> None:
    """Close kept connections, those used longest ago first, until `keep` are left."""
    kept = sorted((c.idle_since for node in nodes for c in node.idle), reverse=True)
    if len(kept) > keep:
        close_idle(nodes, before=kept[keep - 1] if keep > 0 else float("inf"))
