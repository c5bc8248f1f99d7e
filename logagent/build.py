"""From the configuration to objects: the one place where options meet what they configure.

Knows all parts and how they are joined. Must not run anything: app.py does.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final

from logagent.checkpoint import Checkpoint
from logagent.commits import Commits
from logagent.config.inputs import Input, TimestampField
from logagent.config.model import Config
from logagent.config.outputs import S3, Elasticsearch, Kafka, Output, Remote
from logagent.core.budget import Wish, plan
from logagent.core.chunk import Codec, Origin
from logagent.core.files import escape
from logagent.core.ledger import Ledger
from logagent.core.patterns import compile_exclude, compile_pattern
from logagent.core.retry import Concurrency
from logagent.descriptors import Descriptors
from logagent.edges import Edges, Ends
from logagent.follower import TailSettings
from logagent.held import Watch
from logagent.locate import TWIN, Locator, Twin
from logagent.pipeline import Pipeline, PipelineSettings
from logagent.render.metadata import Json, Metadata
from logagent.render.metadata import build as build_metadata
from logagent.render.program import Spec, compile_program
from logagent.report import TailReport
from logagent.sending import delivery, rules_of
from logagent.source import Bind, Bound, Renderer, Source
from logagent.tail import Tail

NAMES: Final = {
    "POD_NAME": "pod",
    "POD_NAMESPACE": "namespace",
    "POD_UID": "pod_uid",
    "POD_IP": "pod_ip",
    "NODE_NAME": "node",
}
"""What the chart puts into the environment from the downward API, and what templates call it."""

LIBRARY_BYTES: Final = {"kafka": 6 << 20, "aws": 12 << 20}
"""Resident memory that the libraries of some outputs take (docs/dependencies.md)."""

TWIN_BYTES_MAX: Final = 1 << 62
"""No bound: the rows that a twin makes once more have been in a batch already."""


def watches(config: Config) -> list[Watch]:
    """What to scan: one watch for each root of each input."""
    readers = {
        name: frozenset(o for o in config.outputs if name in config.inputs_of(o))
        for name in config.inputs
    }
    all_roots = roots(config)
    found = []
    for name, options in config.inputs.items():
        excludes = tuple(compile_exclude(glob) for glob in options.exclude)
        patterns = [compile_pattern(glob, all_roots) for glob in options.paths]
        patterns.sort(key=lambda p: p.root)
        for root, group in groupby(patterns, key=lambda p: p.root):
            members = list(group)
            found.append(
                Watch(
                    input=name,
                    root=root,
                    depth=max(p.depth for p in members),
                    includes=tuple(p.match for p in members),
                    excludes=excludes,
                    symlinks=options.symlinks,
                    files_max=options.files_max,
                    ignore_older_s=options.ignore_older_s,
                    outputs=readers[name],
                )
            )
    return found


def budget(config: Config, memory: int) -> dict[str, Wish]:
    """What each output may use of the agent's memory."""
    outputs = config.outputs.values()
    wishes = [Wish(o.batch_bytes, _slots(o)) for o in outputs]
    libraries = sum(LIBRARY_BYTES[name] for name in {_library(o) for o in outputs} - {""})
    return dict(zip(config.outputs, plan(memory - libraries, wishes), strict=True))


def spec_of(options: Input, batch_bytes: int) -> Spec:
    """An input's options as its program wants them."""
    match options.timestamp:
        case "auto":
            return Spec(format=options.format, wire_bytes_max=batch_bytes)
        case "none":
            return Spec(format=options.format, timestamp=(), wire_bytes_max=batch_bytes)
        case TimestampField(field=field):
            return Spec(format=options.format, timestamp=(field,), wire_bytes_max=batch_bytes)


def binder(
    config: Config, input_id: str, codec: Codec, *, batch_bytes: int, env: Mapping[str, str]
) -> Bind:
    """A function that makes the renderer for a generation of a file, from its path and id."""
    program = compile_program(spec_of(config.inputs[input_id], batch_bytes))
    say = teller(config, input_id, env)

    def bind(path: bytes, generation: int) -> Bound:
        metadata, origin = say(path, generation)
        return Bound(program.bind(metadata, codec.frame(origin), generation), origin)

    return bind


def twin(config: Config, input_id: str, env: Mapping[str, str]) -> Callable[[bytes, int], Renderer]:
    """A function that makes the renderer that tells the ids of a generation's rows."""
    program = compile_program(spec_of(config.inputs[input_id], TWIN_BYTES_MAX))
    say = teller(config, input_id, env)

    def bind(path: bytes, generation: int) -> Renderer:
        return program.bind(say(path, generation)[0], TWIN, generation)

    return bind


