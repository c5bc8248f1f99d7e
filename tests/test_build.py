"""What the memory is divided into, given the outputs that are configured."""

from __future__ import annotations

from logagent.build import LIBRARY_BYTES, budget
from logagent.config import Config, Input, Kafka, Output, Stdout
from logagent.core.budget import BASE_BYTES

INPUTS = {"app": Input(paths=("/var/log/app/*.log",))}
MEMORY = BASE_BYTES + (30 << 20)


def granted(**outputs: Output) -> int:
    """The size of a batch of the output `out`."""
    return budget(Config(inputs=INPUTS, outputs=outputs), MEMORY)["out"].batch_bytes


def test_libraries_count_once() -> None:
    """What Kafka's library takes isn't there for batches, however many outputs use it."""
    wish = 64 << 20
    kafka = Kafka(bootstrap_servers=("kafka:9092",), topic="a", batch_bytes=wish)
    out = Stdout(batch_bytes=wish)
    library = LIBRARY_BYTES["kafka"]
    assert granted(out=out) == (30 << 20) // 3
    assert granted(out=kafka) == ((30 << 20) - library) // 3
    assert granted(out=out, bus=kafka, bus2=kafka) == ((30 << 20) - library) // 3 // 3
