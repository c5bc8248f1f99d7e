"""What is real in the agent and modelled in the simulator: clocks, files, sinks, as one argument.

Knows the seams' types. Must not know what is behind them.
"""

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from msgspec import Struct

from logagent.commits import Offload
from logagent.core.chunk import Codec
from logagent.core.metrics import Registry
from logagent.ports import Clock, Fs, Journal, Log, Sink


class Edges(NamedTuple):
    """What is real in the agent and modelled in the simulator."""

    fs: Fs
    offload: Offload
    clock: Clock
    random: Random
    env: Mapping[str, str]
    log: Log
    metrics: Registry


class Ends(Struct, frozen=True):
    """An output's own ends: where requests and dead letters go."""

    codec: Codec
    sink: Sink
    dead_letters: Journal
