"""What the table of descriptors is made of: what to watch, what is held, and for whom.

Knows shapes only.
"""

import re
from typing import NamedTuple

from msgspec import Struct

from logagent.core.files import FileId, escape
from logagent.ports import Symlinks


class User(NamedTuple):
    """Who reads a file: an input of an output."""

    output: str
    input: str


class Watch(Struct, frozen=True):
    """One root of one input. Patterns match paths below the root, excludes match whole paths."""

    input: str
    root: str
    depth: int
    includes: tuple[re.Pattern[bytes], ...]
    excludes: tuple[re.Pattern[bytes], ...]
    symlinks: Symlinks
    files_max: int
    ignore_older_s: float
    outputs: frozenset[str]

    def matches(self, path: bytes) -> bool:
        """Whether a path below the root belongs to the input."""
        if not any(include.fullmatch(path) for include in self.includes):
            return False
        whole = self.root.encode() + b"/" + path
        return not any(exclude.fullmatch(whole) for exclude in self.excludes)


class Held(Struct, eq=False):
    """An open file. `users` haven't finished it yet; without any it is closed.

    `size` and `linked` are of the last scan; `changed_at` is the loop time at which the last growth
    was seen; `rotated` says that it no longer has the name under which it was found. `peaks` is
    the largest size seen, one more for each time that the file shrank.
    """

    file: FileId
    fd: int
    path: bytes
    users: set[User]
    size: int
    changed_at: float
    linked: bool = True
    rotated: bool = False
    listed: int = 0
    peaks: list[int] = []

    @property
    def full_path(self) -> bytes:
        """The path, for the documents' metadata."""
        return self.file.root.encode() + b"/" + self.path

    @property
    def name(self) -> str:
        """The path, for people."""
        return escape(self.full_path)
