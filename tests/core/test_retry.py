"""Back-off and concurrency."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logagent.core.retry import BASE_S, SLOW_S, Concurrency, backoff_s

JITTER = st.floats(0, 1, exclude_max=True)


@given(attempt=st.integers(1, 10_000), cap_s=st.floats(0.1, 600), jitter=JITTER, slow=st.booleans())
def test_a_pause_has_bounds(attempt: int, cap_s: float, jitter: float, *, slow: bool) -> None:
    """Never above the cap (or the first step, when that is more), never a busy loop."""
    base = SLOW_S if slow else BASE_S
    pause = backoff_s(attempt, cap_s, jitter, slow=slow)
    assert base * 0.05 <= pause <= max(cap_s, base)


@given(st.integers(1, 100), st.floats(0.1, 600), JITTER)
def test_pauses_grow_until_the_cap(attempt: int, cap_s: float, jitter: float) -> None:
    """With the same draw the next pause is double, up to the cap."""
    this = backoff_s(attempt, cap_s, jitter)
    following = backoff_s(attempt + 1, cap_s, jitter)
    assert this <= following <= this * 2
    full = max(jitter, 0.05)
    if following < cap_s * full * 0.99:
        assert following == this * 2


def test_the_steps() -> None:
    """The first repetition waits a tenth of a second at most, a slow one five; draws scale it."""
    assert backoff_s(1, 30, 0.5) == 0.05
    assert backoff_s(2, 30, 0.5) == 0.1
    assert backoff_s(4, 30, 0.5) == 0.4
    assert backoff_s(50, 30, 0.5) == 15
    assert backoff_s(1, 30, 0.5, slow=True) == 2.5
    assert backoff_s(1, 1, 0.5, slow=True) == 2.5


def test_concurrency_halves_and_comes_back_by_rounds() -> None:
    """Congestion halves the limit, a full round of successes adds one, the maximum is never
    passed."""
    limit = Concurrency(8)
    assert limit.limit == 8
    limit.congested()
    assert limit.limit == 4
    for _ in range(5):  # four, and one for what rounding leaves
        limit.succeeded()
    assert limit.limit == 5
    for _ in range(100):
        limit.succeeded()
    assert limit.limit == 8


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 16))
def test_the_limit_stays_in_its_bounds(outcomes: list[bool], most: int) -> None:
    """Whatever happens, at least one request may be in flight, and at most the slots."""
    limit = Concurrency(most)
    for success in outcomes:
        limit.succeeded() if success else limit.congested()
        assert 1 <= limit.limit <= most
