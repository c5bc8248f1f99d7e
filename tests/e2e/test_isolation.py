"""Outputs never wait for each other, and files not for one that can't be read.

The neighbour is dead in four ways; the healthy output must neither lag nor cost more for it.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.agent import Agent, installed
from tests.e2e.apps import Receiver, Writer, config_for, receiving, writing
from tests.e2e.search_support import eventually
from tests.e2e.servers.ports import free_port

LINES: Final = 150_000
RATE: Final = 30_000
LINE_BYTES: Final = 215
OWNER: Final = 12_345
GROUP: Final = 23_456
WITHOUT_OVERRIDE: Final = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)
"""Root without its privilege to read anything: for others' files the same as any other user."""


@dataclass(frozen=True)
class Run:
    """How the healthy output fared: its lag's peak in bytes, and the agent's CPU seconds."""

    lag_peak: float
    cpu_s: float


def play(folder: Path, dead_url: str = "") -> Run:
    """Deliver LINES lines to a healthy receiver, with a dead output beside it if there is a URL."""
    logs = folder / "logs"
    logs.mkdir()
    paced = ("--rate", str(RATE), "--lines", str(LINES), "--rotate-bytes", str(8 << 20))
    with ExitStack() as stack:
        healthy = stack.enter_context(receiving(folder, "ledger"))
        config = config_for(logs, healthy.url, linger_s=0.2)
        if dead_url:
            dead = {"type": "elasticsearch", "hosts": [dead_url], "index": "logs"}
            outputs = config["outputs"]
            assert isinstance(outputs, dict)
            outputs["dead"] = dead
        installation = stack.enter_context(installed({**config, "agent": {"grace_s": 1}}, folder))
        agent = installation.start()
        eventually("the admin port", lambda: bool(agent.ask("/livez")))
        app = stack.enter_context(writing(folder, logs, *paced))
        run = watch(agent, healthy, app)
        if dead_url:
            see_dead(agent)
        assert agent.stop() == 0
        return run


def watch(agent: Agent, healthy: Receiver, app: Writer) -> Run:
    """Follow the healthy output until it has delivered everything."""
    before, peak = agent.cpu_s, 0.0

    def is_done() -> bool:
        nonlocal peak
        lag = agent.metric('lag_bytes{input="app",output="main"}')
        peak = max(peak, lag)
        return not app.running and not lag and healthy.account(app.name, LINES).lost == 0

    eventually("all lines", is_done)
    account = healthy.account(app.name, LINES)
    assert (account.delivered, account.doubled) == (LINES, 0)
    return Run(peak, agent.cpu_s - before)


def see_dead(agent: Agent) -> None:
    """See that the neighbour is dead: it has delivered nothing and lags, and nothing else did."""
    metrics = agent.metrics()
    settled = [name for name in metrics if name.startswith("logagent_settled_rows_total")]
    assert settled == ['logagent_settled_rows_total{outcome="delivered",output="main"}']
    assert metrics['logagent_lag_bytes{input="app",output="dead"}'] > LINES * 100
    assert metrics['logagent_lag_bytes{input="app",output="main"}'] == 0


@contextmanager
def one_byte_a_second() -> Iterator[str]:
    """A server that reads so slowly; its URL."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    ended = threading.Event()

    def serve() -> None:
        clients: list[socket.socket] = []
        listener.settimeout(1)
        while not ended.is_set():
            with suppress(TimeoutError):
                clients.append(listener.accept()[0])
            for client in clients:
                client.settimeout(0.01)
                with suppress(OSError):
                    client.recv(1)
        for client in clients:
            client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        thread.join()
        listener.close()


@contextmanager
def dead_server(way: str, folder: Path) -> Iterator[str]:
    """A server that is dead in a way; its URL."""
    if way == "refuses":
        yield f"http://127.0.0.1:{free_port()}"
    elif way == "reads a byte a second":
        with one_byte_a_second() as url:
            yield url
    else:
        do = "black_hole" if way == "black hole" else "drip"
        with receiving(folder, "null", name="dead") as receiver:
            receiver.script({"do": do, "seconds": 1, "times": 0})
            yield receiver.url


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """How the output fares without a neighbour."""
    return play(tmp_path_factory.mktemp("alone"))


@pytest.mark.parametrize(
    "way", ["refuses", "black hole", "answers a byte a second", "reads a byte a second"]
)
def test_a_dead_output_changes_nothing_for_the_other(way: str, alone: Run, tmp_path: Path) -> None:
    """The healthy output delivers each line once, lags no more than alone, and the agent's CPU
    time is that of one output and of the dead one's few batches."""
    with dead_server(way, tmp_path) as url:
        beside = play(tmp_path, url)
    print(f"alone {alone}, beside one that {way} {beside}")
    # One second of lines more than twice: what a busy machine can do to either run.
    assert beside.lag_peak <= 2 * alone.lag_peak + RATE * LINE_BYTES
    assert beside.cpu_s <= 1.5 * alone.cpu_s + 0.5


def has(receiver: Receiver, count: int) -> bool:
    """Whether so many documents have come."""
    return len(receiver.messages()) == count


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not there")
def test_a_file_of_another_user_flows_after_chmod(tmp_path: Path) -> None:
    """A file with mode 0600 is reported once, with uid, gid and mode, and delays no other file;
    after chmod it is read from its start."""
    logs = tmp_path / "logs"
    logs.mkdir()
    closed, open_ = logs / "closed.log", logs / "open.log"
    closed.write_text("closed 1\n")
    closed.chmod(0o600)
    os.chown(closed, OWNER, GROUP)
    open_.write_text("open 1\n")
    unreadable = 'files_unreadable{input="app"}'
    with receiving(tmp_path, "store") as receiver:
        config = config_for(logs, receiver.url, linger_s=0.1)
        settings = {"scan_interval_s": 0.1}
        with installed(
            {**config, "agent": settings}, tmp_path, prefix=WITHOUT_OVERRIDE
        ) as installation:
            agent = installation.start()
            for number in range(2, 6):  # several scans
                with open_.open("a") as file:
                    file.write(f"open {number}\n")
                eventually("a line", partial(has, receiver, number))
            (report,) = agent.events("file is not read")
            assert report["code"] == "EACCES"
            for fact in (str(closed), f"uid {OWNER}", f"gid {GROUP}", "mode 0600"):
                assert fact in f"{report['path']} {report['why']}"
            assert agent.metric(unreadable) == 1
            assert not any(text.startswith("closed") for text in receiver.messages())
            closed.chmod(0o644)
            eventually("the closed file", lambda: "closed 1" in receiver.messages())
            assert agent.metric(unreadable) == 0
            assert len(agent.events("reading it now")) == 1
            assert agent.stop() == 0
