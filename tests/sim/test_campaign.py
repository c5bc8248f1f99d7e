"""The campaign: many seeds, each a run of the whole agent in a world of faults.

When a seed fails, the message has the command that runs it alone and prints its events.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.sim.conftest import GROUP
from tests.sim.marks import MARKS, SEEDS_MIN, missing_marks
from tests.sim.run import run_seed
from tests.sim.world import LINES_MIN

ROOT: Final = Path(__file__).resolve().parents[2]
REPLAYED: Final = (1, 7, 23)


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test run see."""
    base = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    folder = base / "sim-marks"
    folder.mkdir(exist_ok=True)
    return folder


def check_marks(folder: Path, total: int) -> None:
    """When the last group is done: each fault occurred in enough of the seeds."""
    files = sorted(folder.glob("*.json"))
    if total < SEEDS_MIN or len(files) < -(-total // GROUP):
        return
    counts: Counter[str] = Counter()
    for file in files:
        counts.update(json.loads(file.read_text()))
    rare = missing_marks(counts, total)
    assert not rare, "these faults fired in too few seeds: " + ", ".join(
        f"{mark} ({MARKS[mark]}): {share:.1%}" for mark, share in rare.items()
    )


@pytest.mark.slow
def test_seeds_hold(seeds: range, total: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """In each seed every invariant holds, enough lines move, and no fault of the list is idle."""
    marks: Counter[str] = Counter()
    failures: list[str] = []
    for seed in seeds:
        result = run_seed(seed)
        marks.update(result.marks)
        if not result.failure and result.moved < LINES_MIN:
            failures.append(f"seed {seed}: only {result.moved} lines moved")
        if result.failure:
            failures.append(f"{result.failure}\n  to see it: {result.command}")
    folder = shared_folder(tmp_path_factory)
    part = folder / f"{seeds.start}.part"
    part.write_text(json.dumps(marks))
    part.rename(folder / f"{seeds.start}.json")
    assert not failures, "\n".join(failures)
    check_marks(folder, total)


@pytest.mark.parametrize("seed", REPLAYED)
def test_a_seed_is_a_run(seed: int) -> None:
    """The same seed gives the same events, to the byte."""
    assert run_seed(seed).trace == run_seed(seed).trace


@pytest.mark.slow
def test_a_seed_is_a_run_in_any_process() -> None:
    """A seed's events don't depend on hashes, addresses or what ran before it."""
    code = "from tests.sim.run import run_seed\nprint(*[run_seed(s).digest for s in range(10)])"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert outputs == {" ".join(run_seed(seed).digest for seed in range(10)) + "\n"}


def test_an_idle_fault_is_reported() -> None:
    """The campaign's own check notices a fault that fires too seldom."""
    counts = dict.fromkeys(MARKS, 50)
    assert missing_marks(counts, 500) == {}
    assert missing_marks({**counts, "rename": 49}, 500) == {"rename": 0.098}


def test_a_fault_of_one_kind_of_output_is_counted_there() -> None:
    """What only Kafka does is compared with the seeds that have a Kafka."""
    counts = {**dict.fromkeys(MARKS, 100), "output_kafka": 50, "kafka_late": 5}
    assert missing_marks(counts, 500) == {}
    assert missing_marks({**counts, "kafka_late": 4}, 500) == {"kafka_late": 0.08}
