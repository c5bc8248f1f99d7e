"""From an output's options to its sending half: retries, rejected rows, dead letters.

Knows which output can wrap a row, say its id, or take letters itself. Must not know files that are
followed: where a row is from is found out by what it is given (`locate`).
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from logagent.codecs.elastic import ElasticCodec
from logagent.config.outputs import Elasticsearch, Kafka, Output, Remote
from logagent.core.chunk import Codec
from logagent.core.deadletter import Burier, Identifier, Locate
from logagent.core.ledger import Ledger
from logagent.core.retry import Concurrency
from logagent.delivery import Delivery, DeliverySettings
from logagent.edges import Edges, Ends
from logagent.rejects import OnReject, Rejects, Undertaking

LOCAL_RETRY_MAX_S: Final = 30.0


class Rules(NamedTuple):
    """What an output's options say about what isn't taken."""

    retry_max_s: float
    on_reject: OnReject


def rules_of(output: Output) -> Rules:
    """An output's rules. A file and a pipe refuse no row for what is in it: they take it now or
    later."""
    if isinstance(output, Remote):
        return Rules(output.retry_max_s, output.on_reject)
    return Rules(LOCAL_RETRY_MAX_S, "block")


def delivery(
    output_id: str,
    output: Output,
    ledger: Ledger,
    ends: Ends,
    *,
    rules: Rules,
    concurrency: Concurrency,
    locate: Locate,
    edges: Edges,
) -> Delivery:
    """What delivers an output's batches."""
    codec = ends.codec
    rejects = Rejects(
        output_id,
        rules.on_reject,
        codec,
        Undertaking(
            ends.dead_letters, locate, burier=burier_of(output, codec), event_id=ids_of(codec)
        ),
        wrapper=codec if isinstance(codec, ElasticCodec) else None,
        retry_max_s=rules.retry_max_s,
        clock=edges.clock,
        jitter=edges.random.random,
        log=edges.log,
        metrics=edges.metrics,
    )
    return Delivery(
        ends.sink,
        codec,
        ledger,
        rejects,
        DeliverySettings(output_id, rules.retry_max_s, rules.on_reject),
        concurrency=concurrency,
        jitter=edges.random.random,
        log=edges.log,
        metrics=edges.metrics,
    )


def burier_of(output: Output, codec: Codec) -> Burier | None:
    """The codec, if the output has a place for dead letters."""
    match output:
        case Elasticsearch(dead_letter_index=place) | Kafka(dead_letter_topic=place) if place:
            assert isinstance(codec, Burier)
            return codec
        case _:
            return None


def ids_of(codec: Codec) -> Callable[[bytes], bytes] | None:
    """How a row's id is read out of a row, where rows have it."""
    return codec.event_id if isinstance(codec, Identifier) else None
