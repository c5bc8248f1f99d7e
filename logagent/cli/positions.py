"""`logagent positions`: per output and file how far it is, and why it isn't further; `reset`.

Reads checkpoints and looks at files; asks a running agent for what only it knows. Must not change
anything but by `reset`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import msgspec

from logagent.cli import progress
from logagent.cli.reset import reset
from logagent.cli.usage import CONFIG, USAGE, Parser, add_config, complain, config_paths
from logagent.cli.usage import load_or_complain as load
from logagent.config import Config

ABOUT = """\
Show, for each output and file, its size, how far it is settled (delivered, or otherwise final), how
much is left and why it isn't moving. Can run beside the agent.

`positions reset` forgets how far an output is, so that the next start reads its files again from
their beginning: lines that were delivered come a second time. It needs a stopped agent."""


def main(args: Sequence[str]) -> int:
    """Show or reset positions."""
    parser = Parser(
        "positions",
        ABOUT,
        "logagent positions --config app.yaml\n"
        "  logagent positions reset --config app.yaml --output search --input app",
    )
    parser.add_argument("action", nargs="?", choices=("reset",), help="reset: read files again")
    add_config(parser)
    parser.add_argument("--output", metavar="ID", help="only this output (reset needs it)")
    parser.add_argument("--input", metavar="ID", help="only the files of this input")
    parser.add_argument("--path", help="only this file, as `positions` shows it")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    options = parser.parse_args(args)
    config = load(config_paths(options.config))
    if config is None:
        return CONFIG
    if wrong := _wrong_ids(options, config):
        complain([f"logagent positions: {wrong}"])
        return USAGE
    chosen = progress.Choice(options.output or "", options.input or "", options.path or "")
    if options.action == "reset":
        return reset(config, chosen)
    report = progress.collect(config, chosen)
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    else:
        _show(report)
    return 0


def _wrong_ids(options: argparse.Namespace, config: Config) -> str:
    """What is wrong with the ids that were given, "" if nothing is."""
    if options.action == "reset" and not options.output:
        return f"reset needs --output (one of {', '.join(config.outputs)})"
    if options.output and options.output not in config.outputs:
        return f"no output {options.output!r} (known: {', '.join(config.outputs)})"
    if options.input and options.input not in config.inputs:
        return f"no input {options.input!r} (known: {', '.join(config.inputs)})"
    return ""


def _show(report: progress.Report) -> None:
    print(f"agent: {'running' if report.running else 'not running'}, state in {report.state_dir}")
    for output in report.outputs:
        lag = sum(file.lag for file in output.files)
        print(f"\n{output.output}: {len(output.files)} files, {_bytes(lag)} to go")
        for note in output.notes:
            print(f"  {note}")
        width = min(60, max((len(file.path) for file in output.files), default=0))
        for file in output.files:
            done = f"{file.settled:>14,} of {file.size:>14,}"
            print(f"  {file.path:<{width}}  {done}  {_bytes(file.lag):>10}  {file.why}")


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
