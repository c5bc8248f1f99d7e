"""Elasticsearch's and OpenSearch's `_bulk`: targets, actions, paths.

Knows how rows are addressed and framed; replies are judged in `elastic_reply`. Must not know
hosts, credentials or how bytes travel.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from logagent.codecs.columns import documents_of, field_texts
from logagent.codecs.elastic_reply import judge_bulk
from logagent.codecs.naming import HOUR, INDEX, Joined, Template
from logagent.codecs.packing import GzipPacker, PlainPacker, RowPacking
from logagent.codecs.wrapping import bare_document, unwrap_document, wrap_document
from logagent.core.chunk import Frame, Origin, Reply, Request, Verdict
from logagent.core.deadletter import DeadLetter

_INDEXED: Final = b'{"create":{"_index":"'
"""How an action begins that says where its document goes."""
_ID: Final = b'"_id":"'

_ANSWER: Final = (
    "errors,took,items.*.status,items.*.error.type,items.*.error.reason,items.*.failure_store"
)
"""`filter_path`: each item keeps its status, so positions hold. Without the last one, documents
that went to the failure store would look delivered (they are, but to another place)."""

_QUERY_SAFE: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@"
)


class Target:
    """Where documents go: a data stream, an index, or an index with dates in its name
    (`checkout-%Y.%m.%d`: %Y %m %d %H, UTC, of the event), any with parts that are filled in.

    name: a text stands for an index. in_path: whether a name that is the same for all lines stands
    in the request's path; else it is in each row. require_data_stream: let the server refuse rows
    when the target isn't a data stream (a typo would otherwise make a plain index). OpenSearch
    doesn't know it. Raises ValueError for a name that can't be one.
    """

    def __init__(
        self,
        name: str | Template | Joined,
        *,
        require_data_stream: bool = False,
        in_path: bool = True,
    ) -> None:
        if isinstance(name, str):
            try:
                name = Template(name, INDEX)
            except ValueError as error:
                raise ValueError(f"index {error}") from None
        if name.dated and require_data_stream:
            raise ValueError(f"index {name.text!r}: a data stream has no dates in its name")
        self.name = name
        self.require_data_stream = require_data_stream
        self.in_path = in_path and name.constant and not name.names
        """Whether the path says where all lines of all files go."""

    def index(self, hour: str) -> str:
        """The index for events of an hour (UTC, like "2026-11-24T10"), of a name without parts of
        the agent's or of lines."""
        return self.name.fill({}, hour)


