"""An asyncio loop whose waits take no time: it jumps to the next timer when nothing is ready.

For tests of what waits for minutes, and for exact counts: when a test's own sleep of a second is
over, everything that could happen within that second has happened. No threads, no sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from selectors import SelectSelector
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from selectors import SelectorKey

T = TypeVar("T")


class _Jumping(SelectSelector):
    """Where a real loop would sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Let `timeout` pass at once."""
        assert timeout is not None, "nothing is ready and no timer is set: a deadlock"
        self.now += timeout
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time; it starts at 1000."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """See asyncio."""
        return self._jumping.now


def run(coroutine: Coroutine[object, object, T]) -> T:
    """Run a coroutine on a loop of its own, in virtual time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(coroutine)
