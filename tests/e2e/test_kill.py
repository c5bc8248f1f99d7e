"""The kill loop, short: what `make kill` plays with forty kills."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.e2e.kill_account import Kill, Result
from tests.e2e.kill_loop import Options, play

KILLS = 12
GOOD = Result(
    kills=[Kill("random", sending=True, committing=True, rotating=True)],
    deleted_unread=1,
    seconds=10.0,
    written=60_000,
)


def test_kills_lose_and_double_nothing_with_ids(tmp_path: Path) -> None:
    """SIGKILL under load, also between send and settle, within a commit and within a rotation:
    each line arrives, and once."""
    result = play(Options(kills=KILLS, seed=2), tmp_path)
    print("\n".join(result.lines()))
    assert len(result.kills) == KILLS
    assert not result.faults(ids=True)
    assert result.refused_copies  # else no id was ever needed


def test_kills_lose_nothing_without_ids(tmp_path: Path) -> None:
    """Without ids each line arrives as well; that some come twice shows that the kills hurt, and
    that the count sees it."""
    result = play(Options(kills=4, seed=3, ids=False), tmp_path)
    print("\n".join(result.lines()))
    assert not result.faults(ids=False)
    assert result.doubled


def test_the_account_says_what_is_wrong() -> None:
    """Each thing that must be shown is a fault of its own when it isn't."""
    assert not GOOD.faults(ids=True)
    bad = Result(lost=1, doubled=2, seconds=10.0, own_faults=1)
    assert len(bad.faults(ids=True)) == 8
    assert replace(GOOD, doubled=1).faults(ids=True) == ["lines are doubled"]
    assert not replace(GOOD, doubled=1).faults(ids=False)
