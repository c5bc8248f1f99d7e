"""The ledger: which tickets are open, and how far each generation is settled.

Knows tickets and counts of rows. Must not know why a row is final. `settle` is the only way for a
cursor to move: rows final → ticket final → the generation's longest settled prefix grows.
"""

from collections import deque
from typing import NamedTuple

from logagent.core.chunk import Ticket
from logagent.core.files import Guard, Position


class Settled(NamedTuple):
    """How far a generation is settled, and the guard of what precedes."""

    position: Position
    anchor: Guard


class _Entry:
    """A ticket and how many of its rows are still open."""

    __slots__ = ("open", "ticket")

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.open = ticket.rows


class Ledger:
    """Tickets of one output, in the order in which they were made."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._order: dict[int, deque[_Entry]] = {}
        self._settled: dict[int, Settled] = {}
        self._next_key = 0
        self.open_rows = 0
        self.changed = False
        """Whether a settled position moved since the owner last set this to False."""

    def begin(self, generation: int, position: Position, anchor: Guard) -> None:
        """Start a generation at a position: new at 0, or resumed from a checkpoint."""
        assert generation not in self._settled, "a generation begins once"
        self._settled[generation] = Settled(position, anchor)
        self._order[generation] = deque()

    def open(self, ticket: Ticket) -> int:
        """Take a ticket and return its key. One without rows settles here and now.

        The ticket starts where the generation's last one ended: there are no holes.
        """
        order = self._order[ticket.generation]
        end = order[-1].ticket.end if order else self._settled[ticket.generation].position
        assert ticket.start == end.offset, "tickets of a generation are contiguous"
        assert ticket.start <= ticket.end.offset
        key = self._next_key
        self._next_key += 1
        entry = _Entry(ticket)
        order.append(entry)
        if ticket.rows:
            self._entries[key] = entry
            self.open_rows += ticket.rows
        else:
            self._grow(ticket.generation)
        return key

    def settle(self, key: int, rows: int) -> None:
        """`rows` more rows of ticket `key` are final."""
        if not rows:
            return
        entry = self._entries[key]
        entry.open -= rows
        self.open_rows -= rows
        assert entry.open >= 0, "a row settles exactly once"
        if entry.open == 0:
            del self._entries[key]
            self._grow(entry.ticket.generation)

    def ticket(self, key: int) -> Ticket:
        """The open ticket `key`."""
        return self._entries[key].ticket

    def settled(self, generation: int) -> Settled:
        """How far `generation` is settled."""
        return self._settled[generation]

    def is_settled(self, generation: int) -> bool:
        """Whether no ticket of `generation` is open."""
        return not self._order[generation]

    def retire(self, generation: int) -> None:
        """Forget a generation (its file was truncated, or is finished). Open tickets of it may
        still settle; that moves nothing any more."""
        del self._settled[generation]
        del self._order[generation]
        self.changed = True

    def _grow(self, generation: int) -> None:
        order = self._order.get(generation)
        if order is None:  # retired
            return
        last: Ticket | None = None
        while order and order[0].open == 0:
            last = order.popleft().ticket
        if last is not None:
            self._settled[generation] = Settled(last.end, last.anchor)
            self.changed = True
