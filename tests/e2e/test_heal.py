"""What isn't as it should be at the start: said in one clear line, waited for or survived."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.scene import NOBODY, said, scene
from tests.e2e.search_support import eventually

EXIT_CONFIG: Final = 78
LINES: Final = ("one", "two", "three")


def test_a_missing_root_is_waited_for(tmp_path: Path) -> None:
    """A root that isn't there yet is said once, and read as soon as it appears."""
    with scene(tmp_path, agent={"scan_interval_s": 0.1}) as play:
        agent = play.start()
        said(agent, "input root can't be listed yet")
        play.write("late")
        play.arrived("late")
        (report,) = agent.events("input root can't be listed yet")
        assert (report["path"], report["code"]) == (str(play.logs), "ENOENT")
        assert agent.events("reading it now")
        assert agent.stop() == 0


def test_a_missing_secret_is_waited_for(tmp_path: Path) -> None:
    """Without its API key an output sends nothing and says which file it misses; when the file
    comes, wrong at first, lines flow, and no log has the key."""
    key = tmp_path / "api_key"
    with scene(tmp_path, *LINES, output={"auth": {"api_key_file": str(key)}}) as play:
        play.receiver.ask("auth", ["ApiKey cmlnaHQ6a2V5"])
        agent = play.start()
        said(agent, "sending will be tried again")
        (report,) = agent.events("sending will be tried again")
        assert str(key) in str(report["fault"])
        assert play.receiver.stat("requests") == 0
        key.write_text("wrong:key\n")
        eventually("a refusal", lambda: play.receiver.stat("requests") > 0)
        assert play.receiver.stat("documents") == 0
        key.write_text("right:key\n")
        play.arrived(*LINES)
        assert agent.stop() == 0
        log = agent.log_text()
        assert not any(word in log for word in ("wrong:key", "right:key", "cmlnaHQ6a2V5"))


@pytest.mark.parametrize("what", ["a file", "closed"])
def test_an_unusable_state_directory_is_one_clear_line(what: str, tmp_path: Path) -> None:
    """A state directory that is a file, or isn't ours to write: status 78, and one line that names
    it and says why."""
    state = tmp_path / "elsewhere"
    prefix: tuple[str, ...] = ()
    if what == "a file":
        state.write_text("")
    else:
        state.mkdir(mode=0o500)
        # Root may write anywhere, unless this privilege is taken away.
        prefix = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")
    settings: dict[str, object] = {"state_dir": str(state)}
    with scene(tmp_path, *LINES, url=NOBODY, agent=settings, prefix=prefix) as play:
        agent = play.start()
        assert agent.wait(30) == EXIT_CONFIG
        (line,) = agent.events()
        assert line["level"] == "error"
        assert str(state) in str(line["why"])
        assert ("mode 0500" in str(line["why"])) == (what == "closed")


def test_a_port_in_use_is_loud_and_not_fatal(tmp_path: Path) -> None:
    """Without its admin port an agent says so and delivers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with scene(tmp_path, *LINES, agent={"admin": address}) as play:
            agent = play.start()
            play.arrived(*LINES)
            (line,) = agent.events("admin port can't be opened")
            assert (line["level"], line["address"]) == ("error", address)
            assert agent.stop() == 0


@pytest.mark.parametrize("count", [1, 2])
def test_a_damaged_checkpoint_is_said_and_survived(count: int, tmp_path: Path) -> None:
    """With one bad slot the other is used; with two, all is read again. Either is said, and what
    is new arrives."""
    with scene(tmp_path, *LINES) as play:
        assert play.start("--once").wait(60) == 0
        play.write("four")
        assert play.start("--once").wait(60) == 0
        slots = sorted(play.installation.state.glob("main/slot-*"))
        assert len(slots) == 2
        for slot in slots[:count]:
            data = bytearray(slot.read_bytes())
            data[len(data) // 2] ^= 1
            slot.write_bytes(data)
        play.write("five")
        agent = play.start("--once")
        assert agent.wait(60) == 0
        texts = play.receiver.messages()
        assert set(texts) == {*LINES, "four", "five"}
        if count == 2:
            assert agent.events("checkpoint is lost, all files are read from their start")
            assert len(texts) == 4 + 5
        else:
            assert agent.events("checkpoint was damaged, the other slot is used")
            assert texts[-1] == "five"
            assert len(texts) < 4 + 5