class ElasticCodec(RowPacking):
    """Rows of two lines: a `create` action, then the document.

    Nothing but `create` is ever sent: data streams take nothing else, and with our own ids the
    second copy of a row is a 409 instead of a second document. ids: rows carry event ids;
    pipeline: the server's ingest pipeline ("" = the index's default). dead: where dead letters go
    (None: not here). Raises ValueError.
    """

    def __init__(
        self,
        target: Target,
        *,
        ids: bool,
        gzip: bool,
        pipeline: str = "",
        dead: Target | None = None,
    ) -> None:
        super().__init__(lines=2, gzip=gzip)
        self._target = target
        self._ids = ids
        self._pipeline = pipeline
        self._dead = dead
        self._frame = self._framed(self._head("")) if target.in_path else None
        self._rows = RowPacking(lines=2, gzip=gzip)

    def frame(self, origin: Origin) -> Frame:
        """An action in front of each document. Raises ValueError when the target's name can't be
        made of what is known of `origin`."""
        if self._frame is not None:
            return self._frame
        name, names = self._target.name, origin.names
        name.check(names)
        if name.choices:
            # The packer writes the name, when it has the documents; it needs the hour for that.
            return Frame(self._head(HOUR), self._middle, b"\n", self._head if name.dated else None)
        if not name.dated:
            return self._framed(self._head(name.fill(names)))

        @lru_cache(maxsize=64)
        def dated(hour: str) -> bytes:
            return self._head(name.fill(names, hour))

        return Frame(b"", self._middle, b"\n", dated)

    def packer(self) -> PlainPacker | GzipPacker:
        """A packer for a new batch."""
        if self._target.name.choices:
            return ChoosingPacker(self._target.name, gzip=self._gzip)
        return super().packer()

    def pack(self, rows: list[bytes]) -> Request:
        """A request of these rows (as `split` returns them): they have their names already."""
        return self._rows.pack(rows)

    @property
    def path(self) -> str:
        """The request's path and query, without a host's own prefix."""
        target = f"/{self._target.name.text}" if self._target.in_path else ""
        query = f"filter_path={_ANSWER}"
        if self._target.require_data_stream:
            query += "&require_data_stream=true"
        if self._pipeline:
            query += f"&pipeline={_quote(self._pipeline)}"
        return f"{target}/_bulk?{query}"

    @property
    def headers(self) -> dict[str, str]:
        """What the headers must say about every body; that one is compressed is in its Request."""
        return {"content-type": "application/x-ndjson"}

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """What `reply` means for the rows of `request`. Never raises, whatever the bytes are."""
        return judge_bulk(request, reply, ids=self._ids)

    def document(self, row: bytes) -> bytes:
        """The JSON document inside a row, without newline."""
        return row[row.index(b"\n") + 1 :].removesuffix(b"\n")

    def wrap(self, row: bytes, metadata: bytes, *, kind: str, now: str) -> bytes:
        """The row again with its document as text in `message`: same action, same id."""
        action = row[: row.index(b"\n") + 1]
        return b"%b%b\n" % (
            action,
            wrap_document(self.document(row), metadata, kind=kind, now=now),
        )

    def bare(self, row: bytes) -> bytes:
        """A wrapped row again with nothing in it that lines can have spoilt."""
        action = row[: row.index(b"\n") + 1]
        return b"%b%b\n" % (action, bare_document(self.document(row)))

    def unwrap(self, row: bytes) -> bytes:
        """The document that a wrapped or a bare row was made of."""
        return unwrap_document(self.document(row))

    def event_id(self, row: bytes) -> bytes:
        """The event's id inside a row, b"" if rows have none."""
        if not self._ids:
            return b""
        action = row[: row.index(b"\n")]
        start = action.index(_ID) + len(_ID)
        return action[start : action.index(b'"', start)]

    def to_dead(self, letter: DeadLetter) -> bytes:
        """A row for the index of dead letters, whatever this output's own target is: without its
        pipeline, and as a plain index if that is what is there."""
        assert self._dead is not None, "letters are sent where there is a place for them"
        members = [f'"_index":"{self._dead.index(letter.time[:13])}"']
        if self._ids and letter.id:  # a letter of each refusal, and one copy of each letter
            spelled = letter.id if letter.attempts == 1 else f"{letter.id}-{letter.attempts}"
            members.append(f'"_id":{msgspec.json.encode(spelled).decode()}')
        if self._target.require_data_stream:
            members.append('"require_data_stream":false')
        if self._pipeline:
            members.append('"pipeline":"_none"')
        action = ('{"create":{' + ",".join(members) + "}}").encode()
        stamp = b'{"@timestamp":%b,' % msgspec.json.encode(letter.time)
        return b"%b\n%b%b\n" % (action, stamp, msgspec.json.encode(letter)[1:])

    @property
    def _middle(self) -> bytes:
        return b'"}}\n' if self._ids else b""

    def _framed(self, head: bytes) -> Frame:
        return Frame(head, self._middle, b"\n")

    def _head(self, index: str) -> bytes:
        """The action up to the id, or the whole action line when rows have no ids."""
        members = [f'"_index":"{index}"'] if index else []
        if self._ids:
            return ('{"create":{' + ",".join([*members, '"_id":"'])).encode()
        return ('{"create":{' + ",".join(members) + "}}\n").encode()


class ChoosingPacker(PlainPacker):
    """A body whose rows go where their documents choose.

    The rows that come have the event's hour in place of the index; see `ElasticCodec.frame`.
    """

    def __init__(self, name: Template | Joined, *, gzip: bool) -> None:
        super().__init__()
        self._name = name
        self._packer = GzipPacker() if gzip else PlainPacker()

    def add(self, wire: bytes, origin: Origin | None = None) -> None:
        """Append rendered rows."""
        assert origin is not None, "names are made of it"
        self._packer.add(_addressed(wire, self._name, origin.names))
        self.raw_bytes = self._packer.raw_bytes

    def close(self, rows: int) -> Request:
        """End the body; the packer is used up."""
        return self._packer.close(rows)


def _addressed(wire: bytes, name: Template | Joined, names: Mapping[str, str]) -> bytes:
    """Rows again, with the index that each document chooses: 2 µs a row of 200 bytes."""
    lines = wire.split(b"\n")
    assert not lines.pop(), "rows end in a newline"
    actions, documents = lines[::2], lines[1::2]
    whole = documents_of(documents)
    chosen = {
        label: [choice.of(text) for text in field_texts(whole, choice.field)]
        for label, choice in name.choices.items()
    }
    begin, end = len(_INDEXED), len(_INDEXED) + len(HOUR)
    hours = [action[begin:end].decode() for action in actions] if name.dated else HOUR
    places = name.fill_each(names, hours, chosen)
    begins = {place: _INDEXED + place.encode() for place in set(places)}
    return b"".join(
        [
            b"%b%b\n%b\n" % (begins[place], action[end:], document)
            for place, action, document in zip(places, actions, documents, strict=True)
        ]
    )


def _quote(text: str) -> str:
    """`text` as a query value (RFC 3986, all but the unreserved and `@` as %XX)."""
    return "".join(chr(c) if c in _QUERY_SAFE else f"%{c:02X}" for c in text.encode())
