"""The agent as a child process in scenarios with faults: freezing, signals, what it holds and says.

Knows /proc and the agent's own log. What tests against real servers need as well is in
search_support.py, and built upon here.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.e2e import search_support
from tests.e2e.search_support import DIRECT, command, write_config
from tests.e2e.servers.ports import free_port

PROC: Final = Path("/proc")
STOPPED_S: Final = 10.0
"""A stopped process still ends its system calls, an fsync for instance: it takes a moment."""

Event = dict[str, object]
"""One line of the agent's log, decoded."""


class Descriptor(NamedTuple):
    """An open file; the name of a deleted one ends with " (deleted)"."""

    name: str
    inode: int
    writable: bool


class Agent(search_support.Agent):
    """A running agent."""

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def freeze(self) -> None:
        """Stop it where it is, and return when each of its threads has stopped.

        What it has not done by now it won't do any more, so it can be looked at before a kill.
        """
        self.send(signal.SIGSTOP)
        deadline = time.monotonic() + STOPPED_S
        while not all(state in "TZX" for state in self._states()):
            assert time.monotonic() < deadline, "a stopped process stops"
            time.sleep(0.0002)

    def thaw(self) -> None:
        """Let it go on."""
        self.send(signal.SIGCONT)

    def _states(self) -> list[str]:
        """The state letter of each thread."""
        states = []
        for task in (PROC / str(self.pid) / "task").iterdir():
            try:
                states.append((task / "stat").read_text().rpartition(")")[2].split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
        return states

    def writes(self, fragment: str) -> bool:
        """Whether it has a file open for writing whose path contains `fragment`."""
        return any(each.writable and fragment in each.name for each in self.descriptors())

    def holds(self, inode: int) -> bool:
        """Whether it has a file of this inode number open."""
        return any(each.inode == inode for each in self.descriptors())

    def descriptors(self) -> Iterator[Descriptor]:
        """What it has open; nothing when it has ended."""
        try:
            entries = list(os.scandir(PROC / str(self.pid) / "fd"))
        except (FileNotFoundError, ProcessLookupError):
            return
        for entry in entries:
            try:
                # The link's own mode says how the descriptor was opened (proc(5)).
                writable = bool(entry.stat(follow_symlinks=False).st_mode & 0o200)
                yield Descriptor(os.readlink(entry.path), entry.stat().st_ino, writable)
            except (FileNotFoundError, ProcessLookupError):
                continue

    def events(self, message: str = "") -> list[Event]:
        """Its log, or the lines of it that say `message`. A line that isn't JSON, a traceback for
        instance, fails the test."""
        events = []
        for line in self.log.read_bytes().splitlines():
            event = json.loads(line)
            assert isinstance(event, dict)
            if not message or event["msg"] == message:
                events.append(event)
        return events

    def ask(self, path: str) -> str:
        """What the admin port answers with 200. Raises OSError (HTTPError for other statuses)."""
        with DIRECT.open(f"http://127.0.0.1:{self.admin_port}{path}", timeout=10) as reply:
            text: str = reply.read().decode()
        return text

    def status_page(self) -> dict[str, object]:
        """/status.json, decoded."""
        value: dict[str, object] = json.loads(self.ask("/status.json"))
        return value

    def metric(self, name: str) -> float:
        """A metric now, `name` with its labels and without the prefix; 0 when it has no sample."""
        return self.metrics().get(f"logagent_{name}", 0.0)


class Installation:
    """A configuration and its folder: starts agents on the same state, one after the other."""

    def __init__(
        self, config: Mapping[str, object], folder: Path, *, prefix: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.admin_port = free_port()
        given = config.get("agent", {})
        assert isinstance(given, dict)
        self.state = Path(str(given.get("state_dir", folder / "state")))
        settings = {"admin": f"127.0.0.1:{self.admin_port}", **given}
        self._config = write_config({**config, "agent": settings}, folder)
        self._prefix = list(prefix)
        self._agents: list[Agent] = []

    def start(self, *args: str) -> Agent:
        """One more agent. Each has its own log."""
        log = self.folder / f"agent-{len(self._agents)}.log"
        argv = [*self._prefix, *command(self._config, args)]
        agent = Agent(argv, log=log, admin_port=self.admin_port)
        self._agents.append(agent)
        return agent

    def events(self, message: str = "") -> list[Event]:
        """The logs of all agents so far."""
        return [event for agent in self._agents for event in agent.events(message)]

    def close(self) -> None:
        """Kill what still lives."""
        for agent in self._agents:
            agent.kill()


@contextmanager
def installed(
    config: Mapping[str, object], folder: Path, *, prefix: Sequence[str] = ()
) -> Iterator[Installation]:
    """An installation whose agents don't outlive the block."""
    installation = Installation(config, folder, prefix=prefix)
    try:
        yield installation
    finally:
        installation.close()
