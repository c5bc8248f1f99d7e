"""One input as an output reads it: its tail, and how its chunks become rows.

Knows what a renderer promises. Must not know when a chunk is read or what becomes of its rows.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from logagent.core.chunk import Chunk, Mark, Origin, Rows
from logagent.follower import Follower
from logagent.ports import Clock
from logagent.tail import Tail

_NOTHING: Final = Rows(b"", 0)


class Renderer(Protocol):
    """What a pump needs of render.program.Renderer."""

    def render(self, data: bytes, start: int, now: float, mark: Mark = "") -> Rows | None:
        """The rows of whole events, or None when they would be too many."""


class Bound(NamedTuple):
    """What a generation is rendered with, and what its rows are known by."""

    renderer: Renderer
    origin: Origin


Bind = Callable[[bytes, int], Bound]
"""Makes them for a generation, from its file's path and its id."""


class Source(NamedTuple):
    """One input of the output: its tail, and how a generation's renderer is made."""

    tail: Tail
    bind: Bind


def render_fitting(
    renderer: Renderer, follower: Follower, chunk: Chunk, clock: Clock
) -> tuple[Chunk, Rows]:
    """The rows of a chunk, or of so much of it that they fit a batch."""
    if not chunk.data:
        return chunk, _NOTHING
    while True:
        rows = renderer.render(chunk.data, chunk.start, clock(), chunk.mark)
        if rows is not None:
            return chunk, rows
        chunk = follower.shorten(chunk)
