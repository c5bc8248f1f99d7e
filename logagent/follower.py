"""One file as one output reads it: read and cut at its offset, verify its guards.

Knows one generation's read position. Must not know which file's turn it is (tail.py), what is
settled (core/ledger.py) or what a line means. There is no carry buffer: bytes that don't yet make
a whole event are read again at the next turn, the file is the buffer.
"""

from typing import Final, Literal

from msgspec import Struct

from logagent.core.chunk import Chunk, Mark
from logagent.core.cut import cut_lines, cut_text
from logagent.core.files import GUARD_BYTES, START, Generation, Guard, Position, guard_of
from logagent.core.follow import View, at_start, first_prefix, lost_bytes
from logagent.core.ledger import Settled
from logagent.held import Held, User
from logagent.ports import Fs

CHUNK_BYTES_MIN: Final = 16 << 10
REWRITE_TURNS: Final = 8
"""At its end a file's guards are verified each so many turns only: it costs 4 times the poll."""

Nothing = Literal["end", "line", "replaced"]
"""Why there is no chunk: the file's end, an incomplete last line, or other content than before."""


class TailSettings(Struct, frozen=True):
    """What an input's options come to for its tails."""

    input: str
    output: str
    chunk_bytes: int
    line_bytes_max: int
    rotate_wait_s: float
    poll_s: float
    start_at_end: bool = False

    @property
    def user(self) -> User:
        """Who this is for the table of descriptors."""
        return User(self.output, self.input)


