"""A model file system: inodes, names, lives of content; and the app's side of it.

Modelled: inode numbers that are reused at once or never, birth times (fine, coarse or none),
rename, unlink, truncation in place, appends, files that live on while they are open, listings that
miss what is being renamed. Not modelled: other directories than one root, links, holes (a writer
without O_APPEND after a truncation), lasting permissions, data of the app that a power failure
takes away.
"""

from __future__ import annotations

from typing import Final

ROOT: Final = "/logs"


class Life:
    """One content of one inode: from its creation or a truncation to the next truncation."""

    __slots__ = ("data", "ends", "fragment", "gone", "inode", "serial", "starts", "tokens")

    def __init__(self, inode: Inode, serial: int) -> None:
        self.inode = inode
        self.serial = serial
        self.data = bytearray()
        self.starts: list[int] = []
        self.ends: list[int] = []
        """Ends of whole lines, behind their newline."""
        self.tokens: list[bytes] = []
        """Which line each one is."""
        self.fragment = b""
        """The line at the end that has no newline yet."""
        self.gone = False

    def __repr__(self) -> str:
        return f"{self.inode.ino}.{self.serial}"


class Inode:
    """A file."""

    __slots__ = ("birth_ns", "ino", "life", "lives", "mtime_ns", "nlink", "opens")

    def __init__(self, ino: int, birth_ns: int, serial: int) -> None:
        self.ino = ino
        self.birth_ns = birth_ns
        self.nlink = 1
        self.opens = 0
        self.mtime_ns = birth_ns
        self.life = Life(self, serial)
        self.lives = [self.life]

    @property
    def file(self) -> tuple[int, int]:
        """What identifies it to the agent: number and birth time."""
        return (self.ino, self.birth_ns)


class Disk:
    """The volume that app and agent share. Paths are names in one directory."""

    def __init__(self, *, reuse: bool, birth_tick_ns: int) -> None:
        self._reuse = reuse
        self._tick = birth_tick_ns
        self._free: list[int] = []
        self._next_ino = 100
        self._serial = 0
        self.reused = 0
        self.exists = True
        """Whether the root directory is there."""
        self.names: dict[bytes, Inode] = {}
        self.by_id: dict[tuple[int, int], list[Inode]] = {}
        """All files that ever were, by what identifies them to the agent."""
        self.lives: list[Life] = []
        self.renamed: set[Inode] = set()
        """Renamed since the last listing, which can miss them."""

    def create(self, path: bytes, now_ns: int) -> Inode:
        """Create a file, open for its writer. What had the name loses it."""
        if path in self.names:
            self.unlink(path)
        birth = now_ns // self._tick * self._tick if self._tick else 0
        if self._reuse and self._free:
            ino = self._free.pop()
            self.reused += 1
        else:
            ino, self._next_ino = self._next_ino, self._next_ino + 1
        self._serial += 1
        inode = Inode(ino, birth, self._serial)
        inode.opens = 1
        self.names[path] = inode
        self.by_id.setdefault((ino, birth), []).append(inode)
        self.lives.append(inode.life)
        return inode

    def rename(self, source: bytes, target: bytes) -> None:
        """Rename; what had the target's name loses it."""
        if target in self.names:
            self.unlink(target)
        self.names[target] = self.names.pop(source)
        self.renamed.add(self.names[target])

    def unlink(self, path: bytes) -> None:
        """Take a name away."""
        inode = self.names.pop(path)
        inode.nlink = 0
        self._maybe_free(inode)

    def close(self, inode: Inode) -> None:
        """One open descriptor fewer."""
        inode.opens -= 1
        self._maybe_free(inode)

    def truncate(self, inode: Inode) -> None:
        """Truncate to nothing."""
        inode.life.gone = True
        self._serial += 1
        inode.life = Life(inode, self._serial)
        inode.lives.append(inode.life)
        self.lives.append(inode.life)

    def append(self, inode: Inode, data: bytes, token: bytes, *, now_ns: int) -> None:
        """Append a line or a part of one: `data` holds at most one newline, at its end."""
        life = inode.life
        if not life.fragment:
            life.starts.append(len(life.data))
        life.data += data
        inode.mtime_ns = now_ns
        if data.endswith(b"\n"):
            life.ends.append(len(life.data))
            life.tokens.append(token)
            life.fragment = b""
        elif data:
            life.fragment = token

    def _maybe_free(self, inode: Inode) -> None:
        if not inode.nlink and not inode.opens:
            inode.life.gone = True
            self._free.append(inode.ino)
