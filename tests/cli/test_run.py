"""`run` from the command line, as a process of its own, and what `positions` says afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from logagent.cli.main import main
from logagent.edge.state import lock_state
from tests.cli.conftest import Place

pytestmark = pytest.mark.slow
File = dict[str, str | int]


def positions(place: Place, *args: str, capsys: pytest.CaptureFixture[str]) -> list[File]:
    """What `positions --json` says of each file of the only output."""
    assert main(["positions", "-c", str(place.config), "--json", *args]) == 0
    report = json.loads(capsys.readouterr().out)
    files: list[File] = report["outputs"][0]["files"]
    return sorted(files, key=lambda file: str(file["path"]))


def test_once_delivers_what_is_there(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """All lines are in the output's file, and the positions say so; a second run adds nothing."""
    done = place.run("run", "--once")
    assert (done.returncode, done.stdout) == (0, "")
    messages = [json.loads(line)["message"] for line in place.out.read_text().splitlines()]
    assert sorted(messages) == ["five", "four", "one", "six", "three", "two"]
    files = positions(place, capsys=capsys)
    assert [file["why"] for file in files] == ["all settled", "all settled"]
    assert [file["settled"] for file in files] == [14, 29]
    assert place.run("--once").returncode == 0
    assert len(place.out.read_text().splitlines()) == 6


def test_dry_run_prints_and_remembers_nothing(place: Place) -> None:
    """Rows on stdout, what they are of on stderr; no state, no output file."""
    done = place.run("run", "--dry-run")
    assert done.returncode == 0
    assert sorted(json.loads(line)["message"] for line in done.stdout.splitlines()) == [
        "five",
        "four",
        "one",
        "six",
        "three",
        "two",
    ]
    assert f"{place.logs}/a.log: 3 rows for out" in done.stderr
    assert not place.out.exists()
    assert not (place.path / "state").exists()


def test_a_bad_configuration_is_told_without_a_traceback(place: Place) -> None:
    """Exit 78, one line a problem."""
    place.config.write_text("agent: {grace: 1}\ninputs: {}\n")
    done = place.run("run")
    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr.startswith(f"{place.config}:1: $.agent.grace: unknown option; did you mean")
    assert "Traceback" not in done.stderr


def test_a_stopped_wait_for_a_configuration_is_no_crash(place: Place) -> None:
    """SIGTERM while waiting ends the process; its log lines are JSON."""
    place.config.write_text("agent: {admin: ''}\ninputs: {}\n")
    with subprocess.Popen(
        [sys.executable, "-m", "logagent", "-c", str(place.config), "--wait-for-config"],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = json.loads(process.stderr.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        process.stderr.read()
    assert line["level"] == "error"
    assert "$.inputs: is empty" in line["reason"]


def test_reset_reads_again(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """One file of two is delivered a second time; the other isn't."""
    place.run("run", "--once")
    path = f"{place.logs}/a.log"
    args = ["positions", "reset", "-c", str(place.config), "--output", "out", "--path", path]
    assert main(args) == 0
    assert capsys.readouterr().out == f"out: {path} is read again, from 0 instead of 14\n"
    assert [file["settled"] for file in positions(place, capsys=capsys)] == [0, 29]
    assert place.run("run", "--once").returncode == 0
    messages = [json.loads(line)["message"] for line in place.out.read_text().splitlines()]
    assert sorted(messages)[:4] == ["five", "four", "one", "one"]
    assert len(messages) == 9


def test_reset_needs_a_stopped_agent(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """With the lock held it changes nothing and exits with 75."""
    place.run("run", "--once")
    with lock_state(str(place.path / "state")):
        args = ["positions", "reset", "-c", str(place.config), "--output", "out"]
        assert main(args) == 75
        assert "stop it first" in capsys.readouterr().err
    assert [file["settled"] for file in positions(place, capsys=capsys)] == [14, 29]


def test_positions_says_why_nothing_moves(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """New data without an agent, half a line, a renamed, a deleted and a new file."""
    place.run("run", "--once")
    with (place.logs / "a.log").open("a") as file:
        file.write("more")
    (place.logs / "b.log").rename(place.logs / "b.log.1")
    (place.logs / "c.log").write_text("new\n")
    files = positions(place, capsys=capsys)
    assert [(str(file["path"]).rpartition("/")[2], file["why"]) for file in files] == [
        ("a.log", "the last line has no newline yet"),
        ("b.log.1", "all settled"),
        ("c.log", "has not been read yet"),
    ]
    (place.logs / "b.log.1").unlink()
    (place.logs / "a.log").write_text("")
    whys = [file["why"] for file in positions(place, "--input", "app", capsys=capsys)]
    assert whys[:2] == ["was truncated; it is read from its start", "is gone, and done"]


def test_positions_for_people(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A table, before anything ever ran too; unknown ids are usage errors."""
    config = ["-c", str(place.config)]
    assert main(["positions", *config]) == 0
    text = capsys.readouterr().out
    assert "agent: not running" in text
    assert "out: 2 files, 43 B to go" in text
    assert main(["positions", *config, "--output", "x"]) == 64
    assert main(["positions", *config, "--input", "x"]) == 64
    assert main(["positions", "reset", *config]) == 64
    assert main(["positions", "reset", *config, "--output", "out"]) == 0
