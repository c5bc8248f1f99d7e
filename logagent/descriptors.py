"""The table of open files: one for the process, each file held once for all outputs.

Knows how a scan's listing becomes held files: discovery, renames, deletion, what may not be read.
Must not know any offset: how far a file is read is each output's own business (tail.py).

Back-pressure never stops a scan: what is found is opened, for every output, so that a file that is
created and deleted while a sink is down is held. A held file's inode can't be reused, so a name
whose inode number is that of the file held under it needs no stat.
"""

from collections.abc import Iterable, Iterator, Sequence

from logagent.core.files import FileId, escape
from logagent.core.metrics import Registry
from logagent.held import Held, User, Watch
from logagent.ports import Entry, Fault, Fs, Log, Stat

_UNREADABLE = {
    "fifo": Fault("FIFO", "a FIFO, not a regular file"),
    "socket": Fault("SOCKET", "a socket, not a regular file"),
    "device": Fault("DEVICE", "a device, not a regular file"),
    "directory": Fault("DIRECTORY", "a directory, not a regular file"),
    "other": Fault("OTHER", "not a regular file"),
}
_REFUSED = frozenset({fault.code for fault in _UNREADABLE.values()} | {"OUTSIDE", "SYMLINK"})
"""Faults of what is never read, whoever would be allowed to."""
_PASSING = frozenset({"ENOENT", "EAGAIN", "ESTALE"})
"""Faults of a moment (a race with the app, a lease): the next scan sees again, without a word."""


