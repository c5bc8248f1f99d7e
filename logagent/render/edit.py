"""The careful route: each line by itself.

Takes whatever the fast routes hand over: lines of different shapes, lines that are not what the
format says, keys that belong to the agent, events with a mark. What it makes of a line that a fast
route could render is the same, byte for byte.
"""

from io import BytesIO
from itertools import compress, repeat
from typing import Final

import orjson
from msgspec import Struct

from logagent.core.chunk import Mark, Rows
from logagent.render.context import OWN_STAMP, Context, Refusal, is_utf8, normalise
from logagent.render.ids import ID_WIDTH_MAX, line_lengths, spell_all
from logagent.render.members import Members, decode_all, shadow, try_decode
from logagent.render.metadata import is_owned
from logagent.render.survey import Surveyor
from logagent.render.timestamp import Stamp, read_stamp, stamp

BLOCK_LINES: Final = 100
"""So many lines are decoded to dicts at once: those of a whole chunk don't fit the cache. A bad
line costs its block, not its chunk."""
PLANS_MAX: Final = 256


class Plan(Struct, frozen=True, gc=False):
    """What to do with all objects that have the same keys in the same order.

    field: where the timestamp is ("": nowhere). metadata: without what these keys push out, with a
    comma. moved: the agent's keys among them. is_empty: there are no keys.
    """

    field: str
    metadata: bytes
    moved: tuple[str, ...]
    is_empty: bool


class Page:
    """The documents of one chunk as they are made, and what has to be said about them."""

    def __init__(self, ours: Stamp, mark: Mark) -> None:
        self.ours = ours
        self.mark = mark
        self.stamp = b'"@timestamp":' + ours.text + b","
        self.remark = remark("", mark)
        self.documents: list[bytes] = []
        self.hours: list[str] = []
        self.malformed = 0
        self.shadowed = 0


