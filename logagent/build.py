"""From the configuration to objects: the one place where options meet what they configure.

Knows all parts and how they are joined. Must not run anything: app.py does.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from random import Random
from typing import NamedTuple

from msgspec import Struct

from logagent.checkpoint import Checkpoint
from logagent.codecs.elastic import ElasticCodec, Target
from logagent.codecs.ndjson import NdjsonCodec
from logagent.commits import Commits, Offload
from logagent.config.inputs import Input, TimestampField
from logagent.config.model import Config
from logagent.config.outputs import Elasticsearch, File, Output, Stdout
from logagent.core.budget import Wish, plan
from logagent.core.chunk import Codec
from logagent.core.ledger import Ledger
from logagent.core.metrics import Registry
from logagent.core.patterns import compile_exclude, compile_pattern
from logagent.core.retry import Concurrency
from logagent.delivery import Delivery, DeliverySettings
from logagent.descriptors import Descriptors
from logagent.follower import TailSettings
from logagent.held import Watch
from logagent.pipeline import Pipeline, PipelineSettings, Renderer, Source
from logagent.ports import Clock, Fs, Journal, Log, Sink
from logagent.render.metadata import Json
from logagent.render.metadata import build as build_metadata
from logagent.render.program import Spec, compile_program
from logagent.report import TailReport
from logagent.tail import Tail

POD_FACTS = ("POD_NAME", "POD_NAMESPACE", "POD_UID", "POD_IP", "NODE_NAME")
"""What the chart puts into the environment from the downward API."""


class Edges(NamedTuple):
    """What is real in the agent and modelled in the simulator."""

    fs: Fs
    offload: Offload
    clock: Clock
    random: Random
    env: Mapping[str, str]
    log: Log
    metrics: Registry


class Ends(Struct, frozen=True):
    """An output's own ends: where requests and dead letters go."""

    codec: Codec
    sink: Sink
    dead_letters: Journal


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
    wishes = [Wish(o.batch_bytes, _slots(o)) for o in config.outputs.values()]
    return dict(zip(config.outputs, plan(memory, wishes), strict=True))


def codec_of(output: Output) -> Codec:
    """The codec of an output."""
    match output:
        case Elasticsearch():
            return elastic_codec(output)
        case File() | Stdout():
            return NdjsonCodec()


def elastic_codec(output: Elasticsearch) -> ElasticCodec:
    """The codec of an Elasticsearch output."""
    name = output.data_stream.name() if output.data_stream else output.index
    target = Target(name, require_data_stream=output.require_data_stream)
    gzip = output.compression == "gzip"
    return ElasticCodec(target, ids=output.ids, gzip=gzip, pipeline=output.pipeline)


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
) -> Callable[[bytes, int], Renderer]:
    """A function that makes the renderer for a generation of a file, from its path and id."""
    options = config.inputs[input_id]
    program = compile_program(spec_of(options, batch_bytes))
    facts = {name: env[name] for name in POD_FACTS if env.get(name)}
    fields = {**_leaves(config.metadata.fields), **_leaves(options.fields)}

    def bind(path: bytes, generation: int) -> Renderer:
        metadata = build_metadata(
            config.metadata.schema, facts, fields, container=options.container, path=path
        )
        return program.bind(metadata, codec.frame, generation)

    return bind


def problems(config: Config, env: Mapping[str, str]) -> list[str]:
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
    output = config.outputs[output_id]
    ledger = Ledger()
    concurrency = Concurrency(wish.slots)
    sources = [
        Source(
            tail_of(config, output_id, name, descriptors, ledger, edges=edges),
            binder(config, name, ends.codec, batch_bytes=wish.batch_bytes, env=edges.env),
        )
        for name in config.inputs_of(output_id)
    ]
    commits = Commits(
        output_id,
        Checkpoint(edges.fs, f"{config.agent.state_dir}/{output_id}"),
        [source.tail for source in sources],
        ledger,
        offload=edges.offload,
        log=edges.log,
        metrics=edges.metrics,
    )
    return Pipeline(
        PipelineSettings(
            output=output_id,
            batch_bytes=wish.batch_bytes,
            linger_s=output.linger_s,
            slots=wish.slots,
            commit_interval_s=config.agent.commit_interval_s,
        ),
        sources=sources,
        descriptors=descriptors,
        ledger=ledger,
        codec=ends.codec,
        delivery=_delivery(output_id, output, ledger, ends, concurrency, edges=edges),
        concurrency=concurrency,
        commits=commits,
        clock=edges.clock,
        metrics=edges.metrics,
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


def _delivery(
    output_id: str,
    output: Output,
    ledger: Ledger,
    ends: Ends,
    concurrency: Concurrency,
    *,
    edges: Edges,
) -> Delivery:
    return Delivery(
        ends.sink,
        ends.codec,
        ledger,
        ends.dead_letters,
        _delivery_settings(output_id, output),
        concurrency=concurrency,
        clock=edges.clock,
        jitter=edges.random.random,
        log=edges.log,
        metrics=edges.metrics,
    )


def _delivery_settings(output_id: str, output: Output) -> DeliverySettings:
    """A file and a pipe refuse no row for what is in it: they take it now or later."""
    if isinstance(output, Elasticsearch):
        return DeliverySettings(output_id, output.retry_max_s, output.on_reject)
    return DeliverySettings(output_id, retry_max_s=30.0, on_reject="block")


def _slots(output: Output) -> int:
    """A file and a pipe take one batch at a time: their order is the lines' order."""
    return output.slots if isinstance(output, Elasticsearch) else 1


def dead_letter_path(config: Config, output_id: str) -> str:
    """Where an output's dead letters are."""
    return f"{config.agent.state_dir}/dead/{output_id}/letters.ndjson"


def roots(config: Config) -> Sequence[str]:
    """All directories that the inputs' globs start from."""
    return sorted({root for options in config.inputs.values() for root in options.roots()})
