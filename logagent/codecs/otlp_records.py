"""OTLP's log records, made of a chunk's documents column by column.

Source: opentelemetry/proto/logs/v1/logs.proto (LogRecord); docs/specification.md, JSON mapping
("traceId and spanId … hex-encoded", enums as numbers, 64-bit integers as strings); semantic
conventions, general/logs (`log.record.uid`, `log.file.path`). Must not know resources or bodies.

Documents are decoded one level deep and sorted by which keys they have; the values of a key become
a column, and one template makes all records of a sort. Values stay the JSON that they are, so that
no text is unescaped or escaped again.

`observedTimeUnixNano` is left out: what makes records has no clock, and the data model has readers
take the time of the event where there is one, which the agent has given each document.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from logagent.codecs.columns import to_ns
from logagent.codecs.otlp_severity import FIELDS as SEVERITY_FIELDS
from logagent.codecs.otlp_severity import severity
from logagent.codecs.otlp_values import any_value, attribute, column_values
from logagent.codecs.stamps import spell_ns, spell_stamp

BODY_FIELDS: Final = ("message", "msg")
TRACE_FIELDS: Final = ("trace_id", "traceId", "trace.id", "traceID")
SPAN_FIELDS: Final = ("span_id", "spanId", "span.id", "spanID")
FLAG_FIELDS: Final = ("trace_flags", "traceFlags")
"""Where these are looked for; the first that a document has, and that is one, is taken."""

ID_KEY: Final = "log.record.uid"
"""Records with the same one are duplicates, and may be removed (semantic conventions)."""
PATH_KEY: Final = "log.file.path"

_DOCUMENT: Final = msgspec.json.Decoder(dict[str, Raw])
_TRACE: Final = re.compile(rb'(?:"(?!0{32})[0-9a-fA-F]{32}"(?:\n|\Z))+')
_SPAN: Final = re.compile(rb'(?:"(?!0{16})[0-9a-fA-F]{16}"(?:\n|\Z))+')
"""W3C Trace Context: hex, and not all zeros. They fit a column, and so one value too."""
_FLAGS: Final = re.compile(rb'"[0-9a-fA-F]{2}"|[0-9]{1,3}')
_UNREADABLE: Final = (ValueError, RecursionError)

Column = Sequence[Raw | bytes]
Place = Callable[[bytes], bytes | None]
"""Makes members of a record of one JSON value, with a comma behind; None when it is no such."""


class Records(NamedTuple):
    """The template of records with the same keys, and its columns: the body's at least."""

    template: bytes
    columns: list[Column]

    def each(self) -> list[bytes]:
        """A record a row, as a line with its comma in front."""
        return [self.template % values for values in zip(*self.columns, strict=True)]

    def joined(self, count: int) -> bytes:
        """All records, without a list of them."""
        values = chain.from_iterable(zip(*self.columns, strict=True))
        return (self.template * count) % tuple(values)


def make_records(documents: bytes, count: int, ids: Sequence[bytes], common: bytes) -> bytes:
    """Records of `count` documents, a line each. ids: of each, or none; common: the attributes that
    all have, at least one, as JSON with commas between them."""
    try:
        rows: list[dict[str, Raw] | None] = list(_DOCUMENT.decode_lines(documents))
    except _UNREADABLE:
        rows = [_decoded(line) for line in _lines(documents)]
    sorts: dict[tuple[str, ...] | None, list[int]] = {}
    for index, row in enumerate(rows):
        sorts.setdefault(None if row is None else tuple(row), []).append(index)
    if len(sorts) == 1 and None not in sorts:
        (keys,) = sorts
        assert keys is not None, "one sort that could be read"
        return _records(keys, rows, range(count), documents, ids, common=common).joined(count)
    lines = [b""] * count
    for keys, indices in sorts.items():
        if keys is None:
            texts = _lines(documents)
            for index in indices:
                uid = _uid(ids[index]) if ids else b""
                lines[index] = _unread(texts[index], uid + common)
            continue
        some = _records(keys, rows, indices, documents, ids, common=common)
        for index, line in zip(indices, some.each(), strict=True):
            lines[index] = line
    return b"".join(lines)


def _records(
    keys: tuple[str, ...],
    rows: Sequence[Mapping[str, Raw] | None],
    indices: Sequence[int],
    documents: bytes,
    ids: Sequence[bytes],
    *,
    common: bytes,
) -> Records:
    """Records of the rows that have the same keys."""
    members = [row for index in indices if (row := rows[index]) is not None]
    values = zip(*[row.values() for row in members], strict=True)
    left: dict[str, Sequence[Raw]] = dict(zip(keys, values, strict=True))
    build = _Build()
    build.place(left, ("@timestamp",), _time)
    build.place(left, SEVERITY_FIELDS, severity)
    build.place(left, TRACE_FIELDS, _trace, (_TRACE, b'"traceId":%b,'))
    build.place(left, SPAN_FIELDS, _span, (_SPAN, b'"spanId":%b,'))
    build.place(left, FLAG_FIELDS, _flags)
    body = next((field for field in BODY_FIELDS if field in left), None)
    if body is not None:
        build.add(b'"body":', b",", left.pop(body))
    else:
        texts = _lines(documents)
        build.fill(b'"body":{"stringValue":%b},', [_quoted(texts[index]) for index in indices])
    build.attributes()
    own_path = left.pop(PATH_KEY, None)
    for key, column in left.items():
        # Keys are unique, and that one says which record it is.
        name = f"shadowed.{key}" if ids and key == ID_KEY else key
        build.add(b'{"key":%b,"value":' % msgspec.json.encode(name), b"},", column)
    if ids:
        build.fill(_uid(b"%b"), [ids[index] for index in indices])
    if own_path is not None:
        # The app's own, which the agent leaves alone.
        build.add(b'{"key":"' + PATH_KEY.encode() + b'","value":', b"}", own_path)
        return build.done(b"")
    return build.done(common)


