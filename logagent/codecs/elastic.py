"""Elasticsearch's and OpenSearch's `_bulk`: targets, actions, paths.

Knows how rows are addressed and framed; replies are judged in `elastic_reply`. Must not know
hosts, credentials or how bytes travel.
"""

import re
from typing import Final

from msgspec import Struct

from logagent.codecs.elastic_reply import judge_bulk
from logagent.codecs.packing import RowPacking
from logagent.codecs.wrapping import bare_document, wrap_document
from logagent.core.chunk import Frame, Reply, Request, Verdict

INDEX_RULE: Final = "lower-case letters, digits, '.', '_' and '-', not starting with one of '._-'"
_INDEX: Final = re.compile(r"(?![._-])[a-z0-9._-]{1,255}")
"""Stricter than the servers, so that a name needs no escaping in a path or in JSON."""

_DATES: Final = {"%Y": slice(0, 4), "%m": slice(5, 7), "%d": slice(8, 10), "%H": slice(11, 13)}
"""strftime's codes and where they are in an hour like "2026-11-24T10"."""

_HOUR: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}")

_ANSWER: Final = (
    "errors,took,items.*.status,items.*.error.type,items.*.error.reason,items.*.failure_store"
)
"""`filter_path`: each item keeps its status, so positions hold. Without the last one, documents
that went to the failure store would look delivered (they are, but to another place)."""

_QUERY_SAFE: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@"
)


class Target(Struct, frozen=True):
    """Where documents go: a data stream, an index, or an index with dates in its name
    (`checkout-%Y.%m.%d`: %Y %m %d %H, UTC, of the event).

    require_data_stream: let the server refuse rows when the target isn't a data stream (a typo
    would otherwise make a plain index). OpenSearch doesn't know it. Raises ValueError for a name
    that can't be one.
    """

    pattern: str
    require_data_stream: bool = False

    def __post_init__(self) -> None:
        unknown = [code for code in re.findall(r"%.?", self.pattern) if code not in _DATES]
        if unknown:
            raise ValueError(f"index {self.pattern!r}: {unknown[0]!r} is not one of %Y, %m, %d, %H")
        if not _INDEX.fullmatch(_expand(self.pattern, "2026-11-24T10")):
            raise ValueError(f"index {self.pattern!r}: a name has 1 to 255 {INDEX_RULE}")
        if self.dated and self.require_data_stream:
            raise ValueError(f"index {self.pattern!r}: a data stream has no dates in its name")

    @property
    def dated(self) -> bool:
        """Whether the index depends on the event's time."""
        return "%" in self.pattern

    def index(self, hour: str) -> str:
        """The index for events of an hour (UTC, like "2026-11-24T10")."""
        # The hour can come from an app's time stamp and goes into an action line: never unchecked.
        assert _HOUR.fullmatch(hour), "an hour looks like 2026-11-24T10"
        return _expand(self.pattern, hour)


class ElasticCodec(RowPacking):
    """Rows of two lines: a `create` action, then the document.

    Nothing but `create` is ever sent: data streams take nothing else, and with our own ids the
    second copy of a row is a 409 instead of a second document. ids: rows carry event ids;
    pipeline: the server's ingest pipeline ("" = the index's default). Raises ValueError.
    """

    def __init__(self, target: Target, *, ids: bool, gzip: bool, pipeline: str = "") -> None:
        super().__init__(lines=2, gzip=gzip)
        self._target = target
        self._ids = ids
        self._pipeline = pipeline
        self.frame = Frame(
            head=self._head(""),
            middle=b'"}}\n' if ids else b"",
            tail=b"\n",
            dated=self._dated if target.dated else None,
        )

    @property
    def path(self) -> str:
        """The request's path and query, without a host's own prefix."""
        target = "" if self._target.dated else f"/{self._target.pattern}"
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

    def _dated(self, hour: str) -> bytes:
        return self._head(self._target.index(hour))

    def _head(self, index: str) -> bytes:
        """The action up to the id, or the whole action line when rows have no ids."""
        members = [f'"_index":"{index}"'] if index else []
        if self._ids:
            return ('{"create":{' + ",".join([*members, '"_id":"'])).encode()
        return ('{"create":{' + ",".join(members) + "}}\n").encode()


def _expand(pattern: str, hour: str) -> str:
    for code, where in _DATES.items():
        pattern = pattern.replace(code, hour[where])
    return pattern


def _quote(text: str) -> str:
    """`text` as a query value (RFC 3986, all but the unreserved and `@` as %XX)."""
    return "".join(chr(c) if c in _QUERY_SAFE else f"%{c:02X}" for c in text.encode())
