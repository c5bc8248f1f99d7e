"""An output's two ends in the real world: the sink it sends to, and where its dead letters go.

Knows which module makes them for which kind of output, and imports that one only, since each edge
costs memory. Must not know what is sent.
"""

from contextlib import suppress
from typing import assert_never

from logagent.config.model import Config
from logagent.config.outputs import (
    S3,
    Elasticsearch,
    File,
    Http,
    Kafka,
    Loki,
    OtlpHttp,
    Output,
    Remote,
    SplunkHec,
    Stdout,
)
from logagent.core.chunk import Codec
from logagent.edge.dead_letters import SEGMENT_BYTES, LetterJournal
from logagent.edge.segments import list_segments
from logagent.edges import Edges, Ends
from logagent.ports import Sink


def ends_of(config: Config, output_id: str, edges: Edges) -> Ends:
    """Codec, sink and dead letters of an output."""
    output = config.outputs[output_id]
    codec = codec_of(output)
    return Ends(codec, sink_of(output_id, output, edges), dead_letters_of(config, output_id, edges))


def codec_of(output: Output) -> Codec:
    """How an output speaks."""
    match output:
        case Elasticsearch():
            from logagent.ends.elastic import codec as elastic

            return elastic(output)
        case Kafka():
            from logagent.ends.kafka import codec as kafka

            return kafka(output)
        case SplunkHec():
            from logagent.ends.splunk import codec as splunk

            return splunk(output)
        case Loki():
            from logagent.ends.loki import codec as loki

            return loki(output)
        case OtlpHttp():
            from logagent.ends.otlp import codec as otlp

            return otlp(output)
        case Http():
            from logagent.ends.http import codec as http

            return http(output)
        case S3():
            from logagent.ends.s3 import codec as s3

            return s3(output)
        case File() | Stdout():
            from logagent.ends.local import codec as local

            return local(output)
        case _:
            assert_never(output)


def sink_of(output_id: str, output: Output, edges: Edges) -> Sink:
    """Where an output's requests go."""
    match output:
        case Elasticsearch():
            from logagent.ends.elastic import sink as elastic

            return elastic(output, edges)
        case Kafka():
            from logagent.ends.kafka import sink as kafka

            return kafka(output, edges, output_id)
        case SplunkHec():
            from logagent.ends.splunk import sink as splunk

            return splunk(output, edges, output_id)
        case Loki():
            from logagent.ends.loki import sink as loki

            return loki(output, edges)
        case OtlpHttp():
            from logagent.ends.otlp import sink as otlp

            return otlp(output, edges)
        case Http():
            from logagent.ends.http import sink as http

            return http(output, edges)
        case S3():
            from logagent.ends.s3 import sink as s3

            return s3(output, edges)
        case File() | Stdout():
            from logagent.ends.local import sink as local

            return local(output, edges)
        case _:
            assert_never(output)


def dead_letters_of(
    config: Config, output_id: str, edges: Edges, *, above: int = -1
) -> LetterJournal:
    """The journal of an output's dead letters. above: see LetterJournal."""
    output = config.outputs[output_id]
    limit = output.dead_letter_bytes_max if isinstance(output, Remote) else SEGMENT_BYTES
    lost = edges.metrics.cell("dead_letters_dropped_total", output_id)
    size = edges.metrics.cell("dead_letters_bytes", output_id)

    directory = dead_letter_dir(config, output_id)
    with suppress(OSError):
        size.value = sum(segment.size for segment in list_segments(directory))

    def report(dropped: int, bytes_now: int) -> None:
        lost.value += dropped
        size.value = bytes_now
        if dropped:
            text = "oldest dead letters were dropped: raise dead_letter_bytes_max, or replay them"
            edges.log.error(text, output=output_id, letters=dropped, bytes_max=limit)

    return LetterJournal(
        directory, offload=edges.offload, bytes_max=limit, report=report, above=above
    )


def dead_letter_dir(config: Config, output_id: str) -> str:
    """Where an output's dead letters are."""
    return f"{config.agent.state_dir}/dead/{output_id}"
