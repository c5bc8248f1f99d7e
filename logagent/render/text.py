"""The fast route for text: each line becomes the `message` of a document.

Knows how to escape a whole chunk as one JSON string and cut it into rows afterwards. Hands over
what isn't UTF-8.
"""

from io import BytesIO
from typing import Final, NamedTuple

import orjson

from logagent.core.chunk import Rows
from logagent.render.context import Context, Refusal, normalise
from logagent.render.find import searcher
from logagent.render.framing import Opening, double, interleave
from logagent.render.ids import line_lengths, spell_all
from logagent.render.timestamp import stamp

SEPARATORS: Final = tuple(bytes([code]) for code in b"\x7f~`^|#$;!*+=<>?&@")
"""Stand in for the newline while a chunk is one string: ASCII, so that it stays UTF-8; nothing that
JSON escapes or that an escape consists of. The first that the chunk lacks is taken."""


class Lines(NamedTuple):
    """What is left of a chunk without its blank lines. ids: of the lines left."""

    data: bytes
    ids: list[bytes]
    filtered: int


def render_text(context: Context, raw: bytes, start: int, now: float) -> Rows | Refusal:
    """Render whole lines of text, or say why not."""
    lines = drop_blank(raw, start, with_ids=context.framing.with_ids)
    if not lines.data:
        return Rows(b"", 0, filtered=lines.filtered)
    ours = stamp(now)
    metadata = b"," + context.metadata if context.metadata else b""
    opening = context.framing.open(ours.hour, lines.ids)
    opening = opening.then(b'{"@timestamp":' + ours.text + metadata)
    data = double(lines.data) if opening.columns else lines.data
    tail = double(context.framing.frame.tail) if opening.columns else context.framing.frame.tail
    fixed = opening.text + tail
    separator = next((each for each in SEPARATORS if each not in data and each not in fixed), b"")
    if not separator:
        return Refusal.EDIT
    try:
        # A view, so that what the last newline became is left out without a copy.
        text = str(memoryview(data.replace(b"\n", separator))[:-1], "utf-8")
    except UnicodeDecodeError:
        return Refusal.EDIT
    wire = first_row(opening, text, tail)
    between = b'"}' + tail + opening.text + b',"message":"'
    filled = opening.width - len(opening.text)  # what the values add to a row's slots
    width = len(between) + filled
    most = max(context.wire_bytes_max - len(wire) - filled, 0) // width
    # The count makes the bound exact, and free: no more rows are made than fit.
    rows = wire.replace(separator, between, most)
    count = (len(rows) - len(wire)) // (len(between) - 1)
    if count == most and separator in rows:
        return Refusal.DENSE
    if opening.columns:
        rows %= interleave(opening.columns)
    return Rows(rows, count + 1, filtered=lines.filtered)


def drop_blank(raw: bytes, start: int, *, with_ids: bool) -> Lines:
    """Normalise the line ends, spell the ids, and leave out blank lines."""
    data = normalise(raw)
    ids = spell_all(start, line_lengths(raw)) if with_ids else []
    if data[0] != 10 and not searcher(data)(b"\n\n"):
        return Lines(data, ids, 0)
    lines = list(BytesIO(data))
    kept = [line for line in lines if line != b"\n"]
    if with_ids:
        ids = [each for each, line in zip(ids, lines, strict=True) if line != b"\n"]
    return Lines(b"".join(kept), ids, len(lines) - len(kept))


def first_row(opening: Opening, text: str, tail: bytes) -> bytes:
    """Return the row of a document whose message is the whole chunk.

    An opening is JSON up to the value of its first key. With all the rest as a fragment there,
    which orjson takes over unread (not JSON at all: a whole action line can be in it), one call
    makes the row. Escaping first and joining then copies the chunk once more (17 ns a line).
    """
    quote = opening.text.find(b'"', 2)
    if (
        tail == b"\n"
        and opening.text.startswith(b'{"')
        and opening.text[quote + 1 : quote + 2] == b":"
    ):
        first = opening.text[2:quote].decode()
        row = {first: orjson.Fragment(opening.text[quote + 2 :]), "message": text}
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    return b"".join((opening.text, b',"message":', orjson.dumps(text), b"}", tail))
