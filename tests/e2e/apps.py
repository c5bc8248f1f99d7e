"""The neighbours of the agent as child processes: the receiver, the app that writes.

Knows the demo's receiver and writer by their command lines and side door, nothing of the agent.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from logagent.demo import receiver as receiver_module
from logagent.demo import writer as writer_module
from logagent.demo.children import Child
from logagent.demo.store import Mode
from tests.e2e.search_support import DIRECT

GRACE_S: Final = 10.0


@dataclass(frozen=True)
class Account:
    """What became of a writer's lines, by their numbers."""

    written: int
    delivered: int
    lost: int
    doubled: int


class Receiver:
    """A receiver's side door."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path: str, body: object = None) -> object:
        """Ask, or with a `body` tell, what is behind `/_test/`."""
        data = None if body is None else json.dumps(body).encode()
        with DIRECT.open(f"{self.url}/_test/{path}", data, timeout=30) as reply:
            value: object = json.load(reply)
        return value

    def script(self, *faults: Mapping[str, object]) -> None:
        """Let these faults happen from now on, instead of those before."""
        self.ask("faults", list(faults))

    def stat(self, name: str) -> int:
        """A counter."""
        stats = self.ask("stats")
        assert isinstance(stats, dict)
        value: int = stats[name]
        return value

    def documents(self) -> list[dict[str, object]]:
        """The documents of mode `store`, oldest first."""
        rows = self.ask("docs?n=100000")
        assert isinstance(rows, list)
        return [row["document"] for row in rows]

    def messages(self) -> list[str]:
        """The texts of the documents, oldest first."""
        return [str(document.get("message", "")) for document in self.documents()]

    def account(self, writer: str, next_: int, first: int = 0) -> Account:
        """Hold what arrived against what a writer says (mode `ledger`)."""
        value = self.ask(f"ledger?writer={writer}&first={first}&next={next_}")
        assert isinstance(value, dict)
        return Account(value["written"], value["delivered"], value["lost"], value["doubled"])


@contextmanager
def receiving(folder: Path, mode: Mode, *, name: str = "receiver") -> Iterator[Receiver]:
    """A receiver process, for as long as the block lasts."""
    argv = [sys.executable, "-m", receiver_module.MODULE, "--port", "0", "--mode", mode]
    child = Child(argv, log=str(folder / f"{name}.log"))
    try:
        line = child.read_line()
        assert line, child.last_words()
        yield Receiver(json.loads(line)["port"])
    finally:
        child.stop(GRACE_S)


class Writer:
    """An app that writes."""

    def __init__(self, child: Child, ledger: Path, name: str) -> None:
        self.name = name
        self._child = child
        self._ledger = ledger

    @property
    def running(self) -> bool:
        """Whether it still writes."""
        return self._child.poll() is None

    def account(self) -> dict[str, int]:
        """What it says: `first`, `next`, `rotations`. Zeros before it has started."""
        try:
            account = json.loads(self._ledger.read_bytes())
        except FileNotFoundError:
            return {"first": 0, "next": 0, "rotations": 0}
        return {key: int(account[key]) for key in ("first", "next", "rotations")}

    def stop(self) -> int:
        """End it after a whole line; the number of lines it wrote."""
        usage = self._child.stop(GRACE_S)
        assert usage.status == 0, self._child.last_words()
        return self.account()["next"]


@contextmanager
def writing(
    folder: Path, logs: Path, *args: str, form: Literal["json", "text"] = "json", name: str = "app"
) -> Iterator[Writer]:
    """A writer process of `logs/NAME.log`; `args` are its own options."""
    ledger = folder / f"{name}.ledger.json"
    argv: Sequence[str] = [
        *(sys.executable, "-m", writer_module.MODULE, "--dir", str(logs), "--name", name),
        *("--format", form, "--ledger", str(ledger), *args),
    ]
    child = Child(argv, log=str(folder / f"{name}.writer.log"))
    try:
        yield Writer(child, ledger, name)
    finally:
        child.stop(GRACE_S)


def config_for(logs: Path, *receivers: str, **options: object) -> dict[str, object]:
    """A configuration: all `*.log*` below `logs` to an output `main`, with `options` of its own.

    `receivers` are URLs of its hosts. Whatever else a test needs it sets in the result.
    """
    output = {"type": "elasticsearch", "hosts": list(receivers), "index": "logs", **options}
    return {
        "inputs": {"app": {"paths": [f"{logs}/*.log*"]}},
        "outputs": {"main": output},
    }
