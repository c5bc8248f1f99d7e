"""Splunk's HTTP Event Collector: the envelope around each document, and where its members are from.

A body is event objects one after the other, one a line; Content-Type says nothing to the server.
Knows the envelope; its `time` is made in `splunk_times`, replies are judged in `splunk_reply`. Must
not know hosts, tokens or how bytes travel.

Source: Splunk, "Getting Data In", "Format events for HTTP Event Collector" (keys of an event's
envelope: time, host, source, sourcetype, index, fields; several objects in one request) and
"HTTP Event Collector REST API endpoints", at help.splunk.com; "Automate indexed field extractions
with HTTP Event Collector" for `fields` (flat, strings).
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from logagent.codecs.columns import documents_of, field_texts
from logagent.codecs.naming import Legal, Template
from logagent.codecs.packing import GzipPacker, PlainPacker, RowPacking
from logagent.codecs.splunk_reply import OnConfigError, judge_hec
from logagent.codecs.splunk_times import EVENT, MARK, timed
from logagent.core.chunk import Frame, Origin, Reply, Request, Verdict

PATH: Final = "/services/collector/event"
ID_FIELD: Final = "logagent_id"
"""The indexed field that holds the event's id; `dedup logagent_id` finds what came twice."""

TEXT: Final = Legal(r"\x20-\x7e", 1024)
"""A host, source or source type: any text; it is escaped as JSON."""
INDEX: Final = Legal(r"a-z0-9_\-", 80, starts="_-", lower=True)
"""An index ("Create custom indexes": lower-case letters, digits, `_`, `-`, not starting with these;
80 characters at most)."""

_INDEX_MARK: Final = b"\x02"
"""Stands for the name of an index that a line chooses."""
_DOCUMENT: Final = EVENT + b"{"
"""Where a row's document begins: no other member of the envelope, nor a field, has this text in
front of an object, and in a string its quotes would be escaped."""


class Envelope(Struct, frozen=True):
    """What stands around each document. host: None = the pod, else the node, else nothing (and so
    the server's idea); source: None = the file; index: None = the token's own.

    fields: indexed fields, the same for all events. Raises ValueError for what can't be.
    """

    host: Template | None = None
    source: Template | None = None
    sourcetype: str = "_json"
    index: Template | None = None
    fields: Mapping[str, str] = {}
    ids: bool = False

    def __post_init__(self) -> None:
        for name, template in {"host": self.host, "source": self.source}.items():
            if template is not None and not template.constant:
                raise ValueError(
                    f"{name} {template.text!r}: it is the same for all lines of a file"
                )
        if self.index is not None and self.index.dated:
            raise ValueError(
                f"index {self.index.text!r}: an index of Splunk has no dates in its name"
            )
        if ID_FIELD in self.fields:
            raise ValueError(f"fields: {ID_FIELD} is the event's id")

    def head(self, names: Mapping[str, str], path: str) -> bytes:
        """All in front of the id, or of the document when rows have no ids. names and path: the
        origin's."""
        host = self.host.fill(names) if self.host else names.get("pod") or names.get("node", "")
        members = {
            "host": host,
            "source": self.source.fill(names) if self.source else path,
            "sourcetype": self.sourcetype,
        }
        texts = [b"%b:%b" % (_json(key), _json(text)) for key, text in members.items() if text]
        if self.index is not None:
            chosen = b'"%b"' % _INDEX_MARK
            texts.append(
                b'"index":' + (_json(self.index.fill(names)) if self.index.constant else chosen)
            )
        fields = [b"%b:%b" % (_json(key), _json(text)) for key, text in self.fields.items()]
        if self.ids:
            return b'{%b,"fields":{%b' % (
                b",".join(texts),
                b",".join([*fields, _json(ID_FIELD) + b':"']),
            )
        if fields:
            texts.append(b'"fields":{%b}' % b",".join(fields))
        return b"{%b,%b%b" % (b",".join(texts), MARK, EVENT)


class SplunkCodec:
    """Rows of one line: an event object with the document as `event`.

    needs_ack: a success without an ackId is none, for an output that must not go without. What the
    render makes has marks where packing puts a time (and an index that a line chooses).
    """

    def __init__(
        self,
        envelope: Envelope,
        *,
        gzip: bool,
        needs_ack: bool = False,
        on_config_error: OnConfigError = "hold",
    ) -> None:
        self._packing = RowPacking(lines=1, gzip=gzip)
        self._envelope = envelope
        self._needs_ack = needs_ack
        self._on_config_error = on_config_error

    def frame(self, origin: Origin) -> Frame:
        """The envelope for a file. Raises ValueError when a name in it isn't known."""
        envelope = self._envelope
        for template in (envelope.host, envelope.source, envelope.index):
            if template is not None:
                template.check(origin.names)
        middle = b'"},%b%b' % (MARK, EVENT) if envelope.ids else b""
        return Frame(envelope.head(origin.names, origin.path), middle, b"}\n")

    def packer(self) -> "SplunkPacker":
        """A packer for a new batch."""
        index = self._envelope.index
        return SplunkPacker(
            self._packing.packer(), None if index is None or index.constant else index
        )

    def split(self, request: Request) -> list[bytes]:
        """The rows of a request: whole events, with their times."""
        return self._packing.split(request)

    def pack(self, rows: list[bytes]) -> Request:
        """A request of these rows (as `split` returns them)."""
        return self._packing.pack(rows)

    @property
    def headers(self) -> dict[str, str]:
        """What the headers must say about every body."""
        return {"content-type": "application/json"}

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """What `reply` means for the rows of `request`. Never raises, whatever the bytes are."""
        return judge_hec(
            request, reply, needs_ack=self._needs_ack, on_config_error=self._on_config_error
        )

    def document(self, row: bytes) -> bytes:
        """The JSON document inside a row, without newline."""
        return document(row)


class SplunkPacker:
    """One open body. index: chosen by each line, or None."""

    def __init__(self, body: PlainPacker | GzipPacker, index: Template | None) -> None:
        self.raw_bytes = 0
        self._body = body
        self._index = index

    def add(self, wire: bytes, origin: Origin) -> None:
        """Append rendered rows, with their times and names."""
        rows = timed(wire) if wire else b""
        if self._index is not None and rows:
            rows = _with_index(rows, self._index, origin.names)
        self._body.add(rows)
        self.raw_bytes = self._body.raw_bytes

    def close(self, rows: int) -> Request:
        """End the body; the packer is used up."""
        return self._body.close(rows)


def document(row: bytes) -> bytes:
    """The JSON document inside a row, without newline."""
    return row[row.index(_DOCUMENT) + len(EVENT) :].removesuffix(b"\n").removesuffix(b"}")


def _with_index(rows: bytes, template: Template, names: Mapping[str, str]) -> bytes:
    """Rows with the index that each chooses. It has nothing that JSON escapes."""
    # Not `splitlines`: JSON may have a carriage return between two of its parts.
    documents = documents_of([document(row) for row in rows.removesuffix(b"\n").split(b"\n")])
    chosen = {
        name: [choice.of(text) for text in field_texts(documents, choice.field)]
        for name, choice in template.choices.items()
    }
    column = [name.encode() for name in template.fill_each(names, "", chosen)]
    return rows.replace(b"%", b"%%").replace(_INDEX_MARK, b"%b") % tuple(column)


def _json(text: str) -> bytes:
    return msgspec.json.encode(text)
