"""Raw events → the rows of one output: the choice of the route.

`compile_program` does what depends on the configuration, `bind` what depends on a file, `render`
what depends on a chunk. All routes give the same documents; the cheapest that can be proved right
for a chunk makes them.

    text    text.py     one escape of the whole chunk
    splice  splice.py   JSON: the app's bytes stay, ours come before them
    select  splice.py   the same, with a timestamp read from a field of the app
    edit    edit.py     line by line: whatever the others hand over

Pure: no clock, no file, no network.
"""

from typing import Literal

from msgspec import Struct

from logagent.core.chunk import Frame, Mark, Rows
from logagent.render.context import OWN_STAMP, Context, Refusal, Tables
from logagent.render.edit import Editor
from logagent.render.find import searcher
from logagent.render.framing import Framing
from logagent.render.metadata import OWNED, Metadata, find_clashes
from logagent.render.shapes import Shapes
from logagent.render.splice import Splicer
from logagent.render.survey import Surveyor
from logagent.render.text import render_text
from logagent.render.watch import Watch


class Spec(Struct, frozen=True):
    """What the configuration says about rendering, as plain values.

    format: auto (a line that begins with `{` is JSON, else text), text, json. timestamp: top-level
    fields to read the event's time from, in this order; an `@timestamp` of the app's own is always
    kept. wire_bytes_max: bound on `Rows.wire` of one chunk, except for a single row.
    """

    format: Literal["auto", "text", "json"]
    timestamp: tuple[str, ...] = ("@timestamp", "timestamp", "time", "ts")
    wire_bytes_max: int = 8 << 20


def compile_program(spec: Spec) -> "Program":
    """Compile a configuration. Cheap; a program is shared by all files of an input and output."""
    return Program(spec)


class Program:
    """A compiled configuration."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.fields = tuple(dict.fromkeys((OWN_STAMP, *spec.timestamp)))
        self.shapes = Shapes()
        self.tables: dict[tuple[str, ...], Tables] = {}

    def bind(self, metadata: Metadata, frame: Frame, generation: int) -> "Renderer":
        """Return the renderer for one generation of a file and one output."""
        members = metadata.encode()
        context = Context(
            format=self.spec.format,
            fields=self.fields,
            members=members,
            metadata=b",".join(members.values()),
            framing=Framing(frame, generation),
            tables=self.tables_for(metadata),
            wire_bytes_max=self.spec.wire_bytes_max,
        )
        return Renderer(context)

    def tables_for(self, metadata: Metadata) -> Tables:
        """Return the tables for these names of members: mostly the same for all files."""
        clashes = find_clashes(metadata)
        names = (*clashes.keys, *clashes.below)
        found = self.tables.get(names)
        if found is None:
            forbidden = Watch(clashes.keys, (*OWNED, *clashes.below))
            found = Tables(clashes, forbidden, Watch(self.fields, ()), self.shapes)
            self.tables[names] = found
        return found


class Renderer:
    """Renders the chunks of one generation for one output. Remembers habits, never data."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.metadata = context.metadata
        surveyor = Surveyor(context)
        self.splicer = Splicer(context, surveyor)
        self.editor = Editor(context, surveyor)

    def render(self, data: bytes, start: int, now: float, mark: Mark = "") -> Rows | None:
        """Render whole events.

        data: lines, the last one with its newline unless `mark` is truncated or partial. start:
        offset of data[0] in the file. now: reading time, seconds since the epoch. Returns None when
        the rows would be more than `wire_bytes_max` ("too dense"): give less and ask again; a
        single line is always rendered. Never raises, whatever the bytes are.
        """
        if not data:
            return Rows(b"", 0)
        rows = Refusal.EDIT if mark or data[-1] != 10 else self.render_fast(data, start, now)
        if rows is Refusal.EDIT:
            rows = self.editor.render(data, start, now, mark)
        return None if isinstance(rows, Refusal) else rows

    def render_fast(self, data: bytes, start: int, now: float) -> Rows | Refusal:
        """Render whole lines by the cheapest route, or say why not."""
        match self.context.format:
            case "text":
                return render_text(self.context, data, start, now)
            case "auto" if data[0] != 123:
                if searcher(data)(b"\n{"):
                    return Refusal.EDIT
                return render_text(self.context, data, start, now)
            case _:
                return self.splicer.render(data, start, now)
