"""An output's two ends in the simulator: its codec, and a sink with a model of a server behind it.

What knows most is real: Kafka's sink with its producer and aiokafka's connections over a model of
the wire, the poller of HEC's acknowledgements over a model of the exchange. For the others the sink
is the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logagent.codecs.kafka import KafkaCodec
from logagent.codecs.splunk import SplunkCodec
from logagent.config.outputs import Output
from logagent.core.chunk import Codec
from logagent.ends import codec_of
from logagent.ports import Sink
from tests.sim.hec import HecModel
from tests.sim.kafka import KafkaModel
from tests.sim.outputs import OutputPlan
from tests.sim.sinks import ModelSink

if TYPE_CHECKING:
    from tests.sim.world import World

AnyModel = ModelSink | KafkaModel | HecModel


def model_of(world: World, plan: OutputPlan) -> AnyModel:
    """The server of an output, which outlives processes."""
    match plan.kind:
        case "kafka":
            return KafkaModel(world, plan)
        case "splunk_hec":
            return HecModel(world, plan)
        case "elasticsearch" | "file":
            return ModelSink(world, plan)


def ends_of(world: World, output: Output, plan: OutputPlan) -> tuple[Codec, Sink]:
    """Codec and sink of one process."""
    codec, model = codec_of(output), world.sinks[plan.name]
    world.mark(f"output_{plan.kind}")
    if isinstance(model, KafkaModel):
        assert isinstance(codec, KafkaCodec)
        tools = codec._plan.tools  # the only clock that isn't handed in
        codec._plan.tools = tools._replace(now_ns=lambda: int(world.wall() * 1e9))
        return codec, model.sink(codec)
    if isinstance(model, HecModel):
        assert isinstance(codec, SplunkCodec)
        return codec, model.sink(codec)
    return codec, model
