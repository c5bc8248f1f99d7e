"""`logagent run`: loads the configuration and hands over to app.py."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence

from msgspec.structs import replace

from logagent.cli.usage import CONFIG, Parser, add_config, complain, config_paths
from logagent.config import Config, ConfigError, load

ABOUT = """\
Follow the inputs' files and deliver their lines to the outputs, until SIGTERM or SIGINT: then read
to the end, deliver, write the checkpoint and exit, within agent.grace_s. A second signal leaves at
once; what is left then is delivered by the next run."""
LEVELS = ("debug", "info", "warning", "error")


def main(args: Sequence[str]) -> int:
    """Run the agent."""
    gc.disable()  # until the agent runs: a fifth of the start was looking for garbage in imports
    parser = Parser("run", ABOUT, "logagent run --config app.yaml --once")
    add_config(parser)
    parser.add_argument(
        "--once",
        action="store_true",
        help="deliver what is there and exit: 0 if all of it was, 3 if something is left",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print what the first output would be sent, to stdout; sends and remembers nothing",
    )
    parser.add_argument(
        "--wait-for-config",
        action="store_true",
        help="while the configuration has problems, say so, stay alive and look again each 2 s",
    )
    parser.add_argument("--log-level", choices=LEVELS, help="instead of agent.log_level")
    options = parser.parse_args(args)
    paths = config_paths(options.config)
    try:
        config: Config | None = load(paths, os.environ)
    except ConfigError as error:
        if not options.wait_for_config:
            complain(map(str, error.problems))
            return CONFIG
        # Imported here: a good configuration doesn't pay for it.
        from logagent.cli import waiting

        config = waiting.wait(paths, os.environ, error)
    if config is None:  # a signal ended the wait; nothing was read, nothing is left
        return 0
    if options.log_level:
        config = replace(config, agent=replace(config.agent, log_level=options.log_level))
    # Imported here: only now is there something to run.
    if options.dry_run:
        from logagent.cli import dry_run

        return dry_run.run(config)
    from logagent import app

    return app.run(config, app.Options(once=options.once))
