"""What a running agent says of its outputs is part of why a file isn't moving."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from msgspec.structs import replace

from logagent.cli.progress import Choice, collect, is_running
from logagent.config import Config, load
from logagent.edge.state import lock_state, make_state_dir
from tests.cli.conftest import Place


class Status(BaseHTTPRequestHandler):
    """Answers as an agent whose output `out` is in trouble."""

    def do_GET(self) -> None:
        """One answer for all paths."""
        body = b'{"outputs": {"out": {"trouble": "unreachable: refused", "slots": 1}}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def on_port(config: Config, port: int) -> Config:
    """The configuration with another admin port."""
    return replace(config, agent=replace(config.agent, admin=f"127.0.0.1:{port}"))


@pytest.mark.slow
def test_a_running_agent_is_asked_for_its_trouble(place: Place) -> None:
    """While the lock is held the agent is running, and its words are shown for what lags."""
    assert place.run("run", "--once").returncode == 0
    with (place.logs / "a.log").open("a") as file:
        file.write("more\n")
    config = load([str(place.config)], {})
    server = HTTPServer(("127.0.0.1", 0), Status)
    Thread(target=server.handle_request).start()
    with lock_state(config.agent.state_dir):
        assert is_running(config.agent.state_dir)
        report = collect(on_port(config, server.server_address[1]), Choice())
    server.server_close()
    assert report.running
    assert sorted(file.why for file in report.outputs[0].files) == [
        "all settled",
        "waits for the output: unreachable: refused",
    ]


def test_without_an_answer_the_files_still_tell(place: Place) -> None:
    """An agent that can't be asked (no admin port, nobody there) is still running."""
    config = load([str(place.config)], {})
    make_state_dir(config.agent.state_dir)
    assert not is_running(config.agent.state_dir)
    with lock_state(config.agent.state_dir):
        assert collect(config, Choice()).running
        report = collect(on_port(config, 1), Choice(path=f"{place.logs}/a.log"))
    assert [file.path for file in report.outputs[0].files] == [f"{place.logs}/a.log"]


def test_damaged_checkpoints_are_noted(place: Place) -> None:
    """Which slot, and that the output starts over."""
    config = load([str(place.config)], {})
    make_state_dir(config.agent.state_dir)
    directory = place.path / "state" / "out"
    directory.mkdir()
    (directory / "slot-0").write_bytes(b"nonsense")
    assert "slot-0 is damaged" in collect(config, Choice()).outputs[0].notes[0]
