"""How an agent runs and ends, as its operator sees it: statuses, log lines, the admin port."""

from __future__ import annotations

import json
import signal
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.agent import Agent, installed
from tests.e2e.apps import config_for
from tests.e2e.scene import NOBODY, said, scene
from tests.e2e.search_support import eventually

EXIT_LEFT: Final = 3
EXIT_IN_USE: Final = 75
LONG_S: Final = 600
"""A grace period that a test never sees the end of."""
LINES: Final = ("one", "two", "three")


@pytest.fixture(scope="module", autouse=True)
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Agent, Agent]]:
    """Two agents on one state directory. They are started first and looked at last: the second
    gives its predecessor half a minute."""
    folder = tmp_path_factory.mktemp("pair")
    config = {**config_for(folder / "logs", NOBODY), "agent": {"admin": "", "grace_s": 0}}
    with installed(config, folder) as installation:
        first = installation.start()
        said(first, "logagent started")
        yield first, installation.start()


def test_once_delivers_and_ends(tmp_path: Path) -> None:
    """`--once` ends with 0 when all is delivered, a last line without newline too; what a second
    run sends is only what is new."""
    with scene(tmp_path, *LINES) as play:
        assert play.start("--once").wait(60) == 0
        play.arrived(*LINES)
        play.write("four", "hal", end="")
        assert play.start("--once").wait(60) == 0
        play.arrived(*LINES, "four", "hal")
        assert play.receiver.documents()[-1]["logagent"] == {"partial": True}


def test_once_says_when_something_is_left(tmp_path: Path) -> None:
    """`--once` that is told to stop while its sink is down ends with 3, says how much is left, and
    the next run delivers it."""
    with scene(tmp_path, *LINES, agent={"grace_s": 1}) as play:
        play.receiver.script({"do": "status", "status": 503, "times": 0})
        agent = play.start("--once")
        said(agent, "sending will be tried again")
        agent.send(signal.SIGTERM)
        assert agent.wait(30) == EXIT_LEFT
        (left,) = agent.events("stopped with something left; the next start goes on there")
        assert left["left_bytes"] == (play.logs / "app.log").stat().st_size
        play.receiver.script()
        assert play.start("--once").wait(60) == 0
        play.arrived(*LINES)


def test_once_counts_what_has_vanished(tmp_path: Path) -> None:
    """A file that is deleted unread between two runs is said once, with the bytes that are lost."""
    with scene(tmp_path, *LINES) as play:
        play.receiver.script({"do": "status", "status": 503, "times": 0})
        agent = play.start()
        said(agent, "sending will be tried again")
        agent.kill()
        file = play.logs / "app.log"
        size = file.stat().st_size
        file.unlink()
        play.receiver.script()
        agent = play.start("--once")
        assert agent.wait(60) == 0
        (line,) = agent.events("file vanished unread")
        assert (line["path"], line["lost_bytes"]) == (str(file), size)
        again = play.start("--once")
        assert again.wait(60) == 0
        assert not again.events("file vanished unread")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(number: signal.Signals, tmp_path: Path) -> None:
    """SIGTERM and Ctrl-C: all that was written until then is delivered, also what no scan has
    seen; the status is 0, and the grace period isn't used up."""
    with scene(tmp_path, *LINES, agent={"scan_interval_s": 60, "grace_s": LONG_S}) as play:
        agent = play.start()
        play.arrived(*LINES)
        play.write("unseen", name="new.log")
        agent.send(number)
        assert agent.wait(30) == 0
        play.arrived(*LINES, "unseen")
        assert agent.events("stopped, all delivered")
        (line,) = agent.events("stopping: reading to the end and delivering")
        assert line["signal"] == number.name


def test_a_second_signal_leaves_at_once(tmp_path: Path) -> None:
    """With a dead sink a stop would take the whole grace period; a second signal ends it."""
    with scene(tmp_path, *LINES, url=NOBODY, agent={"grace_s": LONG_S}) as play:
        agent = play.start()
        said(agent, "sending will be tried again")
        agent.send(signal.SIGTERM)
        said(agent, "stopping: reading to the end and delivering")
        assert json.loads(agent.ask("/status.json"))["stopping"] is True
        agent.send(signal.SIGTERM)
        assert agent.wait(30) == 0
        assert agent.events("leaving now")


def test_the_admin_port_answers(tmp_path: Path) -> None:
    """Liveness, readiness, metrics, being caught up, the status: each route says what holds."""
    with scene(tmp_path, *LINES) as play:
        play.receiver.script({"do": "status", "status": 503, "times": 0})
        agent = play.start()
        said(agent, "sending will be tried again")
        assert agent.ask("/livez") == "ok\n"
        assert agent.ask("/readyz") == "ok\n"
        with pytest.raises(urllib.error.HTTPError, match="503"):
            agent.ask("/caughtup")
        outputs = agent.status_page()["outputs"]
        assert isinstance(outputs, dict)
        assert outputs["main"]["lag_bytes"] == 14
        assert "unavailable" in outputs["main"]["trouble"]
        assert outputs["main"]["files"][0]["path"] == str(play.logs / "app.log")
        assert agent.metric('lag_bytes{input="app",output="main"}') == 14
        play.receiver.script()
        eventually("being caught up", lambda: agent.ask("/caughtup") == "0 bytes behind\n")
        assert agent.metric('settled_rows_total{outcome="delivered",output="main"}') == 3
        assert "<title>logagent</title>" in agent.ask("/")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            agent.ask("/nonsense")


def test_a_second_instance_takes_over(tmp_path: Path) -> None:
    """When the first ends while the second waits, that one goes on where the first was."""
    with scene(tmp_path, *LINES) as play:
        first = play.start()
        play.arrived(*LINES)
        second = play.start()
        said(second, "waiting for the state directory")
        assert first.stop() == 0
        play.write("four")
        play.arrived(*LINES, "four")
        assert second.stop() == 0


def test_a_signal_ends_the_wait_for_the_state_directory(tmp_path: Path) -> None:
    """An agent that only waits for its predecessor has nothing to drain: a signal ends it."""
    with scene(tmp_path, *LINES) as play:
        first = play.start()
        said(first, "logagent started")
        second = play.start()
        said(second, "waiting for the state directory")
        second.send(signal.SIGTERM)
        assert second.wait(10) == 0
        assert first.stop() == 0


def test_a_second_instance_gives_up(pair: tuple[Agent, Agent]) -> None:
    """The state directory belongs to one agent: the second waits for it, says so, ends with 75,
    and the first never notices. It stands last: the two had time."""
    first, second = pair
    assert second.wait(90) == EXIT_IN_USE
    assert second.events("waiting for the state directory")
    (line,) = second.events("state directory is in use")
    assert line["level"] == "error"
    assert first.status is None
    assert first.stop() == 0