class Descriptors:
    """Finds and holds the files of all inputs. `scan` and `release` are plain calls."""

    def __init__(self, fs: Fs, watches: Sequence[Watch], log: Log, metrics: Registry) -> None:
        self._fs = fs
        self._log = log
        self._metrics = metrics
        self._watches: dict[str, list[Watch]] = {}
        for watch in watches:
            self._watches.setdefault(watch.root, []).append(watch)
        self._table: dict[FileId, Held] = {}
        self._paths: dict[tuple[str, bytes], Held] = {}
        self._inodes: dict[tuple[str, int], Held] = {}
        self._wanted: dict[FileId, set[User]] = {}
        self._wanted_inodes: set[tuple[str, int]] = set()
        self._scans = 0
        self.faults: dict[tuple[str, bytes], Fault] = {}
        """What can't be read just now and why; the key is root and path (b"" = the root)."""
        self._blocked: set[tuple[str, int]] = set()
        """Wanted inodes that the last scan listed and couldn't open."""

    def want(self, user: User, files: Iterable[FileId]) -> None:
        """Hold these files wherever they stand below their root: `user` isn't done with them."""
        for file in files:
            self._wanted.setdefault(file, set()).add(user)
            self._wanted_inodes.add((file.root, file.ino))
            if file in self._table:
                self._table[file].users.add(user)

    def files(self, user: User) -> list[Held]:
        """The files that `user` has to read, in the order in which they were found."""
        return [held for held in self._table.values() if user in held.users]

    def blocked(self, file: FileId) -> bool:
        """Whether a file is there and can't be opened just now."""
        return (file.root, file.ino) in self._blocked

    def complete(self, input_id: str) -> bool:
        """Whether the last scan saw all roots of an input."""
        return all(
            (root, b"") not in self.faults
            for root, watches in self._watches.items()
            if any(watch.input == input_id for watch in watches)
        )

    def scan(self, now: float, wall: float) -> None:
        """List all roots, open what is new, note what moved, grew or went.

        `now` is loop time, `wall` wall-clock time (for `ignore_older_s`).
        """
        self._scans += 1
        self._blocked.clear()
        for root, watches in self._watches.items():
            depth = max(watch.depth for watch in watches)
            entries = self._fs.walk(root, depth)
            if isinstance(entries, Fault):
                self._fault(root, b"", entries)
                continue
            self._cleared(root, b"")
            self._look_through(root, entries, now=now, wall=wall)
        for held in self._table.values():
            self.probe(held, now)
        for watch in self._every_watch():
            self._metrics.cell("files_open", watch.input).value = self._count(watch.input)

    def release(self, held: Held, user: User) -> None:
        """`user` has finished the file; it is closed when nobody is left."""
        held.users.discard(user)
        self._wanted.get(held.file, set()).discard(user)
        if not held.users and held.file in self._table:
            del self._table[held.file]
            self._wanted.pop(held.file, None)
            self._forget_names(held)
            self._fs.close(held.fd)

    def close(self) -> None:
        """Close everything."""
        for held in self._table.values():
            self._fs.close(held.fd)
        self._table.clear()
        self._paths.clear()
        self._inodes.clear()

    def _look_through(
        self, root: str, entries: Sequence[Entry], *, now: float, wall: float
    ) -> None:
        moved: list[tuple[Held, bytes]] = []
        for entry in entries:
            held = self._paths.get((root, entry.path))
            if held is not None and held.file.ino == entry.ino and entry.kind == "file":
                held.listed = self._scans
                continue
            other = self._look(root, entry, now=now, wall=wall)
            if other is not None:
                moved.append((other, entry.path))
        self._prune_faults(root, entries)
        for held, path in moved:
            if held.listed != self._scans:  # else a second hard link: the first name stays
                if self._paths.get((root, held.path)) is held:  # else another has that name now
                    del self._paths[root, held.path]
                held.rotated = held.rotated or path != held.path
                held.path = path
                held.listed = self._scans
                self._paths[root, path] = held

    def _look(self, root: str, entry: Entry, *, now: float, wall: float) -> Held | None:
        """Open what is new. Returns a held file that now also stands under this entry's name."""
        watches = [w for w in self._watches[root] if w.matches(entry.path)]
        key = (root, entry.ino)
        if not watches and key not in self._inodes and key not in self._wanted_inodes:
            return None
        if key in self._wanted_inodes:
            self._blocked.add(key)  # until it is open, or shows to be another
        if entry.kind in _UNREADABLE:
            self._fault(root, entry.path, _UNREADABLE[entry.kind])
            return None
        if entry.kind == "file":
            stat = self._fs.stat(root, entry.path)
            if isinstance(stat, Fault):
                self._fault(root, entry.path, stat)
                return None
            file = FileId(root, stat.ino, stat.birth_ns)
            if file not in self._wanted or file in self._table:
                self._blocked.discard(key)
            if file in self._table:
                return self._table[file]
            if not self._worth(root, entry.path, watches, stat=stat, wall=wall):
                return None
        return self._open(root, entry.path, watches, now)

    def _open(self, root: str, path: bytes, watches: list[Watch], now: float) -> Held | None:
        fd = self._fs.open(root, path, watches[0].symlinks if watches else "deny")
        if isinstance(fd, Fault):
            self._fault(root, path, fd)
            return None
        try:
            stat = self._fs.fstat(fd)
        except OSError as error:
            self._fs.close(fd)
            self._fault(root, path, Fault("EIO", f"reading its size: {error.strerror}"))
            return None
        file = FileId(root, stat.ino, stat.birth_ns)
        known = self._table.get(file)
        if known is not None:  # a symlink to a file that is held
            self._fs.close(fd)
            if known.path == path:  # found through it: it still has its name
                known.listed = self._scans
            return None
        self._cleared(root, path)
        self._blocked.discard((root, stat.ino))
        users = {User(output, watch.input) for watch in watches for output in watch.outputs}
        users |= self._wanted.get(file, set())
        held = Held(file, fd, path, users, stat.size, now, stat.nlink > 0)
        held.listed = self._scans
        held.peaks.append(stat.size)
        self._table[file] = held
        self._paths[root, path] = held
        self._inodes[root, stat.ino] = held
        self._log.info("file found", path=held.name, size=stat.size)
        return None

    def _worth(
        self, root: str, path: bytes, watches: list[Watch], *, stat: Stat, wall: float
    ) -> bool:
        """Whether a file that isn't held should be."""
        if FileId(root, stat.ino, stat.birth_ns) in self._wanted:
            return True
        for watch in watches:
            if watch.ignore_older_s and wall - stat.mtime_ns / 1e9 > watch.ignore_older_s:
                continue
            if self._count(watch.input) >= watch.files_max:
                text = f"input {watch.input} holds files_max = {watch.files_max} files already"
                self._fault(root, path, Fault("FILES_MAX", text))
                continue
            return True
        return False

    def probe(self, held: Held, now: float) -> bool:
        """Take over the size and the links that a file has just now; False when it can't be asked.
        Each look at a size that is to be counted comes through here, so that each time a file
        shrinks is seen once."""
        try:
            probe = self._fs.probe(held.fd)
        except OSError as error:
            text = f"reading its size: {error.strerror or error}"
            self._fault(held.file.root, held.path, Fault("EIO", text))
            return False
        if probe.size < held.size:
            held.peaks.append(0)
        held.peaks[-1] = max(held.peaks[-1], probe.size)
        if probe.size != held.size:
            held.size = probe.size
            held.changed_at = now
        if held.linked and not probe.nlink:
            held.linked = False
            held.rotated = True
            self._forget_names(held)
        elif held.listed != self._scans and not held.rotated and not self._is_unlisted(held):
            held.rotated = True  # renamed to where no scan looks
            held.changed_at = now
        return True

    def _is_unlisted(self, held: Held) -> bool:
        """Whether the last scan couldn't list the file's root."""
        return (held.file.root, b"") in self.faults

    def _count(self, input_id: str) -> int:
        return sum(any(u.input == input_id for u in held.users) for held in self._table.values())

    def _every_watch(self) -> Iterator[Watch]:
        return (watch for watches in self._watches.values() for watch in watches)

    def _forget_names(self, held: Held) -> None:
        if self._paths.get((held.file.root, held.path)) is held:
            del self._paths[held.file.root, held.path]
        if self._inodes.get((held.file.root, held.file.ino)) is held:
            del self._inodes[held.file.root, held.file.ino]

    def _fault(self, root: str, path: bytes, fault: Fault) -> None:
        """Note a fault, and say so when it is new."""
        if fault.code in _PASSING and path:
            return
        before = self.faults.get((root, path))
        self.faults[root, path] = fault
        if before is None or before.code != fault.code:
            what = "input root can't be listed yet" if not path else "file is not read"
            name = f"{root}/{escape(path)}" if path else root
            self._log.warning(what, path=name, code=fault.code, why=fault.text)
            self._count_faults()

    def _cleared(self, root: str, path: bytes) -> None:
        if self.faults.pop((root, path), None):
            name = f"{root}/{escape(path)}" if path else root
            self._log.info("reading it now", path=name)
            self._count_faults()

    def _prune_faults(self, root: str, entries: Sequence[Entry]) -> None:
        """Forget the faults of names that are gone."""
        names = {entry.path for entry in entries} if self.faults else set()
        gone = [k for k in self.faults if k[0] == root and k[1] and k[1] not in names]
        for key in gone:
            del self.faults[key]
        if gone:
            self._count_faults()

    def _count_faults(self) -> None:
        for root, watches in self._watches.items():
            codes = [fault.code for (r, path), fault in self.faults.items() if r == root and path]
            refused = sum(code in _REFUSED for code in codes)
            for watch in watches:
                self._metrics.cell("files_refused", watch.input).value = refused
                self._metrics.cell("files_unreadable", watch.input).value = len(codes) - refused
