"""The open batch: what is in it, when it is full, when it is due; and whose rows are whose.

Knows bytes, rows and ages; the bytes themselves are in the packer that it is given. Must not know
what a row looks like.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from logagent.core.chunk import Batch, Origin, Packer, Rows, Share


class OpenBatch:
    """Rows on their way into one request. Ages are in the caller's time (seconds, any origin)."""

    def __init__(self, packer: Packer, bytes_max: int, linger_s: float) -> None:
        self._packer = packer
        self._bytes_max = bytes_max
        self._linger_s = linger_s
        self._shares: list[Share] = []
        self.rows = 0
        self.due_at = float("inf")
        """When the batch must be closed at the latest: `linger_s` after its first row."""

    def fits(self, rows: Rows) -> bool:
        """Whether `rows` can be added. An empty batch takes anything: a chunk is never split."""
        return not self.rows or self._packer.raw_bytes + len(rows.wire) <= self._bytes_max

    def add(self, key: int, rows: Rows, origin: Origin, *, now: float) -> None:
        """Append the rows of ticket `key`."""
        if not self.rows:
            self.due_at = now + self._linger_s
        self._packer.add(rows.wire, origin)
        self._shares.append(Share(key, rows.count, origin))
        self.rows += rows.count

    @property
    def full(self) -> bool:
        """Whether the batch has reached its size."""
        return self._packer.raw_bytes >= self._bytes_max

    def close(self) -> Batch:
        """End the batch. The open batch is used up."""
        return Batch(self._packer.close(self.rows), tuple(self._shares))


def spread(shares: Sequence[Share], rows: Iterable[int]) -> list[int]:
    """How many of the given row indices fall into each share."""
    ends = list(accumulate(share.rows for share in shares))
    counts = [0] * len(shares)
    for row in rows:
        counts[bisect_right(ends, row)] += 1
    return counts


def pick(shares: Sequence[Share], rows: Iterable[int]) -> tuple[Share, ...]:
    """The shares of a batch that holds only the given rows of this one."""
    counts = spread(shares, rows)
    return tuple(
        Share(share.key, count, share.origin)
        for share, count in zip(shares, counts, strict=True)
        if count
    )
