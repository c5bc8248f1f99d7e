"""Finds the command that was typed, runs it, and turns what it raises into an exit status.

Each command is a module, imported when it is asked for: `run` must not pay for the rest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple

from logagent import __version__

USAGE: Final = 64
BUG: Final = 70
INTERRUPTED: Final = 130
"""Exit statuses; 64 and 70 are those of sysexits.h, 130 is what shells say of SIGINT."""


class Command(NamedTuple):
    """Where a command is, and what it does in a few words."""

    module: str
    about: str


COMMANDS: Final = {
    "run": Command("logagent.cli.run", "follow and deliver (what happens without a command)"),
    "check": Command("logagent.cli.check", "say what is wrong with a configuration"),
    "setup": Command("logagent.cli.setup", "make an index template, a policy, a data stream"),
    "positions": Command("logagent.cli.positions", "how far each output is, and why it is stuck"),
    "replay": Command("logagent.cli.replay", "send dead letters again, delete what is delivered"),
    "demo": Command("logagent.cli.demo", "watch log lines travel, on this machine, with faults"),
    "reference": Command("logagent.cli.reference", "print every option, as commented YAML"),
    "schema": Command("logagent.cli.schema", "print the configuration's JSON Schema"),
    "version": Command("logagent.cli.version", "print versions, for bug reports"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the process's exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args and args[0] in {"-h", "--help", "help"}:
        print(_help())
        return 0
    if args and args[0] in {"-V", "--version"}:
        args[0] = "version"
    name = args.pop(0) if args and not args[0].startswith("-") else "run"
    if name not in COMMANDS:
        known = ", ".join(COMMANDS)
        print(f"logagent: no command {name!r} (known: {known})", file=sys.stderr)
        return USAGE
    return _run(COMMANDS[name], args)


def _run(command: Command, args: list[str]) -> int:
    try:
        status = import_module(command.module).main(args)
        sys.stdout.flush()
    except SystemExit as stop:  # argparse has printed help, or what is wrong with the usage
        return stop.code if isinstance(stop.code, int) else USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `logagent reference | head`
        # Else the interpreter complains about the pipe once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception:  # noqa: BLE001  the one place; what a user can cause was handled before
        # Imported here: nobody pays for it who doesn't need it.
        import traceback

        traceback.print_exc()
        print("logagent: this is a bug in logagent; the checkpoint is unharmed", file=sys.stderr)
        return BUG
    assert isinstance(status, int)
    return status


def _help() -> str:
    rows = "\n".join(f"  {name:<10} {command.about}" for name, command in COMMANDS.items())
    return f"""\
usage: logagent [COMMAND] [options]

logagent {__version__} follows an app's log files and delivers each line, at least once.

commands:
{rows}

Each command has its own --help. Example:
  logagent check --config app.yaml && logagent run --config app.yaml

exit status: 0 all well, or stopped; 3 `run --once` or `replay` left something; 64 usage; 69 an
output can't be used (check --connect); 70 a bug; 74 the checkpoint can't be written (positions
reset), or the dead letters (replay); 75 the state directory is in use, or another replay is
running; 78 configuration"""
