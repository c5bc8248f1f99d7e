"""The agent as a child process, for tests against real servers.

Knows the command line, the admin port and the metrics' text. Must not know what is inside.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml
from prometheus_client.parser import text_string_to_metric_families

ONCE: Final = ("--once",)
RUN_S: Final = 300
STOP_S: Final = 60
POLL_S: Final = 0.02
DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback is never asked through a proxy, whatever the environment says."""


def write_config(config: Mapping[str, object], folder: Path) -> Path:
    """Write a configuration as YAML. Without a state directory of its own it gets one there."""
    agent = config.get("agent", {})
    assert isinstance(agent, dict)
    state = folder / "state"
    state.mkdir(exist_ok=True)
    path = folder / "logagent.yaml"
    path.write_text(
        yaml.safe_dump({**config, "agent": {"state_dir": str(state), **agent}}, sort_keys=False)
    )
    return path


def command(config: Path, args: Sequence[str], *, verb: str = "run") -> list[str]:
    """The command line of one of the agent's commands."""
    return [sys.executable, "-m", "logagent", verb, "--config", str(config), *args]


def run_agent(
    config: Mapping[str, object],
    tmp_path: Path,
    args: Sequence[str] = ONCE,
    *,
    verb: str = "run",
    timeout_s: float = RUN_S,
) -> subprocess.CompletedProcess[str]:
    """Run a command of the agent to its end; it is killed after `timeout_s`.

    Gives its exit status, output and own log (`stderr`), whatever the status is.
    """
    return subprocess.run(
        command(write_config(config, tmp_path), args, verb=verb),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


class Agent:
    """A running agent. Its own log goes to `log`, so that it can never block on a full pipe."""

    def __init__(self, argv: Sequence[str], *, log: Path, admin_port: int = 0) -> None:
        self.log = log
        self.admin_port = admin_port
        """0 = without an admin port; then there are no metrics."""
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status (a signal is negative); None while it runs."""
        return self._process.poll()

    def stop(self, *, wait_s: float = STOP_S) -> int:
        """Ask it to deliver what is left and leave (SIGTERM); its exit status.

        Raises TimeoutExpired when it is still there after `wait_s`.
        """
        if self.status is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(wait_s)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def wait(self, wait_s: float = RUN_S) -> int:
        """Wait for its end; its exit status."""
        return self._process.wait(wait_s)

    def metrics(self) -> dict[str, float]:
        """What it counts now; raises OSError when the admin port doesn't answer."""
        assert self.admin_port, "started without an admin port"
        return metrics(self.admin_port)

    @property
    def rss_bytes(self) -> int:
        """Its resident memory now."""
        return self._memory("VmRSS")

    @property
    def peak_rss_bytes(self) -> int:
        """The most that it ever had resident."""
        return self._memory("VmHWM")

    @property
    def cpu_s(self) -> float:
        """User and system time so far, in seconds."""
        # Fields 14 and 15, counted behind the command's name, which may contain blanks.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_text(self) -> str:
        """All that it has said."""
        return self.log.read_text(errors="replace")

    def _memory(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise ProcessLookupError(f"reading {name} of {self.pid}: it has ended")


@contextmanager
def start_agent(
    config: Mapping[str, object], tmp_path: Path, args: Sequence[str] = (), *, admin_port: int = 0
) -> Iterator[Agent]:
    """An agent that runs as long as the block does, killed then if it still lives.

    With `admin_port` it listens there, unless the configuration says something else.
    """
    if admin_port:
        given = config.get("agent", {})
        assert isinstance(given, dict)
        config = {**config, "agent": {"admin": f"127.0.0.1:{admin_port}", **given}}
    argv = command(write_config(config, tmp_path), args)
    agent = Agent(argv, log=tmp_path / "agent.log", admin_port=admin_port)
    try:
        yield agent
    finally:
        agent.kill()


def metrics(port: int) -> dict[str, float]:
    """The samples of an admin port: `name{label="value",...}` (labels sorted) to number."""
    with DIRECT.open(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text: str = reply.read().decode()
    return parse_metrics(text)


def parse_metrics(text: str) -> dict[str, float]:
    """The samples of an exposition, as `metrics` names them."""
    samples: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{sample.labels[name]}"' for name in sorted(sample.labels))
            samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return samples


def eventually(what: str, condition: Callable[[], bool], *, within_s: float = 60) -> None:
    """Wait until something holds; raises AssertionError, saying what was waited for.

    An admin port or a server that doesn't answer yet counts as not yet.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            if condition():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        if time.monotonic() > deadline:
            raise AssertionError(f"waiting for {what}: not after {within_s} s")
        time.sleep(POLL_S)
