"""The usual scene of a test of the agent's life: a directory of logs, a receiver, one installation.

Knows how the three are put together, and what tests of several files ask of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.e2e.agent import Agent, Installation, installed
from tests.e2e.apps import Receiver, config_for, receiving
from tests.e2e.search_support import eventually

NOBODY = "http://127.0.0.1:1"
"""A server that isn't there: nothing listens on ports below 1024 in a test."""


class Scene:
    """Logs, receiver, installation."""

    def __init__(self, logs: Path, receiver: Receiver, installation: Installation) -> None:
        self.logs = logs
        self.receiver = receiver
        self.installation = installation

    def start(self, *args: str) -> Agent:
        """One more agent."""
        return self.installation.start(*args)

    def write(self, *lines: str, name: str = "app.log", end: str = "\n") -> None:
        """Append lines to a file, all in one write."""
        self.logs.mkdir(exist_ok=True)
        with (self.logs / name).open("a") as file:
            file.write("\n".join(lines) + end)

    def arrived(self, *texts: str) -> None:
        """Wait until exactly these lines have come, in whatever order."""
        wanted = sorted(texts)
        eventually(f"lines {wanted}", lambda: sorted(self.receiver.messages()) == wanted)


@contextmanager
def scene(
    folder: Path,
    *lines: str,
    url: str = "",
    agent: dict[str, object] | None = None,
    output: dict[str, object] | None = None,
    prefix: Sequence[str] = (),
) -> Iterator[Scene]:
    """A scene whose `logs/app.log` has these lines; without any there isn't even a directory.

    `agent` and `output` are options; `url` is another server than the receiver.
    """
    logs = folder / "logs"
    with receiving(folder, "store") as receiver:
        options = {"linger_s": 0.05, "retry_max_s": 0.2, **(output or {})}
        config = {**config_for(logs, url or receiver.url, **options), "agent": agent or {}}
        with installed(config, folder, prefix=prefix) as installation:
            made = Scene(logs, receiver, installation)
            if lines:
                made.write(*lines)
            yield made


def said(agent: Agent, message: str) -> None:
    """Wait until the agent has said something."""
    eventually(f"the agent to say {message!r}", partial(_says, agent, message))


def _says(agent: Agent, message: str) -> bool:
    return bool(agent.events(message))