class Editor:
    """The careful route of one renderer."""

    def __init__(self, context: Context, surveyor: Surveyor) -> None:
        self.context = context
        self.surveyor = surveyor
        self.plans: dict[tuple[str, ...], Plan] = {}
        self.is_dated = context.framing.frame.dated is not None
        self.metadata = context.metadata + b"," if context.metadata else b""

    def render(
        self, raw: bytes, start: int, now: float, mark: Mark, *, singly: bool = False
    ) -> Rows | Refusal:
        """Render any bytes. singly: decode each line by itself; the rows are the same."""
        framing = self.context.framing
        data = normalise(raw)
        lines = [line for line in BytesIO(data) if line[0] != 10]
        ids = spell_all(start, line_lengths(raw)) if framing.with_ids else []
        filtered = 0
        if len(lines) != (count := len(line_lengths(data))):
            filtered = count - len(lines)
            if ids:
                blank = [line[0] == 10 for line in BytesIO(data)]
                ids = [each for each, is_blank in zip(ids, blank, strict=True) if not is_blank]
        if not lines:
            return Rows(b"", 0, filtered=filtered)
        if lines[-1][-1] != 10:
            lines[-1] += b"\n"
        ours = stamp(now)
        overhead = framing.open(ours.hour, []).width + ID_WIDTH_MAX + len(framing.frame.tail)
        least = len(data) + len(lines) * (overhead + len(self.metadata))
        if len(lines) > 1 and least > self.context.wire_bytes_max:
            return Refusal.DENSE
        page = Page(ours, mark)
        if singly or mark or not self.fill_fast(page, lines):
            self.fill(page, lines, singly=singly or not is_utf8(data))
        opening = framing.open(page.hours if self.is_dated else ours.hour, ids)
        size = sum(map(len, page.documents)) + len(lines) * overhead
        if len(lines) > 1 and size > self.context.wire_bytes_max:
            return Refusal.DENSE
        return Rows(
            opening.join(page.documents),
            len(lines),
            filtered=filtered,
            malformed=page.malformed,
            shadowed=page.shadowed,
        )

    def fill_fast(self, page: Page, lines: list[bytes]) -> bool:
        """Make the documents of lines most of which are harmless objects, with others between them.

        Surveys those at once (400 ns a line less than `fill`); false when that can't be done.
        """
        if self.context.format == "text":
            return False
        tail = self.context.framing.frame.tail
        fit = [line[0] == 123 and line[1] == 34 and line[-2] == 125 for line in lines]
        data = b"".join(compress(lines, fit))
        count = sum(fit)
        # All of them: then the splice route has just tried the same.
        if not len(lines) > count > len(lines) // 2 or not is_utf8(data):
            return False
        survey = self.surveyor.survey(data, page.ours)
        if survey is None or survey.lines != count:  # equal: each line is one object; see splice.py
            return False
        befores = iter(survey.befores())
        hours = repeat(survey.hours) if isinstance(survey.hours, str) else iter(survey.hours)
        if tail == b"\n" and not self.is_dated:
            page.documents += [
                next(befores) + line[1:] if is_fit else self.one(page, line)
                for line, is_fit in zip(lines, fit, strict=True)
            ]
            page.malformed += survey.malformed
            return True
        for line, is_fit in zip(lines, fit, strict=True):
            if is_fit:
                document = next(befores) + line[1:]
                if self.is_dated:
                    page.hours.append(next(hours))
            else:
                document = self.one(page, line)
            page.documents.append(document if tail == b"\n" else document[:-1] + tail)
        page.malformed += survey.malformed
        return True

    def one(self, page: Page, line: bytes) -> bytes:
        """Make the document of one line, with a newline."""
        kind = self.context.format
        if kind == "text" or (kind == "auto" and line[0] != 123):
            return self.message(page, line, "")
        members = try_decode(line)
        if members is None:
            return self.message(page, line, "parse")
        keys = tuple(members)
        return self.splice(page, line, members, self.plans.get(keys) or self.make_plan(keys))

    def fill(self, page: Page, lines: list[bytes], *, singly: bool) -> None:
        """Make the document of each line.

        All objects with the same keys that need nothing but an addition get the same one, so for
        most lines it is looked up and joined: 300 ns a line on top of decoding them.
        """
        tail = self.context.framing.frame.tail
        add = page.documents.append
        common: dict[tuple[str, ...], bytes] = {}
        size = 1 if singly else BLOCK_LINES
        for at in range(0, len(lines), size):
            block = lines[at : at + size]
            rows = None if singly or self.context.format == "text" else decode_all(block)
            if rows is None:
                for line in block:
                    document = self.one(page, line)
                    add(document if tail == b"\n" else document[:-1] + tail)
                continue
            for line, members in zip(block, rows, strict=True):
                keys = tuple(members)
                before = common.get(keys)
                if before is not None:
                    document = before + line[1:]
                    if self.is_dated:
                        page.hours.append(page.ours.hour)
                else:
                    plan = self.plans.get(keys) or self.make_plan(keys)
                    document = self.splice(page, line, members, plan)
                    if keys and not plan.moved and self.is_common(plan):
                        common[keys] = document[: len(document) - len(line) + 1]
                add(document if tail == b"\n" else document[:-1] + tail)

    def is_common(self, plan: Plan) -> bool:
        """Whether what is added depends on the keys alone."""
        return not plan.field or (plan.field == OWN_STAMP and not self.is_dated)

    def message(self, page: Page, line: bytes, error: str) -> bytes:
        """Make the document of a line of text, or of one that isn't what it should be."""
        line = line.removesuffix(b"\n")
        try:
            text = line.decode()
        except UnicodeDecodeError as wrong:
            text = line.decode(errors="replace")
            # A cut may go through a character: nothing is wrong with the line.
            is_cut = wrong.reason == "unexpected end of data" and page.mark in CUT_MARKS
            error = error if is_cut else "parse"
        page.malformed += bool(error)
        if self.is_dated:
            page.hours.append(page.ours.hour)
        said = remark(error, page.mark) if error else page.remark
        message = orjson.dumps(text)
        return b'{%b%b%b"message":%b}\n' % (page.stamp, self.metadata, said, message)

    def splice(self, page: Page, line: bytes, members: Members, plan: Plan) -> bytes:
        """Make the document of a JSON object: our members, then the app's."""
        stamped, said, hour = page.stamp, page.remark, page.ours.hour
        if plan.field == OWN_STAMP:
            stamped = b""
            if self.is_dated and (own := read_stamp(bytes(members[OWN_STAMP]))):
                hour = own.hour
        elif plan.field:
            read = read_stamp(bytes(members[plan.field]))
            if read is None:
                page.malformed += 1
                said = remark("timestamp", page.mark)
            else:
                stamped, hour = b'"@timestamp":' + read.text + b",", read.hour
        if self.is_dated:
            page.hours.append(hour)
        before = b"{" + stamped + said + plan.metadata
        if plan.moved:
            page.shadowed += 1
            return before + shadow(members, plan.moved)[1:] + b"\n"
        if plan.is_empty and len(before) > 1:
            return before[:-1] + b"}\n"
        return before + (line[1:] if line[0] == 123 else line[line.index(b"{") + 1 :])

    def make_plan(self, keys: tuple[str, ...]) -> Plan:
        """Work out what to do with objects that have these keys."""
        if len(self.plans) >= PLANS_MAX:
            self.plans.clear()
        metadata = self.context.without(frozenset(keys))
        self.plans[keys] = plan = Plan(
            field=next((field for field in self.context.fields if field in keys), ""),
            metadata=metadata + b"," if metadata else b"",
            moved=tuple(key for key in keys if is_owned(key)),
            is_empty=not keys,
        )
        return plan


CUT_MARKS: Final = ("truncated", "partial")


def remark(error: str, mark: Mark) -> bytes:
    """Return what the agent says about an event, `"logagent":{…},`; b"" if nothing."""
    said: dict[str, str | bool] = {"error": error} if error else {}
    if mark:
        said[mark] = True
    return b'"logagent":%b,' % orjson.dumps(said) if said else b""
