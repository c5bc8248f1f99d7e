"""What one seed's outputs and their servers are like: kinds, sizes, rates of faults.

Swarm-style: see `plan.py`, which asks here. Rates are chances per request, but for those named
item_* (per row) and `unrest`, which counts events of a cluster in a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

Kind = Literal["elasticsearch", "file", "kafka", "splunk_hec"]
OnReject = Literal["wrap", "dead_letter", "drop", "block"]
Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]
KINDS: Final[tuple[tuple[Kind, int], ...]] = (
    ("elasticsearch", 55), ("file", 9), ("kafka", 18), ("splunk_hec", 18),
)  # fmt: skip
NO_LIMIT: Final = 1 << 30


@dataclass(frozen=True)
class KafkaPlan:
    """A cluster, and how the agent sends to it."""

    brokers: int
    partitions: int
    keyed: bool
    """Whether a file's rows stay in one partition."""
    compression: Compression
    message_bytes: int
    """Largest batch that the agent makes; what the brokers take is `OutputPlan.limit_bytes`."""
    timeout_s: float
    sequences_max: int
    unrest: float
    """How often a second something happens to brokers, leaders or the topic."""


@dataclass(frozen=True)
class HecPlan:
    """Collectors, and how the agent waits for their acknowledgements."""

    hosts: int
    has_acks: bool
    """Whether the token has indexer acknowledgement."""
    poll_s: float
    timeout_s: float


@dataclass(frozen=True)
class OutputPlan:
    """One output and its sink."""

    name: str
    kind: Kind
    ids: bool
    gzip: bool
    on_reject: OnReject
    batch_bytes: int
    slots: int
    linger_s: float
    retry_max_s: float
    latency_s: float
    rates: dict[str, float]
    """Chance of each fault."""
    limit_bytes: int
    """Largest body that the sink takes."""
    poison_every: int
    """Each so many-th line is rejected for its content (0 = none); half of them wrapped, too."""
    outages: tuple[tuple[float, float, str], ...]
    """From, to, and how: refused, busy, silent."""
    kafka: KafkaPlan | None = None
    hec: HecPlan | None = None


