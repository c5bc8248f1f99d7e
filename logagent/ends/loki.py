"""The ends of a Loki output: labels from options, and HTTP.

Knows which option goes to which part. Must not know how an entry is made or sent.

Loki answers for the last stream of a request only (see `codecs/loki_reply.py`), so each stream of a
batch goes in a request of its own.
"""

from logagent.codecs.loki import VALUE, LokiCodec
from logagent.codecs.naming import Choice, Template
from logagent.config.outputs import Loki
from logagent.core.chunk import Verdict
from logagent.edges import Edges
from logagent.ports import Sink

TENANT = "x-scope-orgid"


def codec(output: Loki) -> LokiCodec:
    """Entries of the output's streams. Raises ValueError."""
    choices = {n: Choice(c.field, c.allow, c.fallback) for n, c in output.choose.items()}
    labels = {n: Template(text, VALUE, choices) for n, text in output.every_label().items()}
    gzip = output.compression == "gzip"
    return LokiCodec(labels, gzip=gzip, line=output.line, ids=output.ids)


def sink(output: Loki, edges: Edges) -> Sink:
    """HTTP to one of the servers."""
    from logagent.edge.parts import PartsSink
    from logagent.ends.overhttp import http_sink

    speaks = codec(output)
    headers = speaks.headers
    if output.tenant:
        headers[TENANT] = output.tenant
    sink = http_sink(output, output.path, edges, headers=headers)
    return PartsSink(sink, speaks.parts, lambda part, reply: stored(speaks.judge(part, reply)))


def stored(verdict: Verdict) -> bool:
    """Whether all rows of a request are there."""
    return verdict.step == "done" and not verdict.rejected
