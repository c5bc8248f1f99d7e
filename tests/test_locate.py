"""Refused rows are found again in their file, exactly, or within a range that is true."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from logagent.core.chunk import Frame, Mark, Rows
from logagent.core.deadletter import Place, Sought
from logagent.locate import TWIN, Locator, Twin
from logagent.render.ids import spell, spell_generation
from logagent.render.metadata import build
from logagent.render.program import Spec, compile_program
from logagent.source import Renderer
from tests.fakes.tailing import ROOT, Rig

PATH = f"{ROOT}/a.log"
LINES = b'one\n\n{"two":2}\nthree\n'


def twin(path: bytes, generation: int) -> Renderer:
    """The twin of a renderer of any format."""
    metadata = build("none", {}, {}, container="", path=path)
    return compile_program(Spec(format="auto")).bind(metadata, TWIN, generation)


def rows_of(data: bytes) -> int:
    """How many rows a chunk has."""
    metadata = build("none", {}, {}, container="", path=b"/")
    frame = Frame(head=b"", middle=b"", tail=b"\n")
    rows = compile_program(Spec(format="auto")).bind(metadata, frame, 1).render(data, 0, 0.0)
    assert rows is not None
    return rows.count


class Located:
    """A file of some lines, read and taken as one ticket, whose rows are open."""

    def __init__(self, data: bytes = LINES) -> None:
        self.rig = Rig()
        self.rig.fs.put(PATH, data)
        self.rig.scan()
        assert self.rig.tail.waits_for_commit(self.rig.now)
        self.rig.commit()
        chunk = self.rig.tail.read(self.rig.now)
        assert chunk is not None
        self.key = self.rig.tail.take(chunk, rows_of(chunk.data))
        self.generation = chunk.generation
        self.locator = self.make(twin)

    def make(self, bind: Callable[[bytes, int], Renderer]) -> Locator:
        """A locator with this twin."""
        twins = [Twin(self.rig.tail, bind)]
        return Locator(self.rig.fs, self.rig.ledger, twins, lambda: 0.0)

    def places(self, *rows: int, key: int | None = None) -> list[tuple[int, int, bool]]:
        """Offset, length and exactness of rows."""
        found = self.locator(self.key if key is None else key, [Sought(row) for row in rows])
        assert all(place.generation == self.generation for place in found)
        return [(place.offset, place.length, place.exact) for place in found]


def test_rows_are_found_in_the_file() -> None:
    """Blank lines are no rows, and are bytes."""
    located = Located()
    assert located.places(0, 1, 2) == [(0, 4, True), (5, 10, True), (15, 6, True)]
    (place,) = located.locator(located.key, [Sought(1)])
    assert place.id.encode() == spell_generation(located.generation) + spell(5, 10)


def test_a_row_that_has_its_id_is_not_looked_for() -> None:
    """Its id says where it is, also when the file is gone."""
    located = Located()
    located.rig.fs.truncate(PATH)
    spelled = spell_generation(located.generation) + spell(5, 10)
    assert located.locator(located.key, [Sought(7, spelled)]) == [
        Place(spelled.decode(), located.generation, 5, 10)
    ]


def test_other_content_is_a_range() -> None:
    """A file that was truncated and grew again, while nobody has noticed: the ticket's range, and
    an id that is the same each time and another for each row."""
    located = Located()
    for other in (LINES[:-2] + b"E\n", b"O" + LINES[1:], b"one\n"):
        located.rig.fs.truncate(PATH, other)
        assert located.places(0, 2) == [(0, len(LINES), False)] * 2
    first = located.locator(located.key, [Sought(0), Sought(2)])
    assert first == located.locator(located.key, [Sought(0), Sought(2)])
    assert first[0].id != first[1].id


def test_a_generation_that_has_ended_is_a_range() -> None:
    """Its descriptor is read under another generation now."""
    located = Located()
    located.rig.fs.truncate(PATH)
    located.rig.scan()
    assert located.places(1) == [(0, len(LINES), False)]


def test_a_disk_that_fails_is_a_range() -> None:
    """A letter is made all the same."""
    located = Located()
    located.rig.fs.broken["pread"] = OSError(5, "Input/output error")
    assert located.places(1) == [(0, len(LINES), False)]


def test_another_number_of_rows_is_a_range() -> None:
    """A twin that doesn't agree about what is a row isn't believed."""

    class Odd:
        def render(self, data: bytes, start: int, now: float, mark: Mark = "") -> Rows | None:
            return Rows(b"id\t{}\n", 1)

    class Full(Odd):
        def render(self, data: bytes, start: int, now: float, mark: Mark = "") -> Rows | None:
            return None

    located = Located()
    for odd in (Odd(), Full()):
        located.locator = located.make(partial(_any, odd))
        assert located.places(1) == [(0, len(LINES), False)]


def test_a_last_line_at_a_stop_is_found() -> None:
    """Its ticket has no end: the position stays in front of it. Once the file has grown it is known
    where it began, and how long it was."""
    located = Located()
    located.rig.fs.append(PATH, b"last")
    located.rig.scan()
    (chunk,) = located.rig.tail.last_lines()
    key = located.rig.tail.take(chunk, 1)
    located.rig.fs.append(PATH, b" and more\n")
    start = len(LINES)
    assert located.places(0, key=key) == [(start, 4, True)]


def _any(renderer: Renderer, path: bytes, generation: int) -> Renderer:
    """A bind that always makes this one."""
    assert path == PATH.encode()
    assert generation
    return renderer
