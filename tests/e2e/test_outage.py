"""A sink that refuses while the app writes 20 MB/s, rotates, and the agent is ended twice.

Nobody but the file is the queue: memory stays bounded, reading stops, deleted files are held, and
all of it arrives in the end.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.agent import Agent, installed
from tests.e2e.apps import Receiver, config_for, receiving, writing
from tests.e2e.search_support import eventually

LINE_BYTES: Final = 215
RATE: Final = 20_000_000 // LINE_BYTES
OUTAGE_S: Final = 30
WRITE_S: Final = OUTAGE_S + 4
BUDGET: Final = 64 << 20
READ: Final = 'read_bytes_total{input="app",output="main"}'
LAG: Final = 'lag_bytes{input="app",output="main"}'
HELD: Final = 'files_open{input="app"}'
QUIET_S: Final = 3
SETTINGS: Final = {"memory_bytes": BUDGET, "grace_s": 1}


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """A directory of logs; its 700 MB don't stay until pytest tidies up."""
    folder = tmp_path / "logs"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def down(receiver: Receiver) -> bool:
    """Whether nobody listens."""
    try:
        receiver.ask("stats")
    except OSError:
        return True
    return False


def waits(agent: Agent) -> None:
    """See that the agent stops reading, and reads nothing for a while, while the files grow."""
    before = -1.0

    def stands() -> bool:
        nonlocal before
        before, now = agent.metric(READ), before
        time.sleep(0.5)
        return before == now

    eventually("the end of reading", stands, within_s=20)
    lag, held = agent.metric(LAG), agent.metric(HELD)
    time.sleep(QUIET_S)
    assert agent.metric(READ) == before
    assert agent.metric(LAG) > lag
    assert agent.metric(HELD) > held


def delete_held(agent: Agent, logs: Path) -> list[int]:
    """Delete rotated files that the agent holds, as a careless clean-up does; their inodes."""
    inodes = []
    for path in logs.iterdir():
        number = path.suffix.removeprefix(".")
        # Names move up with each rotation, so the newest could be one that no scan has seen.
        if number.isdigit() and int(number) > 5 and int(number) % 2:
            inode = path.stat().st_ino
            assert agent.holds(inode)
            path.unlink()
            inodes.append(inode)
    return inodes


def test_an_outage_costs_neither_memory_nor_lines(tmp_path: Path, logs: Path) -> None:
    """30 s without a sink, SIGKILL and SIGTERM in between, then files deleted while unread: the
    peak of each agent's memory stays within its budget, and no line is lost."""
    more = ("--rate", str(RATE), "--seconds", str(WRITE_S), "--keep", "500")
    with (
        receiving(tmp_path, "ledger") as receiver,
        installed({**config_for(logs, receiver.url), "agent": SETTINGS}, tmp_path) as installation,
        writing(tmp_path, logs, *more, "--rotate-bytes", str(16 << 20)) as app,
    ):
        agent = installation.start()
        eventually("the first lines", lambda: receiver.stat("rows") > 0)
        receiver.script({"do": "refuse", "seconds": OUTAGE_S})
        eventually("the outage", lambda: down(receiver))

        waits(agent)
        peaks = [agent.peak_rss_bytes]
        agent.kill()

        agent = installation.start()
        eventually("the admin port", lambda: agent.metric(HELD) > 0)
        waits(agent)
        peaks.append(agent.peak_rss_bytes)
        assert agent.stop() == 0

        agent = installation.start()
        eventually("the admin port", lambda: agent.metric(HELD) > 0)
        inodes = delete_held(agent, logs)
        waits(agent)
        assert inodes
        assert all(map(agent.holds, inodes))
        assert down(receiver)

        eventually("the app's end", lambda: not app.running)
        eventually("the rest", lambda: agent.ask("/caughtup") != "", within_s=120)
        peaks.append(agent.peak_rss_bytes)
        assert agent.stop() == 0
        account = receiver.account(app.name, app.stop())
        print(account, [f"{peak >> 20} MiB" for peak in peaks], f"{len(inodes)} files deleted")
        assert account.lost == 0
        assert account.written > RATE * OUTAGE_S / 2
        assert max(peaks) <= BUDGET
        assert not installation.events("file vanished unread")
