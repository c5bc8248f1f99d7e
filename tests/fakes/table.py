"""The table of descriptors over a file system in memory, scanned by hand."""

from __future__ import annotations

from logagent.core.metrics import Registry
from logagent.descriptors import Descriptors
from logagent.held import Held, User, Watch
from tests.fakes.fs import MemoryFs
from tests.fakes.record import RecordingLog
from tests.fakes.tailing import ROOT, watch

USER = User("out", "app")


class Table:
    """A table over a file system with an empty root, scanned by hand."""

    def __init__(self, *watches: Watch, root: bool = True) -> None:
        self.fs = MemoryFs()
        if root:
            self.fs.mkdir(ROOT)
        self.log = RecordingLog()
        self.metrics = Registry()
        self.table = Descriptors(self.fs, watches or (watch(),), self.log, self.metrics)
        self.now = 0.0

    def scan(self, *, wall: float = 0.0) -> list[bytes]:
        """One scan, a second later; the paths of all that is held for USER."""
        self.now += 1.0
        self.table.scan(self.now, wall)
        return [held.path for held in self.table.files(USER)]

    def held(self, index: int = 0, user: User = USER) -> Held:
        """A held file."""
        return self.table.files(user)[index]

    def warned(self) -> list[object]:
        """The codes of all warnings, in order."""
        return [line.facts["code"] for line in self.log.lines if line.level == "warning"]
