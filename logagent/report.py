"""What happens to an output's files: each event is one function that logs and counts it.

Knows sentences and counters. Must not decide anything.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from logagent.core.files import Generation, escape
from logagent.core.metrics import Cell, Registry
from logagent.held import Held
from logagent.ports import Log

P = ParamSpec("P")
T = TypeVar("T")


class TailReport:
    """The events of one output's reading of one input."""

    def __init__(self, input_id: str, output: str, log: Log, metrics: Registry) -> None:
        self._labels = (input_id, output)
        self._log = log
        self._metrics = metrics
        self._read = metrics.cell("read_bytes_total", *self._labels)
        self._truncated = metrics.cell("truncated_lines_total", *self._labels)
        self._discarded = metrics.cell("discarded_bytes_total", *self._labels)
        self._truncations = metrics.cell("truncations_total", *self._labels)

    def read(self, count: int) -> None:
        """So many bytes were read and rendered."""
        self._read.value += count

    def long_line(self) -> None:
        """A line was cut at its limit."""
        self._truncated.value += 1

    def discarded(self, count: int) -> None:
        """So many bytes of an over-long line were passed over."""
        self._discarded.value += count

    def resumed(self, held: Held, offset: int) -> None:
        """A file goes on where the checkpoint left it."""
        self._log.info("file resumed", path=held.name, output=self._labels[1], offset=offset)

    def finished(self, held: Held, offset: int) -> None:
        """A deleted file is read and delivered to its end."""
        self._log.info("file finished", path=held.name, output=self._labels[1], bytes=offset)

    def truncated(self, held: Held, offset: int, lost: int) -> None:
        """A file was truncated or rewritten; `lost` bytes were seen and never read."""
        self._truncations.value += 1
        self._lose(lost, "truncated")
        self._log.warning(
            "file was truncated, reading it from its start",
            path=held.name,
            output=self._labels[1],
            offset=offset,
            lost_bytes=lost,
        )

    def vanished(self, generation: Generation, lost: int) -> None:
        """A file of the checkpoint is in no root any more."""
        if not lost:
            return
        self._lose(lost, "deleted")
        path = f"{generation.file.root}/{escape(generation.path)}"
        self._log.error("file vanished unread", path=path, output=self._labels[1], lost_bytes=lost)

    def attempt(
        self, held: Held, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """One look at a file; None, with a warning, when the file system refuses it."""
        try:
            return call(*args, **kwargs)
        except OSError as error:
            why = error.strerror or str(error)
            self._log.warning("reading a file", path=held.name, output=self._labels[1], why=why)
            return None

    def _lose(self, count: int, reason: str) -> None:
        cell: Cell = self._metrics.cell("lost_bytes_total", *self._labels, reason)
        cell.value += count
