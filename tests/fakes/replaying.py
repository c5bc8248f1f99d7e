"""A rig that replays letters on disk to a scripted sink, in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from logagent.core.deadletter import DeadLetter, Segment, decode, encode
from logagent.core.ledger import Ledger
from logagent.core.metrics import Registry
from logagent.core.retry import Concurrency
from logagent.delivery import Delivery, DeliverySettings
from logagent.edge.dead_letters import LetterJournal
from logagent.edge.segments import Claims
from logagent.rejects import Rejects, Undertaking
from logagent.replay import Pile, Replay
from tests.fakes.loop import run
from tests.fakes.origin import ORIGIN
from tests.fakes.record import RecordingLog
from tests.fakes.sink import ScriptedCodec, ScriptedSink

TIME = "2026-11-24T10:00:00.000Z"


class Killed(Exception):
    """The process is gone."""


def made(number: int, *, time: str = TIME, file: str = "/a.log") -> DeadLetter:
    """A letter."""
    return DeadLetter(
        time,
        "out",
        400,
        "kind",
        "reason",
        f'{{"n":{number}}}',
        id=f"id{number}",
        input="app",
        file=file,
        generation=7,
        offset=10 * number,
        length=10,
    )


async def at_once(work: Callable[[], None]) -> None:
    """Do the work here and now."""
    work()


class Store(Claims):
    """`replay.Letters` on disk; it dies when `steps` changes have been made."""

    def __init__(self, directory: str, journal: LetterJournal) -> None:
        super().__init__(directory)
        self.journal = journal
        self.aside: list[bytes] = []
        self.steps = 1 << 30

    def step(self) -> None:
        """One more change."""
        self.steps -= 1
        if self.steps < 0:
            raise Killed

    def advance(self, segment: Segment, done: int) -> Segment | None:
        """See Claims."""
        self.step()
        return super().advance(segment, done)

    def remove(self, segment: Segment) -> None:
        """See Claims."""
        self.step()
        super().remove(segment)

    def keep(self, lines: bytes) -> None:
        """See `replay.Letters.keep`."""
        self.step()
        self.journal.write(lines, capped=False)

    def set_aside(self, lines: bytes) -> None:
        """See `replay.Letters.set_aside`."""
        self.aside.append(lines)


class Rig:
    """One output's letters on disk, and what replays them."""

    def __init__(self, folder: Path, *, segment_bytes: int = 1 << 20) -> None:
        self.directory = str(folder / "out")
        self.bytes_max = 8 * segment_bytes
        self.sink = ScriptedSink()
        self.codec = ScriptedCodec()
        self.log = RecordingLog()
        self.metrics = Registry()
        self.store = Store(self.directory, self.journal())

    def journal(self, above: int = -1) -> LetterJournal:
        """A journal of the letters."""
        return LetterJournal(self.directory, offload=at_once, bytes_max=self.bytes_max, above=above)

    def write(self, *letters: DeadLetter) -> None:
        """Append letters, as the agent does."""
        for letter in letters:
            self.journal().write(encode([letter]), capped=False)

    def replay(self, since: str = "", *, batch_bytes: int = 1 << 20) -> Replay:
        """A whole replay in a new process."""
        replay = self.make(batch_bytes)
        run(replay.run(since))
        return replay

    def make(self, batch_bytes: int = 1 << 20) -> Replay:
        """A replay that hasn't begun."""
        pile = Pile(Ledger())
        above = max((segment.number for segment in self.store.segments()), default=0)
        self.store.journal = self.journal(above)
        rejects = Rejects(
            "out",
            "dead_letter",
            self.codec,
            Undertaking(self.store.journal, pile.locate),
            wrapper=None,
            retry_max_s=30.0,
            clock=lambda: 1_800_000_000.25,
            jitter=lambda: 0.5,
            log=self.log,
            metrics=self.metrics,
        )
        delivery = Delivery(
            self.sink,
            self.codec,
            pile.ledger,
            rejects,
            DeliverySettings("out", retry_max_s=30.0, on_reject="dead_letter"),
            concurrency=Concurrency(1),
            jitter=lambda: 0.5,
            log=self.log,
            metrics=self.metrics,
        )
        return Replay(
            "out",
            self.store,
            pile,
            delivery,
            codec=self.codec,
            origin=lambda letter: replace(ORIGIN, path=letter.file),
            batch_bytes=batch_bytes,
            clock=lambda: 1_800_000_000.0,
            log=self.log,
        )

    def left(self) -> list[DeadLetter]:
        """The letters on disk."""
        paths = sorted(Path(self.directory).iterdir())
        return [decode(line) for path in paths for line in path.read_bytes().splitlines()]

    def arrived(self) -> Counter[bytes]:
        """How often each row was sent."""
        return Counter(line for body in self.sink.bodies for line in body.splitlines())
