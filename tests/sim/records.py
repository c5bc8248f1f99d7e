"""The rules for rows that carry their id, and for those that stand in order.

- All copies of a row have one id, whichever process sent them.
- With one request at a time the rows of a file's content are in order in each partition, as far as
  they arrive for the first time.
"""

from __future__ import annotations

from tests.sim.fs import Life
from tests.sim.outputs import OutputPlan
from tests.sim.rows import Broken, Lines, Seen


class Records:
    """What is known of one output's rows."""

    def __init__(self, plan: OutputPlan, lines: Lines) -> None:
        self._plan = plan
        self._lines = lines
        self._ids: dict[bytes, bytes] = {}
        self._rows: dict[bytes, bytes] = {}
        self._refused: set[bytes] = set()
        self._last: dict[tuple[int, Life], bytes] = {}
        self._there: set[bytes] = set()

    def identified(self, seen: Seen, event_id: bytes) -> None:
        """A row is in the log with an id."""
        if seen.part:  # what was sent as a part has the id of a part
            return
        token = seen.tokens[0]
        known = self._ids.setdefault(token, event_id)
        if known != event_id:
            raise Broken(f"{self._plan.name}: {token!r} is {event_id!r} and was {known!r}")
        if self._rows.setdefault(event_id, token) != token:
            raise Broken(f"{self._plan.name}: {token!r} has the id of {self._rows[event_id]!r}")

    def refused(self, seen: Seen) -> None:
        """A row was refused, and may be taken later, when others are there already."""
        self._refused.update(seen.tokens)

    def ordered(self, partition: int, seen: Seen) -> None:
        """A row was appended to a partition."""
        token = seen.tokens[0]
        if seen.part or token in self._there or token in self._refused or self._plan.slots > 1:
            return
        self._there.add(token)
        where = partition, self._lines.homes[token]
        last = self._last.get(where, b"")
        if last > token:
            raise Broken(f"{self._plan.name}: {token!r} is behind {last!r} in {partition}")
        self._last[where] = token
