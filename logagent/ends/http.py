"""The ends of an output of the type Http.

Knows which option goes to which part. Must not know how a row is framed or sent.
"""

from logagent.codecs.array import ArrayCodec
from logagent.codecs.ndjson import NdjsonCodec
from logagent.codecs.statuses import StatusJudge, StatusRule, own_rules
from logagent.config.outputs import Http
from logagent.edges import Edges
from logagent.ports import Sink


def codec(output: Http) -> NdjsonCodec | ArrayCodec:
    """Documents on lines or in an array, judged by the status."""
    judge = StatusJudge(_own(output))
    gzip = output.compression == "gzip"
    if output.body == "array":
        return ArrayCodec(gzip=gzip, judge=judge)
    return NdjsonCodec(gzip=gzip, judge=judge)


def sink(output: Http, edges: Edges) -> Sink:
    """HTTP to one of the servers."""
    from logagent.ends.overhttp import http_sink

    return http_sink(
        output,
        output.path,
        edges,
        headers={"content-type": content_type(output)},
        method=output.method,
    )


def content_type(output: Http) -> str:
    """What the bodies are called."""
    usual = {"ndjson": "application/x-ndjson", "array": "application/json"}
    return output.content_type or usual[output.body]


def _own(output: Http) -> tuple[StatusRule, ...]:
    said = output.statuses
    if said is None:
        return ()
    return own_rules(
        {
            "delivered": said.delivered,
            "rejected": said.rejected,
            "halve": said.halve,
            "retry": said.retry,
            "credentials": said.credentials,
            "hold": said.hold,
        }
    )
