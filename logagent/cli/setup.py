"""`logagent setup`: makes on the server what an output's lines need there.

Knows the command line and what is said of each step. Must not know a product.

Index template, lifecycle policy, data stream; and prints what gives the agent its own credentials.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from logagent.cli.check import UNREACHABLE
from logagent.cli.usage import (
    CONFIG,
    USAGE,
    Parser,
    add_config,
    complain,
    config_paths,
    load_or_complain,
)
from logagent.config import Auth, Config, Elasticsearch

ABOUT = """\
Make on an Elasticsearch or OpenSearch what the lines of an output need there: an index template
with the fields of the configured schema, a lifecycle policy, the data stream. What is there already
is compared first; what logagent didn't make is never touched. A second run changes nothing.

Prints at last what an administrator runs so that the agent gets credentials that can add documents
and nothing else; this command doesn't run it."""

_AGE: Final = re.compile(r"[1-9][0-9]*[dh]")


class Request(NamedTuple):
    """What the command line asks for, beside the configuration."""

    keep: str
    dry: bool


def main(args: Sequence[str]) -> int:
    """Set up each output that is asked for."""
    parser = _parser()
    options = parser.parse_args(args)
    if options.keep and not _AGE.fullmatch(options.keep):
        parser.error(f"--keep {options.keep}: an age looks like 30d or 12h")
    config = load_or_complain(config_paths(options.config))
    if config is None:
        return CONFIG
    outputs = {n: o for n, o in config.outputs.items() if isinstance(o, Elasticsearch)}
    if options.output:
        if options.output not in outputs:
            known = ", ".join(outputs) or "none"
            complain([f"--output {options.output}: no such Elasticsearch output (known: {known})"])
            return USAGE
        outputs = {options.output: outputs[options.output]}
    if not outputs:
        complain(["no output of type elasticsearch is configured: there is nothing to set up"])
        return USAGE
    try:
        auth = _auth(options)
    except ValueError as error:
        parser.error(str(error))
    if auth is not None:
        outputs = {n: replace(o, auth=auth, aws=None) for n, o in outputs.items()}
    return _set_up(config, outputs, Request(options.keep, options.dry_run))


def _parser() -> Parser:
    parser = Parser("setup", ABOUT, "logagent setup --config app.yaml --keep 30d --dry-run")
    add_config(parser)
    parser.add_argument("--output", metavar="ID", help="only this output (default: all)")
    parser.add_argument(
        "--dry-run", action="store_true", help="only ask, and print what would be made"
    )
    parser.add_argument(
        "--keep",
        default="",
        metavar="AGE",
        help="delete what is older, as in 30d (default: nothing is ever deleted)",
    )
    who = parser.add_argument_group("credentials that may do this, instead of the output's own")
    who.add_argument("--api-key-file", default="", metavar="PATH", help="file with an API key")
    who.add_argument("--username", default="", metavar="NAME", help="needs --password-file")
    who.add_argument("--password-file", default="", metavar="PATH")
    return parser


def _auth(options: argparse.Namespace) -> Auth | None:
    """The credentials of the command line, None if there are none. Raises ValueError."""
    given = {
        "api_key_file": os.path.abspath(options.api_key_file) if options.api_key_file else "",
        "username": str(options.username),
        "password_file": os.path.abspath(options.password_file) if options.password_file else "",
    }
    return Auth(**given) if any(given.values()) else None


def _set_up(config: Config, outputs: dict[str, Elasticsearch], request: Request) -> int:
    try:
        # Imported here: only this command needs Elastic's own client, an extra.
        from logagent.cli.setting_up.outputs import set_up_output
    except ImportError as error:
        complain([f"{error}: install logagent[elasticsearch]"])
        return USAGE
    print("setup (dry run: nothing is changed)" if request.dry else "setup")
    keys: list[str] = []
    good = True
    for name, output in outputs.items():
        said = asyncio.run(
            set_up_output(name, output, config.metadata.schema, keep=request.keep, dry=request.dry)
        )
        changes = 0
        for step in said.steps:
            print(f"  {name:<12} {step.text}")
            for line in step.detail:
                print(f"  {'':<12}   {line}")
            good = good and step.good
            changes += step.change
        if not changes and all(step.good for step in said.steps):
            print(f"  {name:<12} nothing to change")
        if said.key:
            keys.append(said.key)
    for key in keys:
        print(f"\nFor the agent's own credentials, an administrator runs:\n\n{key}")
    sys.stdout.flush()
    return 0 if good else UNREACHABLE
