"""What one seed comes to: sizes, rates of faults, deaths. Everything else asks the same generator.

Swarm-style: each fault is off in about half of the seeds and has a rate of its own in the others,
so that no fault hides behind another. Sizes are small on purpose: what happens once a day with
real sizes happens all the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from tests.sim.outputs import Dice, Kind, OutputPlan, draw_output

End = Literal["step", "time", "send", "commit", "rotation", "letter", "stop", "short_stop"]
"""How a process ends: killed at a step, a time, in a send, a commit, a rotation or while it writes
a dead letter; or stopped, with enough time or with too little."""

Format = Literal["auto", "text", "json"]


@dataclass(frozen=True)
class Ending:
    """How one process ends: `at` is a number of steps, calls or rotations, `after_s` the latest
    time; `down_s` passes until the next process starts."""

    how: End
    at: int
    after_s: float
    grace_s: float
    down_s: float


@dataclass(frozen=True)
class Plan:
    """One seed."""

    seed: int
    format: Format
    lines: int
    writers: int
    keep: int
    line_bytes: int
    fixed_length: bool
    cadence_s: float
    actions: dict[str, float]
    """Relative weights of what a writer does besides writing."""
    last_regrow: float
    """Chance that a writer's last deed is to rewrite its file to the very same size."""
    odd_lines: dict[str, float]
    chunk_bytes: int
    line_bytes_max: int
    rotate_wait_s: float
    poll_s: float
    scan_s: float
    commit_s: float
    narrow_glob: bool
    """Whether rotated names are outside the input's pattern."""
    scan_first: bool
    """Whether the first scan precedes the reading of the checkpoints."""
    reuse_inodes: bool
    birth_tick_ns: int
    rates: dict[str, float]
    """Chance of each fault per call of the file system."""
    shuffle: bool
    late_root_s: float
    clock_jump_s: float
    outputs: tuple[OutputPlan, ...]
    endings: tuple[Ending, ...]


ENDS: Final[tuple[tuple[End, int], ...]] = (
    ("step", 3), ("time", 1), ("send", 3), ("commit", 3), ("rotation", 4), ("letter", 1),
    ("stop", 3), ("short_stop", 2),
)  # fmt: skip


def draw(seed: int, kind: Kind | None = None) -> Plan:
    """Draw a plan. The same seed gives the same plan. kind: of all outputs."""
    rng = Random(seed)
    dice = Dice(rng)
    line_bytes = dice.size(24, 160)
    line_max = dice.size(120, 900)
    chunk = line_max + rng.choice([0, 1, *(dice.size(500, 16_000) for _ in range(6))])
    count = rng.choice([1, 1, 2])
    endings = tuple(_ending(rng) for _ in range(rng.randint(1, 5)))
    is_rotated = any(ending.how == "rotation" for ending in endings)
    writers = rng.randint(1, 4)
    return Plan(
        seed=seed,
        format=rng.choice(["auto", "text", "json"]),
        lines=rng.randint(1000, 1500),
        writers=writers,
        keep=rng.randint(0, 3),
        line_bytes=min(line_bytes, (line_max - 70) // 2),  # JSON adds 60 bytes at most
        fixed_length=rng.random() < 0.3,
        cadence_s=rng.uniform(0.1, 0.6),
        actions=_actions(dice, is_rotated=is_rotated),
        last_regrow=rng.choice([0.0, 0.7]),
        odd_lines=_odd_lines(dice),
        chunk_bytes=chunk,
        line_bytes_max=line_max,
        rotate_wait_s=rng.choice([0.5, 0.5, 2.0, 5.0]),
        poll_s=rng.choice([0.05, 0.1, 0.3]),
        scan_s=rng.choice([0.3, 1.0]),
        commit_s=rng.choice([0.2, 1.0]),
        narrow_glob=rng.random() < 0.5,
        scan_first=rng.random() < 0.5,
        reuse_inodes=rng.random() < 0.5,
        birth_tick_ns=rng.choice([1, 1, 4_000_000, 0]),
        rates=_fs_rates(dice),
        shuffle=rng.random() < 0.5,
        late_root_s=rng.choice([0.0, 0.0, 0.0, 2.0]),
        clock_jump_s=rng.choice([0.0, 0.0, 3600.0, -3600.0]),
        outputs=tuple(draw_output(dice, f"out{i}", chunk=chunk, only=kind) for i in range(count)),
        endings=endings,
    )


def _actions(dice: Dice, *, is_rotated: bool) -> dict[str, float]:
    return {
        "rotate": dice.rate(0.1, 0.3, on=1.0) if is_rotated else dice.rate(0.02, 0.2),
        "truncate": dice.rate(0.02, 0.15),
        "delete": dice.rate(0.02, 0.1),
        "recreate": dice.rate(0.02, 0.1, on=0.4),
        "regrow": dice.rate(0.03, 0.15),
    }


def _odd_lines(dice: Dice) -> dict[str, float]:
    return {
        "partial": dice.rate(0.1, 0.7, on=0.7),
        "blank": dice.rate(0.01, 0.1, on=0.4),
        "long": dice.rate(0.005, 0.05),
        "broken": dice.rate(0.01, 0.2, on=0.4),
        "reserved": dice.rate(0.01, 0.2, on=0.4),
        "wide": dice.rate(0.01, 0.3, on=0.4),
    }


def _fs_rates(dice: Dice) -> dict[str, float]:
    return {
        "short_read": dice.rate(0.005, 0.2),
        "read_error": dice.rate(0.001, 0.05),
        "open_fault": dice.rate(0.01, 0.3),
        "stat_fault": dice.rate(0.02, 0.2),
        "walk_miss": dice.rate(0.1, 0.6),
        "probe_error": dice.rate(0.001, 0.03, on=0.3),
        "race": dice.rate(0.001, 0.03, on=0.6),
        "slot_error": dice.rate(0.05, 0.5),
        "slow_commit": dice.rate(0.1, 1.0),
        "letter_error": dice.rate(0.1, 0.6, on=0.7),
    }


def _ending(rng: Random) -> Ending:
    how = rng.choices([e for e, _ in ENDS], [w for _, w in ENDS])[0]
    at = int(2000 ** rng.random()) if how == "step" else int(12 ** rng.random())
    at = min(at, 2) if how == "rotation" else at
    return Ending(
        how,
        at=at,
        after_s=rng.uniform(0.5, 8.0),
        grace_s=rng.uniform(0.0, 2.0) if how == "short_stop" else 60.0,
        down_s=rng.choice([0.0, 0.01, rng.uniform(0.0, 4.0)]),
    )
