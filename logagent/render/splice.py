"""The fast routes for JSON lines: splice and select.

The app's bytes stay as they are; what the agent adds comes before them: `{`, `@timestamp`,
metadata, comma, then what followed the app's `{`. With splice all rows get the same addition; with
select the timestamp differs from row to row, read from a field of the app.

Knows how to prove of a whole chunk that this is right, and hands over what it can't prove. What has
to be proved: each line is one JSON object, with at least one key; none has a key that is the
agent's; all have the same shape (`shapes.py`), so that all get the same addition.
"""

from io import BytesIO
from typing import Final

from logagent.core.chunk import Rows
from logagent.render.context import Context, Refusal, is_utf8, normalise
from logagent.render.find import searcher
from logagent.render.framing import Opening
from logagent.render.ids import line_lengths, spell_all
from logagent.render.survey import Survey, Surveyor
from logagent.render.timestamp import stamp

FLAT_RETRY: Final = 16
"""After a chunk that wasn't flat, so many chunks aren't tried (a try costs 20 ns a line)."""


class Splicer:
    """The fast routes of one renderer, and what it remembers of the app's habits."""

    def __init__(self, context: Context, surveyor: Surveyor) -> None:
        self.context = context
        self.surveyor = surveyor
        self.flat_wait = 0

    def render(self, raw: bytes, start: int, now: float) -> Rows | Refusal:
        """Render lines that all begin with `{`, or say why not."""
        data = normalise(raw)
        if data[0] != 123 or not is_utf8(data):
            return Refusal.EDIT
        survey = self.surveyor.survey(data, stamp(now))
        if survey is None:
            return Refusal.EDIT
        framing, count = self.context.framing, survey.lines
        ids = spell_all(start, line_lengths(raw)) if framing.with_ids else []
        opening = framing.open(survey.hours, ids).then(survey.before)
        if survey.column is not None:
            opening = opening.then(b"", survey.column, survey.width)
        opening = opening.then(survey.after)
        if len(data) + count * opening.width > self.context.wire_bytes_max:
            # Many values on a single line aren't rows, and a single line is never too dense.
            is_single = data.index(b"\n") == len(data) - 1
            if not is_single:
                return Refusal.DENSE
        if ids and len(ids) != count:  # a blank line; or values and lines aren't the same
            return Refusal.EDIT
        wire = self.assemble(data, opening, survey)
        if wire is None:
            return Refusal.EDIT
        return Rows(wire, count, malformed=survey.malformed)

    def assemble(self, data: bytes, opening: Opening, survey: Survey) -> bytes | None:
        """Put the opening before each line; None if not each line is one object with a key."""
        tail, count = self.context.framing.frame.tail, survey.lines
        if tail == b"\n" and not self.flat_wait:
            counted = self.context.framing.with_ids
            wire = flat_wire(data, opening, count, has_keys=survey.has_keys, counted=counted)
            if wire is not None:
                return wire
            self.flat_wait = FLAT_RETRY
        self.flat_wait = max(self.flat_wait - 1, 0)
        # `}⏎{` can't be inside a value. So if all lines begin and end like this, each line is one
        # or more values; as many values as lines then leave one for each. That it is all lines
        # shows in the bytes: two lines that fail must not be made up for by one with two values.
        if tail == b"\n":
            bodies = [
                line[1:]
                for line in BytesIO(data)
                if line[0] == 123 and line[1] == 34 and line[-2] == 125
            ]
        else:
            bodies = [
                line[1:-1] + tail
                for line in BytesIO(data)
                if line[0] == 123 and line[1] == 34 and line[-2] == 125
            ]
        size = len(data) + count * (len(tail) - 2)
        return (
            opening.join(bodies) if len(bodies) == count and sum(map(len, bodies)) == size else None
        )


def flat_wire(
    data: bytes, opening: Opening, count: int, *, has_keys: bool, counted: bool
) -> bytes | None:
    """Put the opening before each of `count` valid objects by one replace of `{`, or return None.

    145 ns a line less than taking the lines apart. It is right if each line is one object with a
    key, and has no other `{`. As many `{` as values: none is nested or in a string. In JSON only
    white space or `}` can precede the `{` of a value here; where it is never `}`, space, tab or
    return, it is a newline; so each value begins a line, and as many newlines as values leave none
    to be elsewhere. has_keys: it is known that no object is empty; counted: that there are `count`
    newlines. Losing variants: a regular expression over the chunk (1 ns a byte), counting `}⏎{`
    (200 ns a line).
    """
    search = searcher(data)
    if b"\t" in data or b"\r" in data or search(b"}{") or search(b" {"):
        return None
    if not has_keys and (search(b"{}") or search(b"{ ")):
        return None
    if not counted and len(data) - len(data.replace(b"\n", b"")) != count:
        return None
    return opening.replace(data, b"{", count)
