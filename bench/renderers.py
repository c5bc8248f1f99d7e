"""Renderers as an agent has them: pod metadata, two fields of the user, Elasticsearch's frame.

Shared by the benchmarks of one step and by the instruction gate, which also runs it on an older
package: so it keeps to few names of the package, and imports nothing else of bench.
"""

from __future__ import annotations

from typing import Final

from logagent.codecs.elastic import ElasticCodec, Target
from logagent.core.chunk import Frame
from logagent.render.metadata import build
from logagent.render.program import Renderer, Spec, compile_program

NOW: Final = 1_790_000_123.456
"""The reading time of every chunk."""
GENERATION: Final = 0x1234_5678_9ABC_DEF0
BATCH_BYTES: Final = 4 << 20
FACTS: Final = {
    "POD_NAME": "checkout-6d4cf56db6-x7k2p",
    "POD_NAMESPACE": "shop",
    "POD_UID": "5f0c2a4e-7a86-4ab1-9e1c-0a51d4f0b7a3",
    "POD_IP": "10.42.7.19",
    "NODE_NAME": "worker-3",
}
FIELDS: Final = {"team": "payments", "service.version": "1.4.2"}


def codec(*, ids: bool = False) -> ElasticCodec:
    """A codec for a data stream, with gzip."""
    return ElasticCodec(Target("logs-checkout-prod"), ids=ids, gzip=True)


def frame(speaks: ElasticCodec) -> Frame:
    """What a codec puts around documents. In an older package it is no function of the origin."""
    found: object = speaks.frame
    if isinstance(found, Frame):
        return found
    from logagent.core.chunk import Origin

    return speaks.frame(Origin("app", "/var/log/app/app.log", GENERATION, {}))


def renderer(spec: Spec, frame: Frame) -> Renderer:
    """A renderer for one file."""
    metadata = build("ecs", FACTS, FIELDS, container="app", path=b"/var/log/app/app.log")
    return compile_program(spec).bind(metadata, frame, GENERATION)
