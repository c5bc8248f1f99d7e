"""Whose turn it is."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from logagent.core.turns import Turns, tick_after


def test_ready_items_take_turns() -> None:
    """Each ready item comes once before any comes twice, in the order of joining."""
    turns: Turns[str] = Turns()
    for item in "abc":
        turns.add(item)
    seen = []
    for _ in range(6):
        seen.append(turns.first(0.0))
        turns.rotate()
    assert seen == ["a", "b", "c", "a", "b", "c"]


def test_the_first_item_stays_until_it_is_moved() -> None:
    """Asking doesn't take the turn away; dropping does."""
    turns: Turns[str] = Turns()
    turns.add("a")
    turns.add("b")
    assert turns.first(0.0) == turns.first(0.0) == "a"
    turns.drop()
    assert turns.first(0.0) == "b"
    turns.drop()
    assert turns.first(0.0) is None


def test_a_waiting_item_comes_when_it_is_due() -> None:
    """Not before its time, at its time, and behind those that are ready."""
    turns: Turns[str] = Turns()
    turns.add("a")
    turns.first(0.0)
    turns.wait(5.0)
    assert turns.due_at() == 5.0
    assert turns.first(4.9) is None
    turns.add("b")
    assert turns.first(5.0) == "b"
    turns.rotate()
    assert turns.first(5.0) == "a"
    assert turns.due_at() == float("inf")


def test_waking_makes_all_ready_in_their_order() -> None:
    """All who wait become ready, the one that was due first in front."""
    turns: Turns[str] = Turns()
    for item, until in (("a", 9.0), ("b", 3.0), ("c", 3.0)):
        turns.add(item)
        turns.first(0.0)
        turns.wait(until)
    turns.wake()
    order = []
    while (woken := turns.first(0.0)) is not None:
        order.append(woken)
        turns.drop()
    assert order == ["b", "c", "a"]


def test_a_busy_item_does_not_starve_a_waiting_one() -> None:
    """One with a backlog keeps its turn only until another is due."""
    turns: Turns[str] = Turns()
    turns.add("quiet")
    turns.first(0.0)
    turns.wait(1.0)
    turns.add("busy")
    assert turns.first(0.5) == "busy"
    turns.rotate()
    assert turns.first(1.0) == "busy"
    turns.rotate()
    assert turns.first(1.0) == "quiet"


@given(st.lists(st.integers(0, 6), min_size=1, max_size=80), st.integers(1, 5))
def test_nobody_is_lost_and_nobody_overtakes_by_two(steps: list[int], items: int) -> None:
    """With waiting times of any length nobody is lost, and among those that are always ready no
    one has two turns more than another."""
    turns: Turns[int] = Turns()
    for item in range(items):
        turns.add(item)
    turn_counts: Counter[int] = Counter(dict.fromkeys(range(items), 0))
    always = set(range(items))
    for now, step in enumerate(steps):
        first = turns.first(float(now))
        if first is None:
            continue
        if step < 4:
            turn_counts[first] += 1
            turns.rotate()
        else:
            always.discard(first)
            turns.wait(now + float(step))
        counts = [turn_counts[item] for item in always]
        assert not counts or max(counts) - min(counts) <= 1
    turns.wake()
    left = set()
    while (item_left := turns.first(0.0)) is not None:
        left.add(item_left)
        turns.drop()
    assert left == set(range(items))


@given(st.floats(0, 1e9), st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_a_tick_is_the_next_one(now: float, step_s: float) -> None:
    """Later than now and at most a step away; whoever asks within the same step gets the same."""
    tick = tick_after(now, step_s)
    assert now < tick <= now + step_s * 1.001
    assert tick_after((now + tick) / 2, step_s) in {tick, tick_after(tick, step_s)}
    assert abs(tick / step_s - round(tick / step_s)) < 1e-6 * max(1.0, tick / step_s)


def test_ticks_of_many_are_one() -> None:
    """Items that wait from different moments of a step on are due together."""
    assert {tick_after(now, 0.5) for now in (10.0, 10.1, 10.49)} == {10.5}
    assert tick_after(10.5, 0.5) == 11.0
    assert tick_after(0.1 * 3, 0.1) > 0.1 * 3  # 3 × 0.1 // 0.1 is 2
