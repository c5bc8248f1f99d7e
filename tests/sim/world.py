"""One run: the world of one seed, in which processes of the agent live and die one after the other.

Knows the models, the plan, the marks and the event log. Everything that is drawn is drawn from one
generator, in the order of events, so the same seed is the same run.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from tests.sim.agentfs import Slots
from tests.sim.app import Line, Writer, make_text
from tests.sim.fs import Disk, Inode, Life
from tests.sim.loop import VirtualClock
from tests.sim.models import model_of
from tests.sim.oracle import Oracle
from tests.sim.plan import Ending, Plan
from tests.sim.rows import Broken
from tests.sim.wire import Network

if TYPE_CHECKING:
    from tests.sim.agent import Process

EPOCH_S: Final = 1_800_000_000.0
"""When the world began, as its wall clock says."""
LINES_MIN: Final = 1000


class World:
    """Everything outside the agent."""

    def __init__(self, plan: Plan, clock: VirtualClock, *, verbose: bool = False) -> None:
        self.plan = plan
        self.clock = clock
        self.rng = Random(plan.seed ^ 0x5EED)
        self.disk = Disk(reuse=plan.reuse_inodes, birth_tick_ns=plan.birth_tick_ns)
        self.slots = Slots()
        self.marks: set[str] = set()
        self.trace: list[str] = []
        self.failures: list[str] = []
        self.calm = False
        """Whether the faults have stopped."""
        self.is_dead = True
        """Whether the present process was killed: nothing that it does has an effect any more."""
        self.process = 0
        self.processes: list[Process] = []
        """All that ever lived: what they left lying about must not be collected."""
        self.ending: Ending | None = None
        self.denied: dict[Inode, tuple[float, str]] = {}
        self.is_quiet = False
        """Whether the app only writes."""
        self._until = 0
        self._in_race = False
        self._verbose = verbose
        self.oracle = Oracle(self)
        self.network = Network(self)
        self.sinks = {each.name: model_of(self, each) for each in plan.outputs}
        self.writers = [
            Writer(self, number, plan.lines // plan.writers + 1) for number in range(plan.writers)
        ]
        self.disk.exists = not plan.late_root_s
        clock.at(plan.late_root_s, self.begin)

    # What happens.

    def begin(self) -> None:
        """The app starts."""
        self.disk.exists = True
        for writer in self.writers:
            writer.reopen()
            self.schedule(writer)

    def schedule(self, writer: Writer) -> None:
        """Plan a writer's next action."""
        when = self.clock.now + self.rng.expovariate(1.0 / self.plan.cadence_s) + writer.pause_s
        writer.pause_s = 0.0
        self.clock.at(when, lambda: self.turn(writer))

    def turn(self, writer: Writer) -> None:
        """A writer acts, and will again."""
        writer.act()
        missing = LINES_MIN + 50 - self.oracle.coming() if writer.left <= 0 else 0
        if missing > 0:  # what was deleted unread is made up for: each run moves so many
            self.is_quiet = True
            writer.left = missing
        if writer.left > 0:
            self.schedule(writer)
        else:
            self.clock.at(self.clock.now + 2.0, writer.finish)

    @property
    def is_written(self) -> bool:
        """Whether the app has written all that it will ever write."""
        return all(writer.has_ended for writer in self.writers)

    def race(self) -> None:
        """Perhaps let the app act just now, between two calls of the agent."""
        if self._in_race or not self.chance("race"):
            return
        self._in_race = True
        writer = self.rng.choice(self.writers)
        if writer.left > 0 and self.disk.exists:
            self.mark("race")
            writer.act()
        self._in_race = False

    # What the app does.

    def now_ns(self) -> int:
        """The kernel's time."""
        return int((EPOCH_S + self.clock.now) * 1e9)

    def wall(self) -> float:
        """The agent's wall clock, which may jump once."""
        jump = self.plan.clock_jump_s if self.clock.now > 5.0 else 0.0
        if jump:
            self.mark("clock_jump")
        return EPOCH_S + self.clock.now + jump

    def create(self, path: bytes) -> Inode:
        """Create a file."""
        before = self.disk.reused
        inode = self.disk.create(path, self.now_ns())
        if self.disk.reused > before:
            self.mark("inode_reused")
        self.note("create", path, inode.ino)
        return inode

    def append(self, inode: Inode, data: bytes, token: bytes) -> None:
        """Append to a file."""
        if not data.endswith(b"\n") or inode.life.fragment:
            self.oracle.lines.begun.add(token)
        self.oracle.lines.homes.setdefault(token, inode.life)
        self.disk.append(inode, data, token, now_ns=self.now_ns())
        self.note("append", repr(inode.life), len(inode.life.data), token)

    def truncate(self, inode: Inode) -> None:
        """Truncate a file."""
        self.mark("truncate")
        self.note("truncate", repr(inode.life), len(inode.life.data))
        self.disk.truncate(inode)

    def make_line(self, writer: int, number: int) -> Line:
        """Draw a line."""
        rng, plan = self.rng, self.plan
        odd = plan.odd_lines
        if rng.random() < odd["blank"]:
            self.mark("blank_line")
            return Line(b"", b"", blank=True)
        size = plan.line_bytes if plan.fixed_length else rng.randint(9, 2 * plan.line_bytes)
        kind = "text" if plan.format == "text" or rng.random() < 0.1 else "json"
        if plan.format == "auto" and writer % 2:
            kind = "text"
        for name in ("broken", "reserved"):
            if kind == "json" and rng.random() < odd[name]:
                kind = name
        if rng.random() < odd["wide"]:
            kind = "wide"
        if rng.random() < odd["long"]:
            size = plan.line_bytes_max * rng.randint(1, 5)
            self.mark("long_line")
        return self._line(writer, number, size, kind=kind)

    def make_line_of(self, writer: int, number: int, size: int) -> Line:
        """A line of text of exactly `size` bytes."""
        return self._line(writer, number, size, kind="text")

    def _line(self, writer: int, number: int, size: int, *, kind: str) -> Line:
        token = b"<%d:%05d>" % (writer, number)
        text = make_text(self.rng, token, size, kind)
        self.oracle.lines.texts[token] = text
        return Line(token, text)

    def is_readable(self, life: Life) -> bool:
        """Whether a scan finds this content now, however often the agent was killed."""
        inode = life.inode
        return inode.life is life and inode.nlink > 0 and self.matches(inode)

    def matches(self, inode: Inode) -> bool:
        """Whether a file's present name belongs to the input."""
        name = next((path for path, other in self.disk.names.items() if other is inode), b"")
        return name.endswith(b".log") or not self.plan.narrow_glob

    # Chance, deaths, notes.

    def chance(self, fault: str) -> bool:
        """Whether a fault of the file system happens."""
        rate = self.plan.rates[fault]
        if not rate or self.calm or self.rng.random() >= rate:
            return False
        self.mark(fault)
        return True

    def denial(self, inode: Inode) -> str:
        """Why a file can't be opened now, or "": for a moment, or for some seconds."""
        until, code = self.denied.get(inode, (0.0, ""))
        if not self.calm and self.clock.now < until:
            return code
        if not self.chance("open_fault"):
            return ""
        code = self.rng.choice(["EACCES", "EAGAIN", "EMFILE", "ENOENT"])
        self.denied[inode] = (self.clock.now + self.rng.choice([0.0, 1.0, 3.0]), code)
        return code

    def live(self, ending: Ending | None) -> None:
        """A new process begins, which will end like this."""
        self.process += 1
        self.is_dead = False
        self.ending = ending
        self._until = ending.at if ending else 0

    def lives(self, process: int) -> bool:
        """Whether this process is there."""
        return self.process == process and not self.is_dead

    def dies(self, place: str) -> bool:
        """Whether the process is killed here and now."""
        if self.is_dead or self.ending is None or self.ending.how != place:
            return False
        self._until -= 1
        if self._until > 0:
            return False
        self.kill(place)
        return True

    def kill(self, why: str) -> None:
        """The process is killed: it stops after this step, and nothing more has an effect."""
        self.is_dead = True
        self.mark(f"kill_{why}")
        self.note("kill", why)

    def mark(self, name: str) -> None:
        """Note that a fault or a situation occurred in this run."""
        self.marks.add(name)

    def note(self, *facts: object) -> None:
        """Add an event to the log."""
        self.trace.append(f"{self.clock.now:.6f} {self.process} {facts}")
        if self._verbose:
            print(self.trace[-1])

    def expect(self, holds: bool, what: str) -> None:  # noqa: FBT001  a condition, as in assert
        """Raise Broken when something doesn't hold."""
        if not holds:
            raise Broken(what)
