"""How much memory each output may use.

Knows bytes. The container's limit comes as an argument.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

BASE_BYTES: Final = 27 << 20
"""The process without any batch: interpreter, loop, libraries (measured, RSS)."""
DEFAULT_BYTES: Final = 64 << 20
"""Used where no limit is set: what a sidecar may cost without being asked."""
BATCH_BYTES_MIN: Final = 256 << 10


class Wish(NamedTuple):
    """What an output asks for: raw bytes a batch, and batches in flight."""

    batch_bytes: int
    slots: int


def memory_bytes(configured: int, limit: int | None) -> int:
    """The agent's budget: as configured (> 0), else half of the container's limit, else 64 MiB."""
    if configured:
        return configured
    return limit // 2 if limit else DEFAULT_BYTES


def plan(budget: int, wishes: Sequence[Wish]) -> list[Wish]:
    """What each output gets: equal shares of what is above the base, never more than it asks for.

    A batch in flight costs at most its raw size (compressed it is less; a body that is taken apart
    for a partial retry is more, one at a time), and one more is being filled. Below two batches
    the batch shrinks first, down to 256 KiB.
    """
    if not wishes:
        return []
    share = max(0, budget - BASE_BYTES) // len(wishes)
    granted = []
    for wish in wishes:
        batch = max(BATCH_BYTES_MIN, min(wish.batch_bytes, share // 3))
        slots = max(1, min(wish.slots, share // batch - 1))
        granted.append(Wish(batch, slots))
    return granted
