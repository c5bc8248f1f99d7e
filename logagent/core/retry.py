"""When to try again, and how many requests at once.

Knows numbers of attempts and outcomes. Must not sleep, and gets its randomness as an argument.
"""

from typing import Final

BASE_S: Final = 0.1
SLOW_S: Final = 5.0
"""First step of the back-off when only a person can help: wrong credentials, closed index."""


def backoff_s(attempt: int, cap_s: float, jitter: float, *, slow: bool = False) -> float:
    """Seconds to wait before attempt `attempt` (1 = the first repetition).

    Full jitter: `jitter` in [0, 1) is drawn by the caller. Never below a twentieth of the step, so
    that a lucky draw isn't a busy loop.
    """
    base = SLOW_S if slow else BASE_S
    step = min(max(cap_s, base), base * 2.0 ** min(attempt - 1, 30))
    return step * max(jitter, 0.05)


class Concurrency:
    """How many requests may be in flight: one more after each full round of successes, half after
    a sign of overload (429, 503, time-out)."""

    def __init__(self, limit_max: int) -> None:
        self._max = limit_max
        self._limit = float(limit_max)

    @property
    def limit(self) -> int:
        """The present limit, at least 1."""
        return max(1, int(self._limit))

    def succeeded(self) -> None:
        """A request was taken."""
        self._limit = min(float(self._max), self._limit + 1.0 / max(1.0, self._limit))

    def congested(self) -> None:
        """A request was refused for load, or its reply didn't come."""
        self._limit = max(1.0, self._limit / 2.0)