def teller(
    config: Config, input_id: str, env: Mapping[str, str]
) -> Callable[[bytes, int], tuple[Metadata, Origin]]:
    """A function that tells what is put into a generation's documents, and where they are from."""
    options = config.inputs[input_id]
    facts = {name: env[name] for name in NAMES if env.get(name)}
    fields = {**_leaves(config.metadata.fields), **_leaves(options.fields)}
    names = {NAMES[fact]: value for fact, value in facts.items()}
    names |= {"input": input_id}
    if options.container:
        names["container"] = options.container

    def say(path: bytes, generation: int) -> tuple[Metadata, Origin]:
        metadata = build_metadata(
            config.metadata.schema, facts, fields, container=options.container, path=path
        )
        members = b",".join(metadata.encode().values())
        return metadata, Origin(input_id, escape(path), generation, names, members)

    return say


def problems(
    config: Config, env: Mapping[str, str], codec_of: Callable[[Output], Codec]
) -> list[str]:
    """What can't be built of a configuration that is right in itself: one line each.

    These are found where the part is that knows: a name that the agent's own fields have taken
    depends on the schema and the environment.
    """
    found = []
    for name, output in config.outputs.items():
        for input_id in config.inputs_of(name):
            try:
                bind = binder(config, input_id, codec_of(output), batch_bytes=1, env=env)
                bind(b"/", 0)
            except ValueError as error:
                found.append(f"input {input_id} to output {name}: {error}")
    return found


def pipeline(
    config: Config,
    output_id: str,
    wish: Wish,
    ends: Ends,
    descriptors: Descriptors,
    *,
    edges: Edges,
) -> Pipeline:
    """One output, ready to load its checkpoint and run."""
    ledger = Ledger()
    concurrency = Concurrency(wish.slots)
    sources = [
        Source(
            tail_of(config, output_id, name, descriptors, ledger, edges=edges),
            binder(config, name, ends.codec, batch_bytes=wish.batch_bytes, env=edges.env),
        )
        for name in config.inputs_of(output_id)
    ]
    tails = [source.tail for source in sources]
    twins = [Twin(tail, twin(config, tail.settings.input, edges.env)) for tail in tails]
    commits = Commits(
        output_id,
        Checkpoint(edges.fs, f"{config.agent.state_dir}/{output_id}"),
        tails,
        ledger,
        offload=edges.offload,
        log=edges.log,
        metrics=edges.metrics,
    )
    return Pipeline(
        _pipeline_settings(config, output_id, wish),
        sources=sources,
        descriptors=descriptors,
        ledger=ledger,
        codec=ends.codec,
        delivery=delivery(
            output_id,
            config.outputs[output_id],
            ledger,
            ends,
            rules=rules_of(config.outputs[output_id]),
            concurrency=concurrency,
            locate=Locator(edges.fs, ledger, twins, edges.clock),
            edges=edges,
        ),
        concurrency=concurrency,
        commits=commits,
        clock=edges.clock,
        metrics=edges.metrics,
    )


def _pipeline_settings(config: Config, output_id: str, wish: Wish) -> PipelineSettings:
    return PipelineSettings(
        output=output_id,
        batch_bytes=wish.batch_bytes,
        linger_s=config.outputs[output_id].linger_s,
        slots=wish.slots,
        commit_interval_s=config.agent.commit_interval_s,
    )


def tail_settings(config: Config, output_id: str, input_id: str) -> TailSettings:
    """What an input's options come to for one output's reading of it."""
    options = config.inputs[input_id]
    return TailSettings(
        input=input_id,
        output=output_id,
        chunk_bytes=options.chunk_bytes,
        line_bytes_max=options.line_bytes_max,
        rotate_wait_s=options.rotate_wait_s,
        poll_s=config.agent.poll_interval_s,
        start_at_end=options.start_at == "end",
    )


def tail_of(
    config: Config,
    output_id: str,
    input_id: str,
    descriptors: Descriptors,
    ledger: Ledger,
    *,
    edges: Edges,
) -> Tail:
    """One output's tail of one input."""
    settings = tail_settings(config, output_id, input_id)
    report = TailReport(input_id, output_id, edges.log, edges.metrics)
    return Tail(
        edges.fs,
        descriptors,
        ledger,
        settings,
        new_id=lambda: edges.random.getrandbits(63),
        report=report,
    )


def _leaves(fields: Mapping[str, Json], above: str = "") -> dict[str, Json]:
    """Fields by their dotted names, so that an input's win over those of all, however written."""
    found: dict[str, Json] = {}
    for name, value in fields.items():
        if isinstance(value, dict) and value:
            found |= _leaves(value, f"{above}{name}.")
        else:
            found[above + name] = value
    return found


def _library(output: Output) -> str:
    """What an output imports besides what every agent has, "" if nothing that counts."""
    match output:
        case Kafka():
            return "kafka"
        case S3() | Elasticsearch() if output.aws is not None:
            return "aws"
        case _:
            return ""


def _slots(output: Output) -> int:
    """A file and a pipe take one batch at a time: their order is the lines' order."""
    return output.slots if isinstance(output, Remote) else 1


def roots(config: Config) -> Sequence[str]:
    """All directories that the inputs' globs start from."""
    return sorted({root for options in config.inputs.values() for root in options.roots()})
