"""The demo itself, as a user starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from logagent.demo.faults import parse_faults
from logagent.demo.run import find_free_port, main
from logagent.demo.scenario import Options, read_options, script

COMMAND = [sys.executable, "-m", "logagent", "demo"]


def left_behind(directory: Path) -> list[str]:
    """Command lines of processes that name `directory`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(directory) in line:
                found.append(line)
    return found


def test_options_and_script() -> None:
    """Options arrive, nonsense is refused, and the script is one that the receiver takes."""
    assert read_options([]) == Options(20.0, 50_000.0)
    assert read_options(["--seconds", "3", "--rate", "200"]) == Options(3.0, 200.0)
    for wrong in (["--seconds", "0"], ["--rate", "1"], ["--what"]):
        with pytest.raises(SystemExit) as left:
            main(wrong)
        assert left.value.code == 64
    assert [fault.do for fault in parse_faults(script(20))] == [
        "status",
        "cut_request",
        "lose_reply",
    ]
    assert find_free_port() > 0


@pytest.mark.slow
def test_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """A short demo copes with all three faults, ends with the promised line, and cleans up."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [*COMMAND, "--seconds", "5", "--rate", "20000"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=100, check=False
    )
    assert done.stdout.splitlines()[-1] == "lost 0 duplicated 0", done.stdout + done.stderr
    assert done.returncode == 0
    assert done.stdout.count(" ! ") == 3
    assert "rotated 0 times" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_interrupt_ends_everything(tmp_path: Path) -> None:
    """Ctrl-C in the middle: status 130, no process and no directory left."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        for _ in range(4):
            assert process.stdout.readline()
        assert left_behind(tmp_path)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
