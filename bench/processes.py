"""Processes under measurement: pinned to a core, and what they used.

Knows cores, resource usage and the receiver as a process. Must not know what is measured.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent


class Cores(NamedTuple):
    """Which core the receiver has, and which the subject: the same when there is one only."""

    receiver: int
    subject: int


class Usage(NamedTuple):
    """What a process used, from fork to exit."""

    cpu_s: float
    """User and system time."""
    system_s: float
    wall_s: float
    rss_bytes_max: int
    """The highest. The kernel counts from the fork on, so it is never below `own_rss_bytes`."""
    page_faults: int
    switches: int


class ProcessError(Exception):
    """A process under measurement has ended in another way than it should."""


def cores() -> Cores:
    """The first and the last core that this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[-1])


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started inside runs on `core` alone. It inherits that, so nothing has to run between
    fork and exec."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(
    arguments: Sequence[str], core: int, *, env: Mapping[str, str] | None = None, log: Path
) -> Usage:
    """Run a command on a core to its end, with `env` added to the environment. stderr goes to
    `log`. Raises ProcessError."""
    started = os.times().elapsed
    with pinned(core), log.open("wb") as errors:
        process = subprocess.Popen(
            arguments,
            env={**environment(), **(env or {})},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stderr=errors,
        )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        text = log.read_text(errors="replace")[-2000:]
        raise ProcessError(f"{' '.join(arguments)}: exit status {process.returncode}\n{text}")
    return Usage(
        cpu_s=used.ru_utime + used.ru_stime,
        system_s=used.ru_stime,
        wall_s=os.times().elapsed - started,
        rss_bytes_max=used.ru_maxrss * 1024,
        page_faults=used.ru_minflt + used.ru_majflt,
        switches=used.ru_nvcsw + used.ru_nivcsw,
    )


def environment() -> dict[str, str]:
    """The environment without what changes Python: where byte code isn't kept (some containers say
    so), each start compiles the package anew, and an installed one never does."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def own_rss_bytes() -> int:
    """The highest RSS of this process: what it starts must be larger for its figure to count."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Stats(NamedTuple):
    """What a receiver has counted."""

    rows: int
    documents: int
    requests: int
    wire_bytes: int
    statuses: Mapping[str, int]


class ReceiverProcess:
    """A running receiver, seen from outside."""

    def __init__(self, port: int) -> None:
        self.port = port

    def reset(self) -> None:
        """Let it count from zero."""
        self._ask("reset", b"")

    def stats(self) -> Stats:
        """Its counters."""
        counted = json.loads(self._ask("stats"))
        return Stats(
            rows=counted["rows"],
            documents=counted["documents"],
            requests=counted["requests"],
            wire_bytes=counted["bytes_wire"],
            statuses=counted["statuses"],
        )

    def _ask(self, route: str, body: bytes | None = None) -> bytes:
        return ask_local(self.port, f"/_test/{route}", body)


def ask_local(port: int, path: str, body: bytes | None = None) -> bytes:
    """The body of an answer. By hand: urllib would double the size of this process."""
    method = "GET" if body is None else "POST"
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"{head}content-length: {len(body or b'')}\r\n\r\n".encode())
        connection.sendall(body or b"")
        with connection.makefile("rb") as file:
            status = file.readline()
            size = 0
            while line := file.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    size = int(value)
            answer = file.read(size)
    assert b" 200 " in status, f"{method} {path}: {status!r}"
    return answer


@contextmanager
def receiver(core: int) -> Iterator[ReceiverProcess]:
    """A receiver that counts rows by their newlines and keeps nothing, on a core of its own."""
    command = [sys.executable, "-m", "logagent.demo.receiver", "--port", "0", "--mode", "null"]
    with pinned(core):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield ReceiverProcess(json.loads(process.stdout.readline())["port"])
    finally:
        process.terminate()
        process.wait(timeout=10)
