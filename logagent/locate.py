"""Finds out which bytes of which file a refused row is: for dead letters, and only for these.

Knows tickets, and that rendering a ticket's bytes again gives the same rows. Must not know why a
row was refused. Costs nothing until a row is refused; then a read and a rendering a ticket.

A row that carries its event's id says it itself. Else the ticket's raw bytes are read again from
the descriptor that is still open, and rendered by a twin of the renderer whose rows begin with
their ids: row k of the ticket has the id of the twin's row k. What can't be read any more (the file
was truncated, the disk fails) is a range: the whole ticket.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from logagent.core.chunk import Frame, Ticket
from logagent.core.deadletter import Place, Sought
from logagent.core.ledger import Ledger
from logagent.follower import Follower
from logagent.ports import Clock, Fs
from logagent.render.ids import read_id, spell_generation
from logagent.source import Renderer
from logagent.tail import Tail

TWIN: Final = Frame(head=b"", middle=b"\t", tail=b"\n")
"""How the twin frames its rows: an id, a tab, a document."""


class Twin(NamedTuple):
    """One input of the output: its tail, and how the twin of a generation's renderer is made."""

    tail: Tail
    bind: Callable[[bytes, int], Renderer]


class Locator:
    """`core.deadletter.Locate` over the files that an output follows."""

    def __init__(self, fs: Fs, ledger: Ledger, twins: Sequence[Twin], clock: Clock) -> None:
        self._fs = fs
        self._ledger = ledger
        self._twins = twins
        self._clock = clock

    def __call__(self, key: int, rows: Sequence[Sought]) -> list[Place]:
        """Where rows of a ticket are; see `core.deadletter.Locate`."""
        ticket = self._ledger.ticket(key)
        if all(row.id for row in rows):
            return [_place(ticket, row.number, row.id) for row in rows]
        ids = self._ids(ticket)
        return [_place(ticket, row.number, row.id or ids.get(row.number, b"")) for row in rows]

    def _ids(self, ticket: Ticket) -> dict[int, bytes]:
        """The ids of all rows of a ticket by their numbers; none when they can't be had."""
        twin = next((t for t in self._twins if t.tail.live(ticket.generation)), None)
        if twin is None:
            return {}  # the file was truncated since, or given back
        follower = twin.tail.follower(ticket.generation)
        try:
            data = _read(self._fs, follower, ticket)
        except OSError:
            return {}
        if not data:
            return {}
        renderer = twin.bind(follower.held.full_path, ticket.generation)
        rendered = renderer.render(data, ticket.start, self._clock())
        if rendered is None or rendered.count != ticket.rows:
            return {}
        lines = rendered.wire.split(b"\n")
        return {row: lines[row].partition(b"\t")[0] for row in range(rendered.count)}


def _read(fs: Fs, follower: Follower, ticket: Ticket) -> bytes:
    """A ticket's bytes, b"" when they aren't there any more. Raises OSError.

    Guards tell: of the file's head, and of what precedes the ticket's end. Of a last line that was
    sent at a stop the ticket has no end; the follower remembers how long it was.
    """
    prefix = follower.prefix
    fd = follower.held.fd
    if prefix is None or not prefix.holds(_read_fully(fs, fd, prefix.length, 0)):
        return b""
    end = ticket.end.offset
    guarded = end - ticket.anchor.length
    first = min(ticket.start, guarded)
    data = _read_fully(fs, fd, end - first, first)
    if not ticket.anchor.holds(data[guarded - first :]):
        return b""
    if end > ticket.start:
        return data[ticket.start - first :]
    if follower.position.offset != ticket.start:
        return b""
    return _read_fully(fs, fd, follower.rest_bytes, ticket.start)


def _read_fully(fs: Fs, fd: int, size: int, offset: int) -> bytes:
    data = b""
    while len(data) < size and (more := fs.pread(fd, size - len(data), offset + len(data))):
        data += more
    return data


def _place(ticket: Ticket, number: int, spelled: bytes) -> Place:
    """The place that an id says. Without one the ticket is the range, and the id is the letter's
    own: the same whenever this ticket's row is refused, so that it can still be told apart."""
    event = read_id(spelled)
    if event is not None and event.generation == ticket.generation:
        return Place(spelled.decode(), event.generation, event.start, event.length)
    made_up = spell_generation(ticket.generation) + b"%016x-%x" % (ticket.start, number)
    length = ticket.end.offset - ticket.start
    spelled = spelled or made_up
    return Place(spelled.decode(), ticket.generation, ticket.start, length, exact=False)
