"""The ends of an output of the type S3.

Knows which option goes to which part. Must not know how an object is made or sent.
"""

from logagent.codecs.s3 import S3Codec
from logagent.config.outputs import S3
from logagent.edges import Edges
from logagent.ends.extras import need
from logagent.ports import Sink


def codec(output: S3) -> S3Codec:
    """NDJSON objects. Raises ValueError for a key that can't be one, or without the extra."""
    need("aws", "botocore")
    try:
        return S3Codec(output.key, gzip=output.compression == "gzip")
    except ValueError as error:
        raise ValueError(f"key {error}") from None


def sink(output: S3, edges: Edges) -> Sink:
    """Signed PUTs into the bucket."""
    from logagent.edge.objects import ObjectSink
    from logagent.ends.overhttp import aws_signer, http_sink

    assert output.aws is not None, "checked when loaded"
    http = http_sink(
        output,
        "/",
        edges,
        headers={"content-type": "application/x-ndjson"},
        sign=aws_signer(output.aws, "s3"),
        method="PUT",
    )
    speaks = codec(output)
    return ObjectSink(
        http, speaks.key, lambda request, reply: speaks.judge(request, reply).delivered > 0
    )
