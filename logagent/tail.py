"""One output's reading of one input: whose turn it is, truncations, ends, positions.

Knows followers and the ledger. Must not wait, render or send: `sync` after each scan, `read` and
`take` as long as there is something, `generations` for each commit. A test drives it by hand.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from logagent.core.chunk import Chunk, Ticket
from logagent.core.files import NO_GUARD, START, FileId, Generation
from logagent.core.follow import Known, at_end, lost_bytes, may_close
from logagent.core.ledger import Ledger
from logagent.core.turns import Turns, tick_after
from logagent.descriptors import Descriptors
from logagent.follower import Follower, TailSettings
from logagent.held import Held
from logagent.ports import Fs
from logagent.report import TailReport

IDLE_POLL_S: Final = 0.5
IDLE_TURNS: Final = 20
"""After so many turns without anything a file is polled each IDLE_POLL_S only."""


class Tail:
    """Reads the files of one input for one output, in turn."""

    def __init__(
        self,
        fs: Fs,
        descriptors: Descriptors,
        ledger: Ledger,
        settings: TailSettings,
        *,
        new_id: Callable[[], int],
        report: TailReport,
    ) -> None:
        self._fs = fs
        self._descriptors = descriptors
        self._ledger = ledger
        self.settings = settings
        self._new_id = new_id
        self._report = report
        self._followers: dict[FileId, Follower] = {}
        self._by_generation: dict[int, Follower] = {}
        self._known = Known()
        self._turns: Turns[Follower] = Turns()
        self._fresh: list[Follower] = []
        self._fresh_due = 0.0
        self._started = False
        self._ended: list[Follower] = []
        """Of truncated files, with rows under way: a death must not lose those uncounted."""
        held = descriptors.files(settings.user)
        self._epochs = {each.file: len(each.peaks) - 1 for each in held}
        """How often a file had shrunk when its generation, or this tail, began."""

    def resume(self, generations: Sequence[Generation]) -> Iterable[FileId]:
        """Take what a checkpoint says of this input's files, before the first `sync`; returns
        which files these are."""
        for generation in generations:
            if generation.input == self.settings.input:
                self._known.add(generation)
        return self._known.files()

    def sync(self, now: float) -> None:
        """Take over what the last scan saw: new files, shrunken ones, ends."""
        held_files = self._descriptors.files(self.settings.user)
        for held in held_files:
            follower = self._followers.get(held.file)
            if follower is None:
                self._adopt(held, now)
            elif follower.is_truncated:
                self._check(follower, now)
            elif may_close(follower.view(now), follower.committed, self.settings.rotate_wait_s):
                self._close(follower)
            else:
                follower.note_size()
        if self._descriptors.complete(self.settings.input):
            self._started = True
            ids = {held.file for held in held_files}
            blocked = self._descriptors.blocked
            for gone in self._known.gone(lambda file: file in ids or blocked(file)):
                self._report.vanished(gone, lost_bytes(gone.seen, gone.position.offset))

    def follower(self, generation: int) -> Follower:
        """Who reads a generation."""
        return self._by_generation[generation]

    def waits_for_commit(self, now: float, *, final: bool = False) -> bool:
        """Whether a generation has its first event and waits for a commit before it may be read.

        `final`: nothing more will come, so what a file holds is its first event.
        """
        if final or now >= self._fresh_due:
            self._fresh_due = tick_after(now, self.settings.poll_s)
            for follower in list(self._fresh):
                over = final or self._is_over(follower, now)
                if self._report.attempt(follower.held, follower.prepare, self._fs, final=over):
                    self._check(follower, now)  # the head can be another than the scan's
        return any(follower.prefix is not None for follower in self._fresh)

    def read(self, now: float) -> Chunk | None:
        """The next chunk of the next file that has one; None when all are at their end."""
        while (follower := self._turns.first(now)) is not None:
            chunk = self._read_one(follower, now) if self._is_current(follower) else None
            if chunk is not None:
                return chunk
            if self._is_current(follower):
                follower.idle_turns += 1
                quiet = follower.idle_turns > IDLE_TURNS
                poll_s = self.settings.poll_s
                self._turns.wait(tick_after(now, max(poll_s, IDLE_POLL_S) if quiet else poll_s))
            else:
                self._turns.drop()
        return None

    def take(self, chunk: Chunk, rows: int) -> int:
        """A chunk was rendered to so many rows: move on. Returns the ticket's key."""
        follower = self._by_generation[chunk.generation]
        assert follower.durable, "nothing is sent under a generation that isn't durable"
        read = chunk.end.offset - chunk.start
        self._report.read(read)
        if chunk.mark == "truncated":
            self._report.long_line()
        if not chunk.data:
            self._report.discarded(read)
        ticket = Ticket(chunk.generation, chunk.start, chunk.end, chunk.anchor, rows)
        key = self._ledger.open(ticket)
        follower.take(chunk)
        follower.idle_turns = 0
        if self._turns.first(0.0) is follower:
            self._turns.rotate()
        return key

    def due_at(self) -> float:
        """When the next file is to be polled (loop time)."""
        due = self._turns.due_at()
        return min(due, self._fresh_due) if self._fresh else due

    def wake(self) -> None:
        """Poll all files now."""
        self._turns.wake()

    def last_lines(self) -> Iterable[Chunk]:
        """At a stop: the last line of each file that has no newline. The cursor stays."""
        for follower in list(self._followers.values()):
            if follower.durable:
                chunk = self._report.attempt(follower.held, follower.rest, self._fs, stop=True)
                if chunk is not None:
                    yield chunk

    def lag_bytes(self) -> int:
        """Bytes that are in the files and not settled; last lines sent at a stop don't count. Files
        that no `sync` has seen do: while a sink is down there is none."""
        settled = self._ledger.settled
        files = self._descriptors.files(self.settings.user)
        return sum(held.size for held in files if held.file not in self._followers) + sum(
            max(0, f.held.size - settled(f.generation).position.offset - f.rest_bytes)
            for f in self._followers.values()
        )

    def states(self) -> list[dict[str, object]]:
        """Each file as the status page shows it."""
        settled = self._ledger.settled
        return [f.state(settled(f.generation).position) for f in self._followers.values()]

    def generations(self) -> list[Generation]:
        """What a commit must hold: each generation whose head is guarded, as far as settled."""
        for follower in [f for f in self._ended if self._ledger.is_settled(f.generation)]:
            self._ledger.retire(follower.generation)
            self._ended.remove(follower)
        settled = self._ledger.settled
        ended = [f.snapshot(settled(f.generation), ended=True) for f in self._ended]
        followed = [f.snapshot(settled(f.generation)) for f in self._followers.values() if f.prefix]
        return [*self._known.rest(), *ended, *followed]

    def committed(self, generations: Sequence[Generation]) -> None:
        """These are durable: new ones may be read now."""
        for generation in generations:
            follower = self._by_generation.get(generation.id)
            if follower is None:
                continue
            follower.committed = generation.position
            if not follower.durable:
                follower.durable = True
                self._fresh.remove(follower)
                self._turns.add(follower)

    def live(self, generation: int) -> bool:
        """Whether a generation is still followed."""
        return generation in self._by_generation

    def _adopt(self, held: Held, now: float) -> None:
        """Follow a file that the scan found: where the checkpoint left it, or from its start."""
        known = self._known.take(held.file)
        if known is None:
            follower = self._begin(held)
            if self.settings.start_at_end and not self._started:
                self._report.attempt(follower.held, follower.skip_to_end, self._fs)
            self._ledger.begin(follower.generation, follower.position, follower.anchor())
            return
        follower = self._new_follower(held, known.id)
        state = self._report.attempt(follower.held, follower.resume, self._fs, known)
        if state is None:  # can't be read just now: at the next scan again
            self._forget(follower)
            self._known.add(known)
            return
        self._ledger.begin(known.id, known.position, known.anchor)
        if state == "reset":
            self._reset(follower, now)
            return
        if known.path != held.path:
            held.rotated = True
        self._report.resumed(held, known.position.offset)
        self._turns.add(follower)

    def _begin(self, held: Held) -> Follower:
        """A new generation of a file."""
        follower = self._new_follower(held, self._new_id())
        self._fresh.append(follower)
        self._fresh_due = 0.0
        return follower

    def _new_follower(self, held: Held, generation: int) -> Follower:
        follower = Follower(held, generation, self.settings, self._epochs.get(held.file, 0))
        self._followers[held.file] = follower
        self._by_generation[generation] = follower
        return follower

    def _forget(self, follower: Follower) -> None:
        if self._is_current(follower):
            del self._followers[follower.held.file]
        del self._by_generation[follower.generation]
        if follower in self._fresh:
            self._fresh.remove(follower)

    def _check(self, follower: Follower, now: float) -> None:
        """Start over if the file is truncated; the last scan's size can be older than a read."""
        follower.note_size()
        if self._descriptors.probe(follower.held, now) and follower.is_truncated:
            self._reset(follower, now)

    def _reset(self, follower: Follower, now: float) -> None:
        """The file was truncated or rewritten in place: what it held is gone, start over at 0.

        Its size is taken over first: else the next scan would see this truncation once more.
        """
        held = follower.held
        self._descriptors.probe(held, now)
        lost = follower.lost_bytes()
        self._report.truncated(held, follower.position.offset, lost)
        self._forget(follower)
        if follower.durable and not self._ledger.is_settled(follower.generation):
            self._ended.append(follower)
        else:
            self._ledger.retire(follower.generation)
        self._epochs[held.file] = len(held.peaks) - 1
        successor = self._begin(held)
        self._ledger.begin(successor.generation, START, NO_GUARD)

    def _read_one(self, follower: Follower, now: float) -> Chunk | None:
        chunk = self._report.attempt(follower.held, follower.read, self._fs)
        if chunk is None or isinstance(chunk, Chunk):
            return chunk
        if chunk == "replaced":
            follower.note_size()
            self._reset(follower, now)
        elif chunk == "line":
            if self._is_over(follower, now):
                return self._report.attempt(follower.held, follower.rest, self._fs, stop=False)
        elif follower.idle_turns < IDLE_TURNS:  # busy a moment ago: don't wait for the scan
            self._check(follower, now)
        return None

    def _close(self, follower: Follower) -> None:
        """A file without a name, read, settled and committed to its end: give it back."""
        probe = self._report.attempt(follower.held, self._fs.probe, follower.held.fd)
        if probe is None or probe.size > follower.committed.offset:
            return  # it has grown since the scan
        self._report.finished(follower.held, follower.position.offset)
        self._ledger.retire(follower.generation)
        self._forget(follower)
        self._epochs.pop(follower.held.file, None)
        self._descriptors.release(follower.held, self.settings.user)

    def _is_over(self, follower: Follower, now: float) -> bool:
        wait = self.settings.rotate_wait_s
        return at_end(follower.view(now), follower.position, wait) == "finish"

    def _is_current(self, follower: Follower) -> bool:
        return self._followers.get(follower.held.file) is follower
