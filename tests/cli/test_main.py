"""Finding the command: exit statuses and help for people."""

from __future__ import annotations

import subprocess
import sys

import pytest

from logagent import __version__
from logagent.cli.main import COMMANDS, main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` is one screen with all commands and exit statuses."""
    for args in (["--help"], ["-h"], ["help"]):
        assert main(args) == 0
        text = capsys.readouterr().out
        assert all(f"\n  {name} " in text for name in COMMANDS)
        assert "78 configuration" in text


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is written for people: what it does, its options, one line to copy."""
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: logagent {command}")
    if command != "demo":
        assert f"Example:\n  logagent {command}" in text


@pytest.mark.parametrize("args", [["frob"], ["check", "--frob"], ["--frob"], ["positions", "x"]])
def test_usage_errors_exit_with_64(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line on stderr says what is wrong."""
    assert main(args) == 64
    lines = capsys.readouterr().err.strip().split("\n")
    assert len(lines) == 1
    assert lines[0].startswith("logagent")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version and the libraries, for bug reports, under both spellings."""
    assert main(["--version"]) == 0
    first = capsys.readouterr().out
    assert main(["version"]) == 0
    assert capsys.readouterr().out == first
    assert first.startswith(f"logagent  {__version__}\n")
    assert "isal" in first
    assert "missing" not in first


def test_schema_and_reference_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Ready to be redirected into a file."""
    assert main(["schema"]) == 0
    assert capsys.readouterr().out.startswith("{\n")
    assert main(["reference"]) == 0
    assert capsys.readouterr().out.startswith("# yaml-language-server")


def test_a_closed_pipe_is_no_error() -> None:
    """`logagent reference | head -1` ends without a word."""
    command = f"{sys.executable} -m logagent reference | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("# yaml")


def test_commands_import_what_they_need_and_no_more() -> None:
    """The schema needs no TLS, no event loop and no compression: a start is cheap."""
    code = (
        "import sys; from logagent.cli.main import main; main(['version']);"
        "print([n for n in ('asyncio', 'ssl', 'orjson', 'isal', 'uvloop') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
