"""The demo: a writer, the agent as a real process, and a receiver, on loopback in a temporary
directory; at the end an account, kept by the writer and the receiver and not by the agent.

Knows how to start, watch and end the three. Must not know the agent's inside: it gets a
configuration and signals, like any other user's.
"""

import http.client
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from types import FrameType
from typing import Final, Self

import orjson

from logagent.demo import receiver, writer
from logagent.demo.children import Child
from logagent.demo.scenario import CONFIG, FILES, Options, read_options, rotate_bytes, script
from logagent.demo.show import Screen, Sums

POLL_S: Final = 0.25
"""How often the terminal is brought up to date."""

STALL_S: Final = 30.0
"""After the writers' end: how long the agent may deliver nothing before the demo gives up."""

GRACE_S: Final = 30.0
"""How long a child may take to end after SIGTERM; the agent's own default is 25 s."""


class DemoError(Exception):
    """The demo can't go on: which child, and what it said."""


class Demo:
    """The three kinds of children, inside a `with`: whatever happens, none outlives it."""

    def __init__(self, directory: str, options: Options, screen: Screen) -> None:
        self._directory = directory
        self._options = options
        self._screen = screen
        self._children: list[Child] = []
        self._writers: list[Child] = []
        self._port = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._children):
            if child.poll() is None:
                os.kill(child.pid, signal.SIGKILL)
        for child in self._children:
            child.stop(0)

    def run(self) -> Sums:
        """Play it from start to end. Raises DemoError."""
        self._start_receiver()
        agent = self._start_agent()
        self._start_writers()
        while any(child.poll() is None for child in self._writers):
            self._turn(agent)
        for child in self._writers:
            if (usage := child.poll()) is not None and usage.status:
                raise DemoError(f"the writer ended with {usage.status}: {child.last_words()}")
        self._catch_up(agent)
        agent.sample()
        usage = agent.stop(GRACE_S)
        if usage.status:
            raise DemoError(f"the agent ended with {usage.status}:\n{agent.last_words()}")
        sums = self._sums(usage.cpu_s, agent.peak_rss_bytes)
        if sums.lost or sums.doubled:
            self._screen.say(f"the agent's last words:\n{agent.last_words()}")
        return sums

    def _start(self, name: str, command: Sequence[str]) -> Child:
        log = os.path.join(self._directory, f"{name}.err")
        child = Child([sys.executable, "-m", *command], log=log)
        self._children.append(child)
        return child

    def _start_receiver(self) -> None:
        faults = os.path.join(self._directory, "faults.json")
        with open(faults, "wb") as file:
            file.write(orjson.dumps(script(self._options.seconds)))
        command = (receiver.MODULE, "--mode", "ledger", "--faults", faults)
        child = self._start("receiver", command)
        line = child.read_line()
        if not line:
            raise DemoError(f"the receiver doesn't start: {child.last_words()}")
        self._port = orjson.loads(line)["port"]

    def _start_agent(self) -> Child:
        for name in ("logs", "state"):
            os.mkdir(os.path.join(self._directory, name))
        path = os.path.join(self._directory, "config.yaml")
        admin_port = find_free_port()
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                CONFIG.format(directory=self._directory, admin_port=admin_port, port=self._port)
            )
        self._screen.say(f"configuration  {path}")
        self._screen.say(f"the agent      http://127.0.0.1:{admin_port}/metrics")
        return self._start("agent", ("logagent", "run", "--config", path))

    def _start_writers(self) -> None:
        options = self._options
        for name, kind, share in FILES:
            command = [writer.MODULE, "--dir", os.path.join(self._directory, "logs")]
            command += ["--name", name, "--format", kind, "--ledger", self._ledger(name)]
            command += ["--seconds", str(options.seconds), "--rate", str(options.rate * share)]
            command += ["--rotate-bytes", str(rotate_bytes(options, share))]
            self._writers.append(self._start(name, command))

    def _ledger(self, name: str) -> str:
        return os.path.join(self._directory, f"{name}.ledger.json")

    def _turn(self, agent: Child) -> int:
        """Look around once, and show it. Returns the lines delivered. Raises DemoError."""
        time.sleep(POLL_S)
        if (usage := agent.poll()) is not None:
            raise DemoError(f"the agent ended with {usage.status}:\n{agent.last_words()}")
        agent.sample()
        delivered = self._delivered()
        faults = self._ask("stats")["faults"]
        assert isinstance(faults, dict)
        self._screen.note(faults)
        self._screen.progress(self._written(), delivered)
        return delivered

    def _catch_up(self, agent: Child) -> None:
        """Wait until all is delivered, as long as something still moves. Raises DemoError."""
        best = self._delivered()
        give_up_at = time.monotonic() + STALL_S
        while best < self._written() and time.monotonic() < give_up_at:
            delivered = self._turn(agent)
            if delivered > best:
                best = delivered
                give_up_at = time.monotonic() + STALL_S

    def _accounts(self) -> list[dict[str, int | str]]:
        """What each writer says it wrote; one that has only just started says nothing."""
        accounts = []
        for name, _, _ in FILES:
            try:
                with open(self._ledger(name), "rb") as file:
                    accounts.append(orjson.loads(file.read()))
            except FileNotFoundError:
                continue
        return accounts

    def _written(self) -> int:
        return sum(int(each["next"]) - int(each["first"]) for each in self._accounts())

    def _delivered(self) -> int:
        writers = self._ask("ledger")["writers"]
        assert isinstance(writers, dict)
        return sum(each["distinct"] for each in writers.values())

    def _ask(self, what: str) -> dict[str, object]:
        """Ask the receiver's side door. Raises DemoError."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", f"/_test/{what}")
            value = orjson.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException) as error:
            raise DemoError(f"asking the receiver: {error}") from error
        finally:
            connection.close()
        assert isinstance(value, dict)
        return value

    def _sums(self, cpu_s: float, peak_rss_bytes: int) -> Sums:
        """Hold what arrived against what was written."""
        accounts = self._accounts()
        compared = [
            self._ask(f"ledger?writer={each['writer']}&first={each['first']}&next={each['next']}")
            for each in accounts
        ]

        def total(values: Sequence[dict[str, object]], name: str) -> int:
            return sum(value for each in values if isinstance(value := each[name], int))

        stats = [self._ask("stats")]
        return Sums(
            written=total(compared, "written"),
            delivered=total(compared, "delivered"),
            lost=total(compared, "lost"),
            doubled=total(compared, "doubled"),
            refused_copies=total(stats, "duplicates_by_id"),
            rotations=sum(int(each["rotations"]) for each in accounts),
            wire_bytes=total(stats, "bytes_wire"),
            raw_bytes=total(stats, "bytes_raw"),
            cpu_s=cpu_s,
            peak_rss_bytes=peak_rss_bytes,
        )


def find_free_port() -> int:
    """A port of loopback that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """Make SIGTERM what Ctrl-C is, so that children and directory go with us."""
    raise KeyboardInterrupt


def main(arguments: Sequence[str] = ()) -> int:
    """Run the demo: 0 when no line was lost or doubled, 1 when one was or a child failed, 130
    when interrupted."""
    options = read_options(arguments)
    screen = Screen(sys.stdout)
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="logagent-demo-") as directory,
            Demo(directory, options, screen) as demo,
        ):
            sums = demo.run()
    except KeyboardInterrupt:
        screen.say("interrupted; everything is stopped and removed")
        return 130
    except DemoError as error:
        screen.say(str(error))
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
    screen.sums(sums)
    return 1 if sums.lost or sums.doubled else 0
