"""Ports that only remember what they were given: a log and a journal."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """One event of the agent's own log."""

    level: str
    message: str
    facts: dict[str, object]


class RecordingLog:
    """`ports.Log` as a list."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def info(self, message: str, **facts: object) -> None:
        """See `ports.Log.info`."""
        self.lines.append(Line("info", message, facts))

    def warning(self, message: str, **facts: object) -> None:
        """See `ports.Log.warning`."""
        self.lines.append(Line("warning", message, facts))

    def error(self, message: str, **facts: object) -> None:
        """See `ports.Log.error`."""
        self.lines.append(Line("error", message, facts))

    def of(self, message: str) -> list[Line]:
        """The events with this sentence."""
        return [line for line in self.lines if line.message == message]


class ListJournal:
    """`ports.Journal` as a list; it refuses the next appends with what is in `errors`."""

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.errors: list[OSError] = []

    async def append(self, data: bytes) -> None:
        """See `ports.Journal.append`."""
        if self.errors:
            raise self.errors.pop(0)
        self.data.append(data)