class Follower:
    """The read position of one generation. `read` changes nothing; `take` moves on."""

    def __init__(self, held: Held, generation: int, settings: TailSettings, epoch: int) -> None:
        self.held = held
        self.generation = generation
        self.prefix: Guard | None = None
        self.position = START
        self.durable = False
        """Whether the generation is in the durable checkpoint: nothing is sent before."""
        self.committed = START
        """How far the durable checkpoint says that the generation is settled."""
        self.seen = held.peaks[epoch]
        self.rest_bytes = 0
        """Bytes of a last line that was sent at a stop: the position stays in front of it."""
        self.idle_turns = 0
        self._epoch = epoch  # which of the held file's peaks is this generation's
        self._before = b""  # at most GUARD_BYTES in front of the position
        self._raw = b""  # what was read at the position last
        self._chunk_bytes = self._chunk_bytes_max = settings.chunk_bytes
        self._line_bytes_max = settings.line_bytes_max
        self._input = settings.input

    def prepare(self, fs: Fs, *, final: bool = False) -> bool:
        """Compute the prefix guard if there is a first event; whether there is one now."""
        if self.prefix is None:
            head = _read_fully(fs, self.held.fd, GUARD_BYTES, 0)
            self.prefix = first_prefix(head, final=final)
        return self.prefix is not None

    def resume(self, fs: Fs, known: Generation) -> Literal["resume", "reset"]:
        """Go on where the checkpoint left off, if the file is still what it was. Raises OSError."""
        before_at = known.position.offset - known.anchor.length
        head = _read_fully(fs, self.held.fd, known.prefix.length, 0)
        self._before = _read_fully(fs, self.held.fd, known.anchor.length, before_at)
        self.position = self.committed = known.position
        self.prefix = known.prefix
        self.durable = True
        state = at_start(known, self.held.size, head, self._before)
        self.seen = max(known.seen, self.held.size) if state == "resume" else known.seen
        return state

    def note_size(self) -> None:
        """Take note of the size that the table of descriptors saw, while it is this content's."""
        if len(self.held.peaks) - 1 == self._epoch:
            self.seen = max(self.seen, self.held.size)

    def snapshot(self, settled: Settled, *, ended: bool = False) -> Generation:
        """The generation as a checkpoint holds it. Of an ended one what is read is still to come;
        what wasn't is counted as lost already."""
        assert self.prefix is not None, "a generation is durable with a guard of its head only"
        self.note_size()
        return Generation(
            id=self.generation,
            file=self.held.file,
            input=self._input,
            path=self.held.path,
            prefix=self.prefix,
            anchor=settled.anchor,
            position=settled.position,
            seen=self.position.offset if ended else self.seen,
        )

    @property
    def is_truncated(self) -> bool:
        """Whether the table of descriptors saw the file shrink, now or since this generation
        began. Its size can be older than the last read."""
        shrunk = len(self.held.peaks) - 1 > self._epoch
        return shrunk or self.held.size < self.position.offset

    def lost_bytes(self) -> int:
        """What was seen of the file, up to its truncation, and can't be read any more.

        A file that was truncated several times while its sink was down has a peak for each time.
        """
        shrunken = self.held.peaks[self._epoch + 1 :]
        if not shrunken:
            return lost_bytes(self.seen, self.position.offset)
        first = max(self.seen, self.held.peaks[self._epoch])
        return lost_bytes(first, self.position.offset) + sum(shrunken[:-1])

    def skip_to_end(self, fs: Fs) -> None:
        """Start behind what is there (`start_at: end`), at the start of the next line."""
        size = self.held.size
        if not size:
            return  # what comes is new, and guarded by its first event
        fd, length = self.held.fd, min(size, GUARD_BYTES)
        self._before = _read_fully(fs, fd, length, size - length)
        self.prefix = guard_of(_read_fully(fs, fd, length, 0))
        self.position = Position(size, "" if self._before.endswith(b"\n") else "long")

    def anchor(self) -> Guard:
        """The guard of what precedes the position."""
        return guard_of(self._before)

    def view(self, now: float) -> View:
        """What is known of the file."""
        held = self.held
        return View(held.size, held.linked, held.rotated, now - held.changed_at)

    def state(self, settled: Position) -> dict[str, object]:
        """The file as the status page shows it."""
        return {
            "path": self.held.name,
            "size": self.held.size,
            "read": self.position.offset,
            "settled": settled.offset,
            "rotated": self.held.rotated,
            "waits": "" if self.durable else "first event, or a commit",
        }

    def read(self, fs: Fs) -> Chunk | Nothing:
        """The next chunk at the position. Raises OSError.

        The guards are verified after the bytes were read and before they are used: a file that
        was truncated and regrown in between would else be read from the middle of other lines.
        """
        data = fs.pread(self.held.fd, self._chunk_bytes, self.position.offset)
        if not data:  # rewritten to the very same size, it looks like this as well
            unlooked = self.idle_turns % REWRITE_TURNS
            return "end" if unlooked or self._intact(fs) else "replaced"
        whole = self._line_bytes_max + 1
        if len(data) == self._chunk_bytes < whole and b"\n" not in data:
            data = fs.pread(self.held.fd, whole, self.position.offset)
        if not self._intact(fs):
            return "replaced"
        self._raw = data
        return self._cut(data)

    def rest(self, fs: Fs, *, stop: bool) -> Chunk | None:
        """The last line, which has no newline, as a chunk; None if there is none.

        At a stop the position stays in front of it (the whole line is sent later, with another
        length); of a finished file it is consumed. Raises OSError.
        """
        data = _read_fully(fs, self.held.fd, self._line_bytes_max + 1, self.position.offset)
        if not data or b"\n" in data or len(data) > self._line_bytes_max:
            return None  # it isn't the last line, or one that `read` cuts
        if self.position.inside == "long" or not self._intact(fs):
            return None
        self._raw = data
        mark: Mark = "continued" if self.position.inside == "partial" else "partial"
        if stop:
            return self._chunk(data, mark, self.position)
        end = Position(self.position.offset + len(data), "partial")
        return self._chunk(data, mark, end)

    def shorten(self, chunk: Chunk) -> Chunk:
        """The first half of a chunk's lines: its rows would have been too many for a batch."""
        middle = chunk.data.rfind(b"\n", 0, len(chunk.data) // 2) + 1
        length = middle or chunk.data.find(b"\n") + 1
        smaller = max(CHUNK_BYTES_MIN, self._chunk_bytes // 2)
        self._chunk_bytes = min(self._chunk_bytes_max, smaller)
        return self._chunk(chunk.data[:length], "", Position(self.position.offset + length))

    def take(self, chunk: Chunk) -> None:
        """Move the position to the chunk's end."""
        assert chunk.start == self.position.offset, "a chunk is taken where it was read"
        consumed = chunk.end.offset - self.position.offset
        self._before = self._tail(consumed)
        self.position = chunk.end
        self.rest_bytes = 0 if consumed else len(chunk.data)
        self.seen = max(self.seen, chunk.end.offset)
        self._raw = b""

    def expanded(self, raw: int, wire: int, batch_bytes: int) -> None:
        """Let the chunk's size follow the last expansion, so that its rows fit a batch."""
        wanted = batch_bytes * raw // max(1, wire)
        self._chunk_bytes = min(self._chunk_bytes_max, max(CHUNK_BYTES_MIN, wanted))

    def _cut(self, data: bytes) -> Chunk | Nothing:
        offset, inside = self.position
        if inside == "long":
            newline = data.find(b"\n") + 1
            end = Position(offset + newline) if newline else Position(offset + len(data), "long")
            return self._chunk(b"", "", end)
        if inside == "partial":
            newline = data.find(b"\n", 0, self._line_bytes_max + 1) + 1
            if newline:
                return self._chunk(data[:newline], "continued", Position(offset + newline))
        else:
            cut = cut_lines(data, self._line_bytes_max)
            if cut.length:
                return self._chunk(data[: cut.length], "", Position(offset + cut.length))
        if len(data) <= self._line_bytes_max:
            return "line"
        length = cut_text(data, self._line_bytes_max)
        return self._chunk(data[:length], "truncated", Position(offset + length, "long"))

    def _chunk(self, data: bytes, mark: Mark, end: Position) -> Chunk:
        return Chunk(
            generation=self.generation,
            start=self.position.offset,
            data=data,
            end=end,
            anchor=guard_of(self._tail(end.offset - self.position.offset)),
            mark=mark,
        )

    def _tail(self, consumed: int) -> bytes:
        """The last GUARD_BYTES in front of `position + consumed`."""
        if consumed >= GUARD_BYTES:
            return self._raw[consumed - GUARD_BYTES : consumed]
        return (self._before + self._raw[:consumed])[-GUARD_BYTES:]

    def _intact(self, fs: Fs) -> bool:
        """Whether the file still has its head, and in front of the position what was there."""
        fd, offset, prefix = self.held.fd, self.position.offset, self.prefix
        assert prefix is not None, "nothing is read before the head is guarded"
        grown = prefix.length < GUARD_BYTES <= offset
        head = _read_fully(fs, fd, GUARD_BYTES if grown else prefix.length, 0)
        if not prefix.holds(head[: prefix.length]):
            return False
        before = self._before
        if before and _read_fully(fs, fd, len(before), offset - len(before)) != before:
            return False
        if grown:
            self.prefix = guard_of(head)
        return True


def _read_fully(fs: Fs, fd: int, size: int, offset: int) -> bytes:
    """`size` bytes at `offset`, fewer only at the file's end: a short read isn't an end, and a
    guard must not fail for it."""
    data = fs.pread(fd, size, offset)
    while len(data) < size and (more := fs.pread(fd, size - len(data), offset + len(data))):
        data += more
    return data
