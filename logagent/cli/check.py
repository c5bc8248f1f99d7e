"""`logagent check`: what is wrong with a configuration, before it runs.

Strict where `run` waits: a directory or secret that isn't there is a problem here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence

from logagent import build
from logagent.cli.usage import CONFIG, Parser, add_config, complain, config_paths
from logagent.config import (
    Config,
    ConfigError,
    Elasticsearch,
    File,
    Kafka,
    Need,
    Output,
    OverHttp,
    Remote,
    load,
    needs,
    show,
)
from logagent.config.secrets import Tls
from logagent.core.budget import memory_bytes
from logagent.core.patterns import DEPTH_MAX
from logagent.edge import memory
from logagent.ends import codec_of

UNREACHABLE = 69
MIB = 1 << 20
ABOUT = """\
Check a configuration: its syntax, names, types and bounds, what makes no sense together, and
whether the directories, secrets and certificates that it names are there. Prints one line for each
problem and exits with 78, or prints what would run. Changes nothing; can run beside an agent."""


def main(args: Sequence[str]) -> int:
    """Check, and say what was found."""
    parser = Parser("check", ABOUT, "logagent check --config app.yaml --connect")
    add_config(parser)
    parser.add_argument(
        "--connect",
        action="store_true",
        help="also ask each output: what it is, whether it lets us in, whether the index is there "
        f"(exit {UNREACHABLE} if one can't be used)",
    )
    options = parser.parse_args(args)
    paths = config_paths(options.config)
    problems: list[str] = []
    try:
        config: Config | None = load(paths, os.environ)
    except ConfigError as error:
        problems += map(str, error.problems)
        config = error.usable
    if config is not None:
        problems += missing(config)
        problems += build.problems(config, os.environ, codec_of)
    if problems or config is None:
        complain(problems)
        count = len(problems)
        complain([f"{count} problem{'s' if count > 1 else ''} in {', '.join(paths)}"])
        return CONFIG
    print("\n".join(summary(config)))
    if not options.connect:
        return 0
    # Imported here: asking needs urllib and ssl, which take longer to load than all else.
    from logagent.cli.connect import connect

    return connect(config)


def missing(config: Config) -> Iterator[str]:
    """What the configuration names and isn't there or can't be read, one line each."""
    for need in needs(config):
        if why := _why_not(need):
            yield f"{show(need.option)}: {why}"
    if why := _bad_state(config.agent.state_dir):
        yield f"{show(('agent', 'state_dir'))}: {why}"
    for name, output in config.outputs.items():
        here = show(("outputs", name))
        if isinstance(output, OverHttp) and output.tls is not None:
            if why := _bad_certificates(output.tls):
                yield f"{here}.tls: {why}"
        elif isinstance(output, File) and (why := _bad_directory(output.path)):
            yield f"{here}.path: {why}"


def summary(config: Config) -> Iterator[str]:
    """What would run, for people."""
    yield "The configuration is good."
    yield "inputs"
    for name, source in config.inputs.items():
        yield f"  {name:<12} {', '.join(source.paths)} ({source.format})"
    yield "outputs"
    for name, output in config.outputs.items():
        yield f"  {name:<12} {_target(output)} ← {', '.join(config.inputs_of(name))}"
    budget = memory_bytes(config.agent.memory_bytes, memory.memory_limit())
    yield f"memory         {budget / MIB:g} MiB in all"
    for name, wish in build.budget(config, budget).items():
        slots = f"{wish.slots} batch{'es' if wish.slots > 1 else ''} under way"
        output = config.outputs[name]
        wanted = output.slots if isinstance(output, Remote) else 1
        less = output.batch_bytes > wish.batch_bytes or wanted > wish.slots
        why = "; the budget allows no more" if less else ""
        yield f"  {name:<12} {slots}, {wish.batch_bytes / MIB:.3g} MiB each{why}"
    yield f"state          {config.agent.state_dir} ({_state(config.agent.state_dir)})"
    yield f"admin          {config.agent.admin or 'off'}"
    if any("**" in glob for source in config.inputs.values() for glob in source.paths):
        yield f"note           ** goes {DEPTH_MAX} directories down"


def _why_not(need: Need) -> str:
    if need.kind == "root":
        try:
            os.listdir(need.path)
        except OSError as error:
            return f"listing {need.path}: {error.strerror}"
        return ""
    try:
        with open(need.path, "rb") as file:
            content = file.read(MIB)
    except OSError as error:
        return f"reading {need.path}: {error.strerror}{_owner(need.path)}"
    return "" if content.strip() else f"{need.path} is empty"


def _owner(path: str) -> str:
    """Whose a file is that we can't read, "" if there is nothing to say."""
    try:
        info = os.stat(path)
    except OSError:
        return ""
    if not stat.S_ISREG(info.st_mode):
        return ""
    mode = stat.S_IMODE(info.st_mode)
    ours = f"this process has uid {os.geteuid()}, gid {os.getegid()}"
    return f" (uid {info.st_uid}, gid {info.st_gid}, mode {mode:04o}; {ours})"


def _bad_certificates(tls: Tls) -> str:
    named = [path for path in (tls.ca_file, tls.cert_file, tls.key_file) if path]
    if not all(os.access(path, os.R_OK) for path in named):
        return ""  # said already, with the reason
    # Imported here: it costs what `ssl` costs.
    from logagent.ends.trust import context_of

    try:
        context_of(tls)
    except (ValueError, OSError) as error:
        return str(error)
    return ""


def _bad_directory(path: str) -> str:
    directory = os.path.dirname(path)
    if os.path.isdir(path):
        return f"{path} is a directory; name a file in it"
    if not os.path.isdir(directory):
        return f"the directory {directory} is not there"
    if not os.access(directory, os.W_OK):
        return f"the directory {directory} is not writable"
    return ""


def _target(output: Output) -> str:
    match output:
        case Elasticsearch():
            name = output.data_stream.name() if output.data_stream else output.index
            kind = "data stream" if output.data_stream else "index"
            return f"elasticsearch {', '.join(output.endpoints())}, {kind} {name}"
        case Kafka():
            return f"kafka {', '.join(output.bootstrap_servers)}, topic {output.topic}"
        case OverHttp():
            return f"{output.__struct_config__.tag} {', '.join(output.endpoints())}"
        case File():
            return f"file {output.path}"
        case _:
            return "stdout"


def _bad_state(path: str) -> str:
    there = path
    while not os.path.lexists(there) and there != "/":
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        return f"{there} is not a directory"
    if os.access(there, os.W_OK | os.X_OK):
        return ""
    return f"{there} is not writable by uid {os.getuid()}" + (
        "" if there == path else f", so {path} can't be made"
    )


def _state(path: str) -> str:
    return "is there" if os.path.isdir(path) else "is made at the start"
