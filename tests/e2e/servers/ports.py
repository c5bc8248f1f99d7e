"""Free ports of the loopback, for servers that must come back on the same one."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST: Final = 10_240
HIGHEST: Final = 65_535
ENOUGH: Final = 1_000


def free_port() -> int:
    """A port that nobody listens on, below those that the kernel gives to clients.

    One of the kernel's own would be lent to somebody else while its server is down, and a client
    that keeps trying such a port ends up connected to itself.
    """
    highest = int(RANGE.read_text().split()[0]) - 1
    if highest < LOWEST + ENOUGH:
        highest = HIGHEST  # the kernel was told to take them all: better than none
    while True:
        port = random.randint(LOWEST, highest)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
