"""The agent's side of the model file system: `ports.Fs` over the disk, and the checkpoint's slots.

Modelled: short reads, EIO on reads, opens and probes that are refused for a moment, a directory
that isn't there yet, an app that acts between any two calls; slots that are torn, lost or written
though an error was reported when the process dies. Not modelled: symbolic links and other kinds of
files (`edge/` is tested with real ones), slow disks.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from logagent.ports import Entry, Fault, Probe, Stat, Symlinks
from tests.sim.fs import Disk, Inode

if TYPE_CHECKING:
    from tests.sim.world import World


class Slots:
    """Slot files on the agent's own volume: what is durable, and what a crash may leave."""

    def __init__(self) -> None:
        self.durable: dict[str, bytes] = {}
        self.pending: dict[str, bytes] = {}
        """What a write that didn't succeed wanted to leave."""


class AgentFs:
    """What one process sees. `output` is who asks ("" = the table of descriptors)."""

    def __init__(self, world: World, shared: AgentFs | None = None, output: str = "") -> None:
        self._world = world
        self._disk: Disk = world.disk
        self._output = output
        self.fds: dict[int, Inode] = shared.fds if shared else {}
        self._next_fd: list[int] = shared._next_fd if shared else [3]

    def walk(self, root: str, depth: int) -> list[Entry] | Fault:
        """See `ports.Fs.walk`."""
        self._world.race()
        if not self._disk.exists:
            return Fault("ENOENT", f"listing {root}: No such file or directory")
        renamed = self._disk.renamed
        self._disk.renamed = set()
        return [
            Entry(path, inode.ino, "file")
            for path, inode in self._disk.names.items()
            if inode not in renamed or not self._world.chance("walk_miss")
        ]

    def stat(self, root: str, path: bytes) -> Stat | Fault:
        """See `ports.Fs.stat`."""
        self._world.race()
        inode = self._disk.names.get(path)
        if inode is None:
            return Fault("ENOENT", "looking at it: No such file or directory")
        if self._world.chance("stat_fault"):
            return Fault("EIO", "looking at it: Input/output error")
        return _stat(inode)

    def open(self, root: str, path: bytes, symlinks: Symlinks) -> int | Fault:
        """See `ports.Fs.open`."""
        self._world.race()
        inode = self._disk.names.get(path)
        if inode is None:
            return Fault("ENOENT", "opening it: No such file or directory")
        fault = self._world.denial(inode)
        if fault:
            return Fault(fault, "opening it")
        fd = self._next_fd[0]
        self._next_fd[0] += 1
        self.fds[fd] = inode
        inode.opens += 1
        return fd

    def fstat(self, fd: int) -> Stat:
        """See `ports.Fs.fstat`."""
        self._world.race()
        if self._world.chance("probe_error"):
            raise OSError(errno.EIO, "Input/output error")
        inode = self.fds[fd]
        self._world.oracle.scanned(inode, len(inode.life.data))
        return _stat(inode)

    def probe(self, fd: int) -> Probe:
        """See `ports.Fs.probe`."""
        self._world.race()
        if self._world.chance("probe_error"):
            raise OSError(errno.EIO, "Input/output error")
        inode = self.fds[fd]
        if not self._output:
            self._world.oracle.scanned(inode, len(inode.life.data))
        return Probe(len(inode.life.data), inode.nlink)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """See `ports.Fs.pread`."""
        world = self._world
        world.race()
        inode = self.fds[fd]
        if world.chance("read_error"):
            world.oracle.refused(self._output, inode)
            raise OSError(errno.EIO, "Input/output error")
        life = inode.life
        data = bytes(life.data[offset : offset + size])
        if len(data) > 1 and world.chance("short_read"):
            data = data[: world.rng.randint(1, len(data) - 1)]
        world.oracle.read(self._output, life, offset, len(data))
        return data

    def close(self, fd: int) -> None:
        """See `ports.Fs.close`."""
        self._disk.close(self.fds.pop(fd))

    def crash(self) -> None:
        """The process is gone and its descriptors with it."""
        for fd in list(self.fds):
            self.close(fd)

    def read_slot(self, path: str) -> bytes:
        """See `ports.Fs.read_slot`."""
        data = self._world.slots.durable.get(path, b"")
        if not self._world.is_dead:
            self._world.oracle.loading(path.split("/")[-2], data)
        return data

    def write_slot(self, path: str, data: bytes, *, fresh: bool) -> None:
        """See `ports.Fs.write_slot`. The process can die before, within or after the write."""
        world = self._world
        if world.is_dead:
            return
        output = path.split("/")[-2]
        world.note("commit", output, len(data))
        world.oracle.committing(output, data)
        slots = world.slots
        slots.pending[path] = data
        if world.dies("commit"):
            world.mark("kill_in_commit")
            return
        if world.chance("slot_error"):
            world.mark("slot_error")
            code = world.rng.choice([errno.ENOSPC, errno.ENOSPC, errno.EIO])
            raise OSError(code, "No space left on device" if code == errno.ENOSPC else "I/O error")
        del slots.pending[path]
        slots.durable[path] = data
        world.oracle.committed(output, data)
        if world.dies("commit"):
            world.mark("kill_in_commit")

    def settle_crash(self) -> None:
        """What a crash leaves of writes that didn't succeed: the old bytes, the new, or a part."""
        slots, rng = self._world.slots, self._world.rng
        for path, data in sorted(slots.pending.items()):
            fate = rng.choice(["old", "new", "torn", "empty"])
            if fate == "new":
                slots.durable[path] = data
            elif fate == "torn":
                old = slots.durable.get(path, b"")
                cut = rng.randrange(len(data))
                slots.durable[path] = data[:cut] + old[cut:]
            elif fate == "empty":
                slots.durable.pop(path, None)
            if fate != "old":
                self._world.mark("torn_slot")
        slots.pending.clear()


def _stat(inode: Inode) -> Stat:
    return Stat(
        ino=inode.ino,
        birth_ns=inode.birth_ns,
        size=len(inode.life.data),
        nlink=inode.nlink,
        mtime_ns=inode.mtime_ns,
        uid=1000,
        gid=1000,
        mode=0o644,
    )
