"""Loki's push API: streams of labels, and an entry for each row.

Source: grafana.com/docs/loki/latest/reference/loki-http-api, "Ingest logs": `POST
/loki/api/v1/push`, JSON `{"streams":[{"stream":{LABELS},"values":[["NS","LINE",{METADATA}]]}]}`,
gzip by Content-Encoding. Label names: `[a-zA-Z_][a-zA-Z0-9_]*`, at most 15 labels a stream
(`max_label_names_per_series`); names to 1024 bytes, values to 2048 (limits_config). Replies are
judged in `loki_reply`. Must not know hosts, credentials or how bytes travel.

JSON with gzip, not protobuf with snappy. 12,952 rows of 511 bytes (bench/corpus.py, one core), the
same times: JSON took 1,490 ns a row to encode and 210 to compress, to 0.066 of the size; protobuf
1,900 and 270 ns, to 0.129. Python spells a protobuf entry one by one, and a chunk's JSON in a few
calls. With times as `stamps` reads them both together take 1,400 to 1,700 ns.

Loki keeps one of two entries of a stream with the same time and the same line, whatever their
metadata (grafana/loki, pkg/chunkenc/unordered.go). That makes a second sending harmless, and would
lose what an app really wrote twice: such entries of a chunk get times a nanosecond apart. Lines
without a time of their own, which all have that of their reading, get it in any case, since Loki
sorts by it.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final, Literal

import msgspec

from logagent.codecs.columns import documents_of, field_texts, split_ids
from logagent.codecs.escaping import Escaped, escape_lines, escape_texts
from logagent.codecs.grouping import GroupPacker, GroupPacking, Shape
from logagent.codecs.loki_reply import judge_push
from logagent.codecs.loki_times import EntryTimes
from logagent.codecs.naming import Legal, Template
from logagent.core.chunk import Frame, Origin, Reply, Request, Verdict

PATH: Final = "/loki/api/v1/push"
LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
"""A label's name; two underscores in front are for Loki's own."""
LABELS_MAX: Final = 15
VALUE: Final = Legal(r"\x20-\x7e", 2048)
"""A label's value: any text; it is escaped as JSON."""

SHAPE: Final = Shape(b'{"streams":[', b"]}", b"]}")
ID_KEY: Final = "logagent_id"
"""The structured metadata that holds the event's id."""

Line = Literal["document", "message"]
_PLAIN: Final = Frame(b"", b"", b"\n")
_WITH_ID: Final = Frame(b"", b"\t", b"\n")
"""A tab ends the id: ids have none."""


class LokiCodec(GroupPacking):
    """Entries below the labels that each row has. labels: names and their templates; line: what
    becomes an entry's line, the whole document or only its `message` (the document where there is
    none); ids: whether entries carry event ids. Raises ValueError for labels that can't be.
    """

    def __init__(
        self,
        labels: Mapping[str, Template],
        *,
        gzip: bool,
        line: Line = "document",
        ids: bool = False,
    ) -> None:
        super().__init__(SHAPE, gzip=gzip)
        for name, template in labels.items():
            if not LABEL.fullmatch(name):
                raise ValueError(f"label {name!r}: a name has letters, digits and _")
            if template.dated:
                raise ValueError(f"label {name}: {template.text!r} has a date in it")
        if not 0 < len(labels) <= LABELS_MAX:
            raise ValueError(f"{len(labels)} labels: a stream has 1 to {LABELS_MAX}")
        self._labels = dict(labels)
        self._line: Line = line
        self._ids = ids
        # Of the output, not of a batch: two batches may begin within one millisecond of reading.
        self._times = EntryTimes()

    @property
    def headers(self) -> dict[str, str]:
        """What the headers must say about every body."""
        return {"content-type": "application/json"}

    def frame(self, origin: Origin) -> Frame:
        """A document a line, with its id in front. Raises ValueError when a name in a label isn't
        known."""
        for template in self._labels.values():
            template.check(origin.names)
        return _WITH_ID if self._ids else _PLAIN

    def packer(self) -> "LokiPacker":
        """A packer for a new batch."""
        return LokiPacker(
            self.group_packer(), self._labels, self._times, line=self._line, ids=self._ids
        )

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """What `reply` means for the rows of `request`. Never raises, whatever the bytes are."""
        return judge_push(request, reply)

    def document(self, row: bytes) -> bytes:
        """The JSON document inside a row of `split`. Where the line is the message alone, one made
        of what there is: its time and the message."""
        entry = msgspec.json.decode(row[row.index(b" ") + 1 :], type=list[object])
        line = str(entry[1])
        if self._line == "document":
            return line.encode()
        return msgspec.json.encode({"@timestamp": int(str(entry[0])), "message": line})


