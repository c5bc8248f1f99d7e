"""The ends of a Splunk HEC output: the envelope from options, and a sink for each host.

Knows which option goes to which part. Must not know how an event is made or sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from logagent.codecs.naming import Choice, Template
from logagent.codecs.splunk import INDEX, PATH, TEXT, Envelope, SplunkCodec
from logagent.config.outputs import SplunkHec
from logagent.edge.secrets import splunk
from logagent.edges import Edges
from logagent.ends.trust import secret_of
from logagent.ports import Sink

ACK_PATH: Final = "/services/collector/ack"


def codec(output: SplunkHec) -> SplunkCodec:
    """Events in the output's envelope. Raises ValueError."""
    choices = {n: Choice(c.field, c.allow, c.fallback) for n, c in output.choose.items()}
    envelope = Envelope(
        host=Template(output.host, TEXT) if output.host else None,
        source=Template(output.source, TEXT) if output.source else None,
        sourcetype=output.sourcetype,
        index=Template(output.index, INDEX, choices) if output.index else None,
        fields=output.fields,
        ids=output.ids,
    )
    return SplunkCodec(
        envelope,
        gzip=output.compression == "gzip",
        needs_ack=output.acks == "required",
        on_config_error=output.on_config_error,
    )


def sink(output: SplunkHec, edges: Edges, output_id: str) -> Sink:
    """HTTP to the servers. Acknowledgements belong to the host that gave their ids, so each host
    has a sink of its own."""
    from logagent.codecs.splunk_reply import ACK_LATE, NO_ACKS, ack_id, ack_question, acked
    from logagent.edge.hec import HecSink, Language
    from logagent.ends.overhttp import http_sink

    headers = {"content-type": "application/json"}
    auth = authorization(output, edges)
    hosts = [
        (url, http_sink(replace(output, hosts=(url,)), PATH, edges, headers=headers, auth=auth))
        for url in output.endpoints()
    ]
    return HecSink(
        hosts,
        Language(PATH, ACK_PATH, ack_id, ack_question, acked, ACK_LATE, NO_ACKS),
        channel=lambda: request_channel(edges.random.getrandbits(128)),
        wait=output.acks,
        poll_s=output.ack_poll_s,
        timeout_s=output.ack_timeout_s,
        pending=edges.metrics.cell("acks_pending", output_id),
    )


def request_channel(bits: int) -> str:
    """A channel of 128 random bits, as the random UUID that it must look like."""
    from uuid import UUID

    return str(UUID(int=bits, version=4))


def authorization(output: SplunkHec, edges: Edges) -> Callable[[], str] | None:
    """A function that reads the token; None when `auth` says who we are."""
    if not (output.token_file or output.token_env):
        return None
    return splunk(secret_of(output.token_file, output.token_env, edges.env))
