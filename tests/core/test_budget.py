"""How memory is shared out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logagent.core.budget import BASE_BYTES, BATCH_BYTES_MIN, Wish, memory_bytes, plan

MIB = 1 << 20


def test_the_budget_is_configured_or_half_the_limit() -> None:
    """A configured number wins, then half of the container's limit, then 64 MiB."""
    assert memory_bytes(100, 200) == 100
    assert memory_bytes(0, 200 * MIB) == 100 * MIB
    assert memory_bytes(0, None) == 64 * MIB


def test_enough_memory_grants_every_wish() -> None:
    """With much memory each output gets exactly what it asks for."""
    wishes = [Wish(4 * MIB, 2), Wish(MIB, 8)]
    assert plan(1024 * MIB, wishes) == wishes
    assert plan(MIB, []) == []


def test_the_batch_shrinks_before_the_slots() -> None:
    """Below two batches in flight the batch gets smaller; the number of slots stays two."""
    assert plan(BASE_BYTES + 6 * MIB, [Wish(4 * MIB, 2)]) == [Wish(2 * MIB, 2)]
    assert plan(BASE_BYTES + 13 * MIB, [Wish(4 * MIB, 4)]) == [Wish(4 * MIB, 2)]


def test_next_to_nothing_still_works() -> None:
    """A budget below the base leaves one small batch in flight."""
    assert plan(0, [Wish(4 * MIB, 2)]) == [Wish(BATCH_BYTES_MIN, 1)]


@given(
    st.integers(0, 1024 * MIB),
    st.lists(
        st.builds(Wish, st.integers(BATCH_BYTES_MIN, 64 * MIB), st.integers(1, 16)), max_size=5
    ),
)
def test_the_budget_holds(budget: int, wishes: list[Wish]) -> None:
    """What is granted is at most what was asked for, and, with one more batch being filled, fits
    the budget, unless that is below one smallest batch for each."""
    granted = plan(budget, wishes)
    assert len(granted) == len(wishes)
    for wish, grant in zip(wishes, granted, strict=True):
        assert BATCH_BYTES_MIN <= grant.batch_bytes <= wish.batch_bytes
        assert 1 <= grant.slots <= wish.slots
    cost = sum(grant.batch_bytes * (grant.slots + 1) for grant in granted)
    assert cost <= max(budget - BASE_BYTES, 2 * BATCH_BYTES_MIN * len(wishes))
