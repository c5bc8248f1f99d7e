"""The ends of an Elasticsearch output.

Knows which option goes to which part. Must not know how a row is framed or sent.
"""

from logagent.codecs.elastic import ElasticCodec, Target
from logagent.codecs.naming import DATASET, INDEX, NAMESPACE, Choice, Joined, Template
from logagent.config.outputs import Elasticsearch
from logagent.edges import Edges
from logagent.ends.extras import need
from logagent.ports import Sink

SERVICE = "es"
"""Amazon OpenSearch Service, in signatures."""


def codec(output: Elasticsearch) -> ElasticCodec:
    """`_bulk`, for the output's index or data stream. Raises ValueError for a name that can't be
    made, or for signatures without their extra."""
    if output.aws:
        need("aws", "botocore")
    target = Target(
        name(output),
        require_data_stream=output.require_data_stream,
        in_path=output.target_in_path,
    )
    gzip = output.compression == "gzip"
    index = output.dead_letter_index
    dead = Target(index) if index else None
    return ElasticCodec(target, ids=output.ids, gzip=gzip, pipeline=output.pipeline, dead=dead)


def name(output: Elasticsearch) -> Template | Joined:
    """What the output's rows go to, with parts to fill in."""
    choices = {n: Choice(c.field, c.allow, c.fallback) for n, c in output.choose.items()}
    stream = output.data_stream
    if stream is None:
        return Template(output.index, INDEX, choices)
    return Joined(
        Template(stream.type, INDEX),
        Template(stream.dataset, DATASET, choices),
        Template(stream.namespace, NAMESPACE, choices),
    )


def sink(output: Elasticsearch, edges: Edges) -> Sink:
    """HTTP to one of the servers."""
    from logagent.ends.overhttp import aws_signer, http_sink

    speaks = codec(output)
    sign = aws_signer(output.aws, SERVICE) if output.aws else None
    return http_sink(output, speaks.path, edges, headers=speaks.headers, sign=sign)
