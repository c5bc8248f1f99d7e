"""What all benchmarks of one step share: the agent's malloc thresholds, inputs, ns a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.corpus import chunks_of
from logagent.edge.memory import tune_malloc

tune_malloc()  # before anything large is allocated, as in the agent

ROUNDS: Final = 30
"""Each treats 16 chunks once: some milliseconds, so that a timer's own 0.3 µs don't count."""
WARM_UP: Final = 3

Measure = Callable[[Callable[[bytes], object], Sequence[bytes], int], None]
"""Measures a call over chunks that have so many lines in all."""


@pytest.fixture
def measure(benchmark: BenchmarkFixture) -> Measure:
    """Measure a call, and note what it costs a line: the least of the rounds, and the median."""

    def run(call: Callable[[bytes], object], chunks: Sequence[bytes], lines: int) -> None:
        def treat_all() -> None:
            for chunk in chunks:
                call(chunk)

        benchmark.pedantic(  # type: ignore[no-untyped-call]  # the plugin's own has no types
            treat_all, rounds=ROUNDS, iterations=1, warmup_rounds=WARM_UP
        )
        if benchmark.stats is None:  # --benchmark-disable: each is called once, as a test
            return
        stats = benchmark.stats.stats
        benchmark.extra_info["lines"] = lines
        benchmark.extra_info["ns_per_line"] = round(stats.min / lines * 1e9, 1)
        benchmark.extra_info["ns_per_line_median"] = round(stats.median / lines * 1e9, 1)

    return run


def count_lines(chunks: Sequence[bytes]) -> int:
    """Lines in all."""
    return sum(chunk.count(b"\n") for chunk in chunks)


@pytest.fixture(scope="session")
def json_chunks() -> list[bytes]:
    """16 chunks of JSON lines, 223 B each."""
    return chunks_of("json")


@pytest.fixture(scope="session")
def time_chunks() -> list[bytes]:
    """The same lines, with `time` for `@timestamp`."""
    return chunks_of("time")


@pytest.fixture(scope="session")
def text_chunks() -> list[bytes]:
    """16 chunks of nginx's access log, 206 B a line."""
    return chunks_of("text")


@pytest.fixture(scope="session")
def short_chunks() -> list[bytes]:
    """4 chunks of lines of 8 bytes: where costs a line show, not costs a byte."""
    data = [b"%07d\n" % number for number in range(4 * 32 * 1024)]
    return [b"".join(data[at : at + 32 * 1024]) for at in range(0, len(data), 32 * 1024)]
