"""The seams: what the logic needs of a file system, a sink and a journal.

Knows no implementation; `edge/` has the real ones, the simulator has others. Errors of the
environment that are ordinary for one file come back as values (`Fault`); the rest is OSError.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from logagent.core.chunk import Reply, Request

Kind = Literal["file", "directory", "symlink", "fifo", "socket", "device", "other"]
Symlinks = Literal["beneath", "deny", "follow"]


class Entry(NamedTuple):
    """One name below a root, as a directory listing gives it (no stat was made)."""

    path: bytes
    """Relative to the root, `/` between components."""
    ino: int
    kind: Kind


class Stat(NamedTuple):
    """What statx says of a file. `birth_ns` is 0 where the file system keeps no birth time."""

    ino: int
    birth_ns: int
    size: int
    nlink: int
    mtime_ns: int
    uid: int
    gid: int
    mode: int


class Probe(NamedTuple):
    """The part of a stat that changes: cheap enough for each file at each scan."""

    size: int
    nlink: int


class Fault(NamedTuple):
    """Why something can't be had just now: `code` (ENOENT, EACCES, FIFO, OUTSIDE …) for decisions
    and metrics, `text` for people (what, where, what to change)."""

    code: str
    text: str


class Fs(Protocol):
    """Files below input roots, read-only, and the checkpoint's slots."""

    def walk(self, root: str, depth: int) -> list[Entry] | Fault:
        """Everything below `root`, at most `depth` directories down (0 = only what stands in the
        root itself); directories are among the entries. A root that isn't there is a Fault; a
        directory that can't be listed is left out."""

    def stat(self, root: str, path: bytes) -> Stat | Fault:
        """statx of `root/path` without following a last symlink."""

    def open(self, root: str, path: bytes, symlinks: Symlinks) -> int | Fault:
        """Open a regular file beneath `root` for reading and never anything else, whatever the
        app puts there. The caller closes the descriptor."""

    def fstat(self, fd: int) -> Stat:
        """statx of an open file. Raises OSError."""

    def probe(self, fd: int) -> Probe:
        """Size and number of links of an open file. Raises OSError."""

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """At most `size` bytes at `offset`; b"" at or behind the end. Raises OSError."""

    def close(self, fd: int) -> None:
        """Close a descriptor of `open`."""

    def read_slot(self, path: str) -> bytes:
        """All bytes of a slot file (at most 16 MiB), b"" if there is none. Raises OSError."""

    def write_slot(self, path: str, data: bytes, *, fresh: bool) -> None:
        """Make `data` the content of a slot file, durable when it returns. `fresh` replaces the
        file by a new one (a failed fsync must not be retried on the same one). Raises OSError."""


class Sink(Protocol):
    """Where an output's requests go. One attempt a call; retrying is the pipeline's business."""

    async def send(self, request: Request) -> Reply:
        """Try once. Remote faults are values; what is raised is our own bug."""

    async def refresh(self) -> None:
        """Read secrets and certificates again."""

    async def close(self) -> None:
        """Give connections and files back."""


class Journal(Protocol):
    """An append-only file of lines whose content is durable when `append` returns."""

    async def append(self, data: bytes) -> None:
        """Append whole lines and make them durable. Raises OSError, and then nothing of `data`
        counts as written."""


class Log(Protocol):
    """The agent's own log: one constant sentence an event, facts as keywords, never content."""

    def info(self, message: str, **facts: object) -> None:
        """Something a person may want to see later."""

    def warning(self, message: str, **facts: object) -> None:
        """Something a person should change; repeats of `message` for the same facts are limited."""

    def error(self, message: str, **facts: object) -> None:
        """Something is lost or stuck until a person acts."""


Clock = Callable[[], float]
"""Wall-clock time in seconds since 1970."""