class LokiPacker:
    """One open body of streams."""

    def __init__(
        self,
        body: GroupPacker,
        labels: Mapping[str, Template],
        times: EntryTimes,
        *,
        line: Line,
        ids: bool,
    ) -> None:
        self._body = body
        self._labels = labels
        self._line: Line = line
        self._ids = ids
        self._times = times
        self._constant = all(template.constant for template in labels.values())

    @property
    def raw_bytes(self) -> int:
        """Size of the body so far, before compression."""
        return self._body.raw_bytes

    def add(self, wire: bytes, origin: Origin) -> None:
        """Append rendered rows as entries of their streams."""
        if not wire:
            return
        documents = wire.split(b"\n")
        documents.pop()
        ids: list[bytes] = []
        if self._ids:
            ids, documents = split_ids(documents)
            wire = documents_of(documents)
        if self._line == "document":
            rows = entries(self._times.spell(documents), escape_lines(documents), ids)
        else:
            lines = _messages(wire, documents)
            rows = entries(self._times.spell(documents, lines), escape_texts(lines), ids)
        if self._constant:
            self._body.add(head(self._labels, origin.names), rows)
        else:
            self._add_chosen(rows, wire, origin)

    def close(self, rows: int) -> Request:
        """End the body; the packer is used up."""
        return self._body.close(rows)

    def _add_chosen(self, rows: bytes, wire: bytes, origin: Origin) -> None:
        """Rows by the labels that each chooses. Their order within a stream is kept; a chunk's
        rows all belong to one ticket, so that it is one only there does no harm."""
        lines = rows.splitlines(keepends=True)
        values: dict[str, Sequence[str]] = {}
        for name, template in self._labels.items():
            chosen = {
                part: [choice.of(text) for text in field_texts(wire, choice.field)]
                for part, choice in template.choices.items()
            }
            fill = template.fill(origin.names) if template.constant else ""
            values[name] = (
                [fill] * len(lines)
                if template.constant
                else template.fill_each(origin.names, "", chosen)
            )
        streams: dict[tuple[str, ...], list[bytes]] = {}
        for key, line in zip(zip(*values.values(), strict=True), lines, strict=True):
            streams.setdefault(key, []).append(line)
        for key, group in streams.items():
            self._body.add(_head(dict(zip(values, key, strict=True))), b"".join(group))


def entries(times: Sequence[bytes] | range, lines: Escaped, ids: Sequence[bytes]) -> bytes:
    """Entries, one a line, each with its comma in front. ids: of each, or none."""
    text, start = _constant(lines.text), _constant(lines.start)
    slot = b"%d" if isinstance(times, range) else b"%b"
    opening, ends = b',["' + slot + b'","' + start, b'"]\n'
    if ids:
        ends = b'",{"' + ID_KEY.encode() + b'":"%b"}]\n'
    template = opening + text.replace(lines.separator, ends + opening) + ends
    if ids:
        return template % tuple(chain.from_iterable(zip(times, ids, strict=True)))
    return template % tuple(times)


def _constant(text: bytes) -> bytes:
    """A part of a template that fills in nothing."""
    return text.replace(b"%", b"%%") if b"%" in text else text


def head(labels: Mapping[str, Template], names: Mapping[str, str]) -> bytes:
    """A stream up to its entries, of labels that no line chooses."""
    return _head({name: template.fill(names) for name, template in labels.items()})


def _head(labels: Mapping[str, str]) -> bytes:
    return b'{"stream":%b,"values":[' % msgspec.json.encode(labels)


def _messages(wire: bytes, documents: Sequence[bytes]) -> list[str]:
    """Each row's message, or its whole document."""
    return [
        document.decode("utf-8", "replace") if text is None else text
        for text, document in zip(field_texts(wire, "message"), documents, strict=True)
    ]
