"""Whose turn it is: items that are ready, in turn, and items that wait for their next poll.

Knows times. Must not know what an item is. One file with a backlog must not make each of a
thousand quiet ones be polled once per chunk: quiet ones stand in a heap until they are due.
"""

from collections import deque
from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A round-robin of ready items and a heap of waiting ones. Times are the caller's."""

    def __init__(self) -> None:
        self._ready: deque[T] = deque()
        self._waiting: list[tuple[float, int, T]] = []
        self._count = 0

    def add(self, item: T) -> None:
        """A new item, ready at once."""
        self._ready.append(item)

    def first(self, now: float) -> T | None:
        """The item whose turn it is, after those that are due have joined; None if none is."""
        while self._waiting and self._waiting[0][0] <= now:
            self._ready.append(heappop(self._waiting)[2])
        return self._ready[0] if self._ready else None

    def rotate(self) -> None:
        """The first item had its turn and stays ready."""
        self._ready.rotate(-1)

    def drop(self) -> None:
        """The first item is gone."""
        self._ready.popleft()

    def wait(self, until: float) -> None:
        """The first item waits."""
        self._count += 1
        heappush(self._waiting, (until, self._count, self._ready.popleft()))

    def due_at(self) -> float:
        """When the next waiting item is due; infinity without one."""
        return self._waiting[0][0] if self._waiting else float("inf")

    def wake(self) -> None:
        """All waiting items are ready now."""
        while self._waiting:
            self._ready.append(heappop(self._waiting)[2])


def tick_after(now: float, step_s: float) -> float:
    """The next multiple of `step_s`: what waits equally long is due in one waking-up, a thousand
    quiet files as well as one."""
    tick = (now // step_s + 1.0) * step_s
    return tick if tick > now else tick + step_s  # `now` can be a multiple that was rounded down
