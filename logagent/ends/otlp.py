"""The ends of an OTLP output.

Knows which option goes to which part. Must not know how a record is made or sent.
"""

from logagent.codecs.otlp import OtlpCodec
from logagent.config.outputs import OtlpHttp
from logagent.edges import Edges
from logagent.ports import Sink


def codec(output: OtlpHttp) -> OtlpCodec:
    """Log records as JSON."""
    return OtlpCodec(gzip=output.compression == "gzip", ids=output.ids)


def sink(output: OtlpHttp, edges: Edges) -> Sink:
    """HTTP to one of the servers."""
    from logagent.ends.overhttp import http_sink

    return http_sink(output, output.path, edges, headers=codec(output).headers)
