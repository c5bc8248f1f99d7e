"""What to do with a followed file: what a scan saw and what we hold → resume, reset, finish, close.

Knows sizes, guards and positions. Must not read or open anything: bytes come as arguments.
"""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Literal, NamedTuple

from logagent.core.files import GUARD_BYTES, FileId, Generation, Guard, Position, guard_of


class View(NamedTuple):
    """What is known of a file besides its content.

    `quiet_s` is the time since its last growth was seen; `linked` says that it still has a name,
    `rotated` that it isn't the name under which it was found.
    """

    size: int
    linked: bool
    rotated: bool
    quiet_s: float


def at_start(
    generation: Generation, size: int, head: bytes, before: bytes
) -> Literal["resume", "reset"]:
    """Whether a file found at start is where the checkpoint left it.

    `head` are the file's first bytes (as many as the prefix guards), `before` those in front of
    the settled offset (as many as the anchor guards). A file that is shorter or has other content
    was truncated or replaced in place while nobody looked: it is read from 0 as a new generation.
    """
    intact = generation.prefix.holds(head) and generation.anchor.holds(before)
    return "resume" if intact and size >= generation.position.offset else "reset"


def at_end(view: View, position: Position, rotate_wait_s: float) -> Literal["wait", "finish"]:
    """What to do at a file's end: wait for more, or finish it (its last line will not grow).

    A rotated or deleted file's writer may go on for a while: its end is final only when nothing
    came for `rotate_wait_s`.
    """
    over = (view.rotated or not view.linked) and view.quiet_s >= rotate_wait_s
    return "finish" if over and view.size >= position.offset else "wait"


def may_close(view: View, settled: Position, rotate_wait_s: float) -> bool:
    """Whether a file can be given back: no name, at its end, quiet, and all of it settled."""
    if view.linked or view.quiet_s < rotate_wait_s:
        return False
    return settled.offset >= view.size


def lost_bytes(seen: int, offset: int) -> int:
    """What can't be read any more of a generation of which `seen` bytes were seen."""
    return max(0, seen - offset)


def first_prefix(head: bytes, *, final: bool) -> Guard | None:
    """The prefix guard with which a generation starts: of the whole lines in the file's first
    GUARD_BYTES, of all these bytes if there are so many.

    More than the first line, since that may be the same banner in each life of the file. None
    while the first line is incomplete; `final` says that nothing more will come (then what is
    there is the event).
    """
    head = head[:GUARD_BYTES]
    if len(head) == GUARD_BYTES:
        return guard_of(head)
    lines = head[: head.rfind(b"\n") + 1]
    if lines:
        return guard_of(lines)
    return guard_of(head) if final and head else None


class Known:
    """What a checkpoint says of files that aren't followed yet."""

    def __init__(self) -> None:
        self._files: dict[FileId, Generation] = {}
        self._ended: list[Generation] = []
        self._missing: AbstractSet[FileId] = frozenset()

    def add(self, generation: Generation) -> None:
        """Add a generation. An earlier one of its file had ended, with rows still under way."""
        if generation.file in self._files:
            self._ended.append(self._files[generation.file])
        self._files[generation.file] = generation

    def take(self, file: FileId) -> Generation | None:
        """The generation of a file that is followed from now on; None if there is none."""
        return self._files.pop(file, None)

    def files(self) -> Iterable[FileId]:
        """Which files these are."""
        return self._files.keys()

    def rest(self) -> list[Generation]:
        """What a commit has to keep, the ended ones first."""
        return [*self._ended, *self._files.values()]

    def gone(self, is_there: Callable[[FileId], bool]) -> list[Generation]:
        """After a whole scan: the generations that nobody can read any more, each once. A file
        has to be missed by two scans: a listing can pass over one that is being renamed."""
        missing = {file for file in self._files if not is_there(file)}
        twice = [file for file in self._files if file in missing and file in self._missing]
        found = self._ended + [self._files.pop(file) for file in twice]
        self._ended = []
        self._missing = missing
        return found