class _Build:
    """A record's template as it grows."""

    def __init__(self) -> None:
        self._template = [b",{"]
        self._columns: list[Column] = []
        self._late: list[Column] = []

    def constant(self, text: bytes) -> None:
        """Add what is the same in all."""
        self._template.append(text.replace(b"%", b"%%"))

    def fill(self, template: bytes, column: Column) -> None:
        """Add what is filled in: a template with one slot."""
        self._template.append(template)
        self._columns.append(column)

    def add(self, before: bytes, behind: bytes, column: Sequence[Raw]) -> None:
        """Add AnyValues between constants."""
        slot, filling = column_values(b"\n".join(column), column)
        self.constant(before)
        self.fill(slot + behind, filling)

    def place(
        self,
        left: dict[str, Sequence[Raw]],
        fields: Sequence[str],
        make: Place,
        whole: tuple[re.Pattern[bytes], bytes] | None = None,
    ) -> None:
        """Add members made of the first of `fields` that the documents have. Where its value is no
        such thing it stays an attribute, row by row. whole: a pattern of columns that need not be
        looked at value by value, and their template."""
        field = next((field for field in fields if field in left), None)
        if field is None:
            return
        joined = b"\n".join(left[field])
        if whole is not None and whole[0].fullmatch(joined):
            self.fill(whole[1], left.pop(field))
            return
        # Many rows share a value, so each text is looked at once.
        texts = joined.split(b"\n")
        made = {text: make(text) for text in set(texts)}
        others = {text: b"" for text, members in made.items() if members is not None}
        if not others:
            return
        del left[field]
        self.fill(b"%b", [made[text] or b"" for text in texts])
        if len(others) < len(made):
            others |= {
                text: attribute(field, any_value(text)) + b","
                for text, members in made.items()
                if members is None
            }
            self._late.append([others[text] for text in texts])

    def attributes(self) -> None:
        """Begin the attributes, with the values that `place` left."""
        self.constant(b'"attributes":[')
        for column in self._late:
            self.fill(b"%b", column)

    def done(self, common: bytes) -> Records:
        """The finished records. common: the last attributes, or "" behind one without a comma:
        what is in front of the last one may be nothing."""
        self.constant(common + b"]}\n")
        return Records(b"".join(self._template), self._columns)


def _time(raw: bytes) -> bytes | None:
    if raw[:1] == b'"':
        ns = spell_stamp(raw[1:-1])
    else:
        try:
            ns = spell_ns(to_ns(msgspec.json.decode(raw), -1))
        except _UNREADABLE:  # 1e999, which the document may have
            return None
    return b'"timeUnixNano":"%b",' % ns if ns else None


def _trace(raw: bytes) -> bytes | None:
    return b'"traceId":%b,' % raw if _TRACE.fullmatch(raw) else None


def _span(raw: bytes) -> bytes | None:
    return b'"spanId":%b,' % raw if _SPAN.fullmatch(raw) else None


def _flags(raw: bytes) -> bytes | None:
    """Flags as W3C's two hex digits, or as a number."""
    if not _FLAGS.fullmatch(raw):
        return None
    number = int(raw[1:-1], 16) if raw[:1] == b'"' else int(raw)
    return b'"flags":%d,' % number if number < 256 else None


def _uid(event_id: bytes) -> bytes:
    return attribute(ID_KEY, b'{"stringValue":"' + event_id + b'"}') + b","


def _lines(documents: bytes) -> list[bytes]:
    """Documents without newlines. A carriage return may stand between JSON's tokens, so not
    `splitlines`."""
    return documents.split(b"\n")[:-1]


def _decoded(line: bytes) -> dict[str, Raw] | None:
    try:
        return _DOCUMENT.decode(line)
    except _UNREADABLE:
        return None


def _quoted(text: bytes) -> bytes:
    return msgspec.json.encode(text.decode("utf-8", "replace"))


def _unread(text: bytes, common: bytes) -> bytes:
    """The record of a document that msgspec can't read (half a surrogate pair as an escape): its
    text alone."""
    body = b'"body":{"stringValue":%b}' % _quoted(text)
    return b',{%b,"attributes":[%b]}\n' % (body, common)
