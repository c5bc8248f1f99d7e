"""The model app: writers of numbered lines, and what apps and rotators do to their files.

Modelled: appends in one or two writes, rename rotation with a writer that stays on the old file for
a while, deletion of the oldest, truncation in place, truncation and regrowth to the very same size,
deletion (with a writer that goes on) and re-creation, odd lines: blank, over-long, broken JSON,
reserved keys, wide characters. Not modelled: copytruncate with the copy in sight, writers without
O_APPEND, compression of rotated files.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from tests.sim.fs import Inode

if TYPE_CHECKING:
    from tests.sim.world import World

BURST_MAX: Final = 60
SMALL: Final = 20_000
"""A file of up to so many bytes may be rewritten as the app's last deed."""


@dataclass(frozen=True)
class Line:
    """One line as it is meant to stand in the file, without its newline."""

    token: bytes
    text: bytes
    blank: bool = False


class Writer:
    """One process of the app, with one log file."""

    def __init__(self, world: World, number: int, lines: int) -> None:
        self.world = world
        self.number = number
        self.path = b"app-%d.log" % number
        self.left = lines
        self.count = 0
        self.inode: Inode | None = None
        self.rest = b""
        """What is still to be written of a line that was begun."""
        self.token = b""
        self.has_ended = False
        self.pause_s = 0.0
        self.stays = 0
        """Bursts still to go to the file that was rotated away or deleted."""

    def act(self) -> None:
        """Do one thing."""
        world = self.world
        if self.left <= 0:
            return
        if self.stays > 0:
            self.stays -= 1
            self.burst()
            if not self.stays:
                self.reopen()
            return
        action = "" if world.is_quiet else _pick(world.rng, world.plan.actions)
        if self.inode is None:
            self.reopen()
        if action == "rotate":
            self.rotate()
        elif action == "truncate":
            self.truncate()
        elif action == "regrow":
            self.regrow()
        elif action == "delete":
            self.delete()
        elif action == "recreate":
            self.recreate()
        else:
            self.burst()

    def finish(self) -> None:
        """The app ends: mostly it completes the line that it has begun."""
        if self.has_ended:
            return
        self.has_ended = True
        is_small = self.inode is not None and 0 < len(self.inode.life.data) < SMALL
        if is_small and not self.stays and self.world.rng.random() < self.world.plan.last_regrow:
            self.left = SMALL
            self.regrow()
            self.left = 0
        if self.rest and self.world.rng.random() < 0.7:
            self.complete()

    def burst(self) -> None:
        """Write some lines."""
        rng = self.world.rng
        self.complete()
        for _ in range(min(self.left, rng.randint(1, BURST_MAX))):
            self.write(self.world.make_line(self.number, self.next_number()))
        self.perhaps_begin()

    def next_number(self) -> int:
        """Number the next line."""
        self.count += 1
        self.left -= 1
        return self.count

    def write(self, line: Line) -> None:
        """Write a whole line."""
        assert self.inode is not None
        self.world.append(self.inode, line.text + b"\n", line.token)

    def begin(self) -> None:
        """Write a part of a line."""
        assert self.inode is not None
        line = self.world.make_line(self.number, self.next_number())
        if line.blank:
            return
        cut = self.world.rng.randint(1, len(line.text))
        self.world.mark("partial_write")
        self.world.append(self.inode, line.text[:cut], line.token)
        self.rest = line.text[cut:] + b"\n"
        self.token = line.token

    def perhaps_begin(self) -> None:
        """Perhaps write a part of a line."""
        chance = self.world.plan.odd_lines["partial"]
        if not self.rest and self.left > 0 and self.world.rng.random() < chance:
            self.begin()

    def complete(self) -> None:
        """Write the rest of the line that was begun."""
        if self.rest:
            assert self.inode is not None
            self.world.append(self.inode, self.rest, self.token)
            self.rest = b""

    def reopen(self) -> None:
        """Open the path anew. A line that was begun in another file ends there."""
        world = self.world
        if self.inode is not None:
            if world.rng.random() < 0.8:
                self.complete()
            self.rest = b""
            world.disk.close(self.inode)
        self.inode = world.create(self.path)

    def rotate(self) -> None:
        """Rename the file away, as logrotate does; the writer notices soon, or later."""
        world, disk = self.world, self.world.disk
        if self.path not in disk.names:
            return
        self.perhaps_begin()
        keep = world.plan.keep
        world.mark("rename")
        last = self.path + b".%d" % max(keep, 1)
        if last in disk.names:
            disk.unlink(last)
            world.note("unlink", last)
            world.mark("delete")
        for number in range(keep - 1, 0, -1):
            older = self.path + b".%d" % number
            if older in disk.names:
                disk.rename(older, self.path + b".%d" % (number + 1))
        disk.rename(self.path, self.path + b".1")
        world.note("rotate", self.path)
        if world.dies("rotation"):
            world.mark("kill_in_rotation")
        if not keep:
            disk.unlink(self.path + b".1")
            world.mark("delete")
        self.stays = world.rng.choice([0, 0, 1, 2, 4])
        self.sleep(world)
        if not self.stays:
            self.reopen()

    def sleep(self, world: World) -> None:
        """With a line half written in a file that is over: perhaps pause so long that it is taken
        for the file's last."""
        if world.rng.random() < 0.2 + 0.7 * bool(self.rest):
            self.pause_s = world.plan.rotate_wait_s + 2 * world.plan.scan_s + 1.0
            self.stays = max(self.stays, 1)

    def truncate(self) -> None:
        """Truncate in place and go on at 0. A line that was begun is never finished."""
        assert self.inode is not None
        self.rest = b""
        self.world.truncate(self.inode)
        if self.world.rng.random() < 0.7:
            self.burst()

    def regrow(self) -> None:
        """Truncate, and write as many bytes again or a few more, as an app does that rewrites its
        file at each start with lines of one length."""
        assert self.inode is not None
        size = len(self.inode.life.data)
        self.rest = b""
        self.world.truncate(self.inode)
        life = self.inode.life
        while self.left > 0 and not self.rest and len(life.data) < size:
            room = size - len(life.data) - 1
            line = self.world.make_line(self.number, self.next_number())
            if len(line.token) + 2 < room < len(line.text) * 2:  # the last one fills it up
                line = self.world.make_line_of(self.number, self.count, room)
            self.write(line)
        if len(life.data) == size:
            self.world.mark("regrown_exactly")

    def delete(self) -> None:
        """Delete the file and go on writing to it for a while."""
        if self.path in self.world.disk.names:
            self.perhaps_begin()
            self.world.disk.unlink(self.path)
            self.world.note("unlink", self.path)
            self.world.mark("delete")
            self.stays = self.world.rng.choice([1, 1, 3])
            self.sleep(self.world)

    def recreate(self) -> None:
        """Delete the file and create it again."""
        if self.path in self.world.disk.names:
            self.world.disk.unlink(self.path)
        self.world.note("recreate", self.path)
        self.world.mark("recreate")
        self.reopen()


def make_text(rng: Random, token: bytes, size: int, kind: str) -> bytes:
    """The text of a line of about `size` bytes: the token again and again, so that each part of
    the line tells which line it is from."""
    if kind == "wide":
        piece = token + "é€𝄞".encode()
        return piece * max(1, size // len(piece))
    padding = (token * (size // len(token) + 1))[: max(size, len(token))]
    if kind == "text":
        return padding
    if kind == "broken":
        return b'{"id":"%b","pad":"%b' % (token, padding)
    if kind == "reserved":
        key = rng.choice([b"kubernetes", b"logagent", b"k8s.pod.name", b"data_stream"])
        return b'{"id":"%b","%b":"%b"}' % (token, key, padding)
    return b'{"id":"%b","n":%d,"pad":"%b"}' % (token, rng.randint(0, 9), padding)


def _pick(rng: Random, weights: dict[str, float]) -> str:
    """An action by its chance, or ""."""
    roll = rng.random()
    for name, weight in weights.items():
        if roll < weight:
            return name
        roll -= weight
    return ""