class Dice:
    """Draws rates: off in half of the seeds, else log-uniform."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def rate(self, low: float, high: float, *, on: float = 0.5) -> float:
        """0, or something between low and high."""
        if self.rng.random() >= on:
            return 0.0
        return low * math.exp(math.log(high / low) * self.rng.random())

    def size(self, low: int, high: int) -> int:
        """A size between low and high, small ones more often."""
        return int(low * (high / low) ** self.rng.random())


def draw_output(dice: Dice, name: str, *, chunk: int, only: Kind | None) -> OutputPlan:
    """Draw one output. chunk: bytes of a chunk, below which no batch can be. only: its kind."""
    rng = dice.rng
    kind = only or rng.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0]
    remote = kind != "file"
    batch = max(chunk, dice.size(1000, 40_000))
    linger_s = rng.choice([0.0, *[0.1, 0.2, 0.5, 1.0] * 3])
    hec = _hec(dice) if kind == "splunk_hec" else None
    if hec is not None:  # a batch takes an interval of polling at least
        batch, linger_s = max(batch, int(40_000 * hec.poll_s)), max(linger_s, hec.poll_s)
    outages = []
    if rng.random() < 0.5:
        start = rng.uniform(0, 10)
        how = rng.choice(["refused", "busy", "silent"]) if remote else "refused"
        outages.append((start, start + rng.uniform(1, 12), how))
    rejects: list[OnReject] = ["dead_letter", "drop", "block"]
    if kind == "elasticsearch":
        rejects = ["wrap", "wrap", *rejects]
    return OutputPlan(
        name=name,
        kind=kind,
        ids=kind in {"kafka", "splunk_hec"} or (remote and rng.random() < 0.6),
        gzip=kind in {"elasticsearch", "splunk_hec"} and rng.random() < 0.7,
        on_reject=rng.choice(rejects),
        batch_bytes=batch,
        slots=rng.choice([1, 1, 2] if kind == "kafka" else [1, 2, 4]) if remote else 1,
        linger_s=linger_s,
        retry_max_s=rng.choice([0.5, 2.0, 8.0]),
        latency_s=rng.choice([0.001, 0.02, 0.2]),
        rates=_RATES[kind](dice),
        limit_bytes=_limit(dice, kind),
        poison_every=rng.choice([0, 7, 20, 40]) if remote else 0,
        outages=tuple(outages),
        kafka=_kafka(dice) if kind == "kafka" else None,
        hec=hec,
    )


def _limit(dice: Dice, kind: Kind) -> int:
    if kind == "file" or dice.rng.random() < 0.5:
        return NO_LIMIT
    return dice.size(800, 8_000) if kind == "kafka" else dice.size(1200, 16_000)


def _file_rates(dice: Dice) -> dict[str, float]:
    return {
        "refused": dice.rate(0.01, 0.2),
        "reset": dice.rate(0.01, 0.2),
        "lost_reply": dice.rate(0.02, 0.2, on=0.6),
        "late_apply": dice.rate(0.01, 0.15, on=0.4),
        "slow": dice.rate(0.01, 0.2, on=0.4),
    }


def _elastic_rates(dice: Dice) -> dict[str, float]:
    return _file_rates(dice) | {
        "http_429": dice.rate(0.02, 0.2),
        "http_503": dice.rate(0.02, 0.2),
        "http_401": dice.rate(0.02, 0.1, on=0.4),
        "unparsable": dice.rate(0.02, 0.2),
        "short_reply": dice.rate(0.02, 0.2),
        "partial_apply": dice.rate(0.02, 0.2),
        "item_429": dice.rate(0.002, 0.2, on=0.6),
    }


def _kafka_rates(dice: Dice) -> dict[str, float]:
    return {
        "refused": dice.rate(0.01, 0.2),
        "cut_before": dice.rate(0.01, 0.15, on=0.6),
        "cut_after": dice.rate(0.02, 0.2, on=0.6),
        "late": dice.rate(0.02, 0.2, on=0.6),
        "late_reply": dice.rate(0.01, 0.1),
        "too_few": dice.rate(0.02, 0.2),
        "after_append": dice.rate(0.02, 0.2, on=0.6),
        "timed_out": dice.rate(0.02, 0.2, on=0.6),
        "odd_code": dice.rate(0.01, 0.1),
        "no_id": dice.rate(0.05, 0.4),
        "stale_view": dice.rate(0.1, 0.6, on=0.7),
    }


def _kafka(dice: Dice) -> KafkaPlan:
    rng = dice.rng
    compressions: list[Compression] = ["none", "none", "gzip", "snappy", "lz4", "zstd"]
    return KafkaPlan(
        brokers=rng.choice([1, 3]),
        partitions=rng.choice([1, 2, 3]),
        keyed=rng.random() < 0.7,
        compression=rng.choice(compressions),
        message_bytes=rng.choice([dice.size(1_000, 10_000), 1_000_000]),
        timeout_s=rng.choice([1.0, 2.0, 4.0]),
        sequences_max=rng.choice([1 << 30, 1 << 30, dice.size(50, 2000)]),
        unrest=dice.rate(0.1, 1.0, on=0.8),
    )


def _hec_rates(dice: Dice) -> dict[str, float]:
    return _file_rates(dice) | {
        "busy": dice.rate(0.02, 0.2),
        "proxy": dice.rate(0.02, 0.2, on=0.3),
        "token": dice.rate(0.01, 0.1),
        "ack_late": dice.rate(0.02, 0.3, on=0.6),
        "ack_mute": dice.rate(0.02, 0.2, on=0.6),
        "ack_lost": dice.rate(0.02, 0.2, on=0.7),
        "poll_refused": dice.rate(0.02, 0.3),
        "poll_lost": dice.rate(0.02, 0.3, on=0.6),
        "restart": dice.rate(0.005, 0.05),
    }


def _hec(dice: Dice) -> HecPlan:
    rng = dice.rng
    return HecPlan(
        hosts=rng.choice([1, 2]),
        has_acks=rng.random() < 0.85,
        poll_s=rng.choice([0.02, 0.1, 0.3]),
        timeout_s=rng.choice([1.5, 3.0, 6.0]),
    )


_RATES: Final = {
    "elasticsearch": _elastic_rates,
    "file": _file_rates,
    "kafka": _kafka_rates,
    "splunk_hec": _hec_rates,
}
