"""The meaning of a `_bulk` body: its rows, what becomes of each, and the reply in Elasticsearch's
words.

Knows bodies, actions, ids and items; strict where Elasticsearch is lenient, because it judges a
forwarder: only `create`, exactly two lines a row. Must not know sockets, faults, numbers in lines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import orjson
from isal import isal_zlib

PIECE_BYTES: Final = 32 * 1024
"""Compressed bytes inflated at a time when only lines are counted: what comes out (some 250 KiB)
stays in the cache, and no buffer of the size of the body is touched."""

ACTION_KEYS: Final = frozenset({"_index", "_id", "require_data_stream", "dynamic_templates"})

CONFLICT: Final = "version_conflict_engine_exception"
UNPARSED: Final = "document_parsing_exception"

KINDS: Final = {
    400: UNPARSED,
    403: "cluster_block_exception",
    404: "index_not_found_exception",
    429: "es_rejected_execution_exception",
    503: "unavailable_shards_exception",
}
"""The usual `error.type` of an item's status."""


class BulkError(Exception):
    """A body that is refused as a whole: status, `error.type`, `error.reason`."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.kind = kind
        self.reason = reason


class Row(NamedTuple):
    """One action and its document. `id` is "" where the server makes one."""

    target: str
    id: str
    document: bytes


class Failure(NamedTuple):
    """Why an item failed."""

    kind: str
    reason: str


@dataclass
class Items:
    """The outcome of each row, in order; most rows have a status and nothing else."""

    statuses: list[int]
    failures: dict[int, Failure] = field(default_factory=dict)
    stores: dict[int, str] = field(default_factory=dict)
    """`failure_store` of the rows that have one."""

    def fail(self, row: int, status: int, failure: Failure) -> None:
        """Give a row another outcome."""
        self.statuses[row] = status
        self.failures[row] = failure


def inflate(body: memoryview, bytes_max: int) -> bytes:
    """A whole gzip body. Raises BulkError when it isn't one, or inflates beyond `bytes_max`."""
    stream = isal_zlib.decompressobj(31)
    try:
        raw = stream.decompress(body, bytes_max + 1)
    except isal_zlib.error as error:  # type: ignore[misc]  # its stub says: an instance
        raise BulkError(400, "illegal_argument_exception", f"inflating: {error}") from error
    if len(raw) > bytes_max:
        raise too_large(bytes_max)
    if not stream.eof or stream.unused_data:
        raise BulkError(400, "illegal_argument_exception", "inflating: not one whole gzip member")
    return raw


def too_large(bytes_max: int) -> BulkError:
    """What a body beyond `http.max_content_length` gets."""
    return BulkError(413, "content_too_long_exception", f"entity content is beyond {bytes_max}")


def count_rows(body: memoryview, *, gzipped: bool, bytes_max: int) -> tuple[int, int]:
    """Rows and raw bytes of a body by its newlines alone, without keeping it. Raises BulkError."""
    lines = size = 0
    last = b""
    stream = isal_zlib.decompressobj(31)
    try:
        for at in range(0, len(body), PIECE_BYTES):
            piece = body[at : at + PIECE_BYTES]
            raw = stream.decompress(piece) if gzipped else bytes(piece)
            lines += raw.count(b"\n")
            size += len(raw)
            last = raw[-1:] or last
            if size > bytes_max:
                raise too_large(bytes_max)
    except isal_zlib.error as error:  # type: ignore[misc]  # its stub says: an instance
        raise BulkError(400, "illegal_argument_exception", f"inflating: {error}") from error
    if gzipped and (not stream.eof or stream.unused_data):
        raise BulkError(400, "illegal_argument_exception", "inflating: not one whole gzip member")
    check_shape(lines, last)
    return lines // 2, size


def check_shape(lines: int, last: bytes) -> None:
    """Refuse a body that isn't pairs of lines with a newline at its end. Raises BulkError."""
    if not last:
        raise BulkError(400, "parse_exception", "request body is required")
    if last != b"\n":
        reason = "The bulk request must be terminated by a newline [\\n]"
        raise BulkError(400, "illegal_argument_exception", reason)
    if lines % 2:
        reason = f"Malformed action/metadata line [{lines}], expected a document after it"
        raise BulkError(400, "illegal_argument_exception", reason)


def parse_rows(raw: bytes, target: str) -> list[Row]:
    """The rows of a body sent to `/target/_bulk` ("" = `/_bulk`). Raises BulkError."""
    lines = raw.split(b"\n")
    check_shape(len(lines) - 1, raw[-1:])
    seen: dict[bytes, tuple[str, str]] = {}
    rows = []
    for at in range(0, len(lines) - 1, 2):
        action = lines[at]
        known = seen.get(action)
        if known is None:
            known = parse_action(action, target, at + 1)
            if not known[1]:
                seen[action] = known
        rows.append(Row(known[0], known[1], lines[at + 1]))
    return rows


def check_rows(raw: bytes, target: str) -> int:
    """The number of rows of a body whose every action is right; documents are not looked at.
    Raises BulkError (its line number is 0: actions are looked at once each, in any order)."""
    lines = raw.split(b"\n")
    check_shape(len(lines) - 1, raw[-1:])
    for action in set(lines[:-1:2]):
        parse_action(action, target, 0)
    return len(lines) // 2


def parse_action(action: bytes, target: str, line: int) -> tuple[str, str]:
    """Target index and id of an action line, the `line`-th of its body. Raises BulkError."""
    where = f"Malformed action/metadata line [{line}]"
    try:
        value = orjson.loads(action)
    except orjson.JSONDecodeError as error:
        reason = f"{where}, {error}"
        raise BulkError(400, "x_content_parse_exception", reason) from error
    if not isinstance(value, dict) or len(value) != 1 or "create" not in value:
        found = next(iter(value), "nothing") if isinstance(value, dict) else "no object"
        reason = f"{where}, expected field [create] but found [{found}]"
        raise BulkError(400, "illegal_argument_exception", reason)
    meta = value["create"]
    if not isinstance(meta, dict) or not meta.keys() <= ACTION_KEYS:
        raise BulkError(400, "illegal_argument_exception", f"{where}, unknown parameter")
    index, id_ = meta.get("_index", target), meta.get("_id", "")
    if not isinstance(index, str) or not isinstance(id_, str) or len(id_.encode()) > 512:
        raise BulkError(400, "illegal_argument_exception", f"{where}, bad _index or _id")
    if not index:
        reason = "Validation Failed: 1: index is missing;"
        raise BulkError(400, "action_request_validation_exception", reason)
    return index, id_


def parse_document(document: bytes) -> dict[str, object] | None:
    """A decoded document; None for anything but a JSON object."""
    try:
        value = orjson.loads(document)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Indices:
    """The ids each index holds: the second `create` of an id is a 409."""

    def __init__(self) -> None:
        self._ids: dict[str, set[str]] = {}

    def names(self) -> frozenset[str]:
        """The indices that something was sent to."""
        return frozenset(self._ids)

    def create(self, index: str, id_: str) -> bool:
        """Take an id, False when it is there already. "" is a new document each time."""
        ids = self._ids.setdefault(index, set())
        if not id_:
            return True
        before = len(ids)
        ids.add(id_)
        return len(ids) > before


def conflict(id_: str) -> Failure:
    """What the second `create` of an id gets."""
    reason = f"[{id_}]: version conflict, document already exists (current version [1])"
    return Failure(CONFLICT, reason)


@lru_cache(maxsize=4)
def _all_created(rows: int) -> bytes:
    return b",".join([b'{"create":{"status":201}}'] * rows)


def render_reply(
    items: Items, *, took_ms: int, filter_path: str | None, rows: Sequence[Row] = ()
) -> bytes:
    """The body of a 200. `filter_path` None = everything; else the comma-separated list: items
    keep those of `_index`, `_id`, `status`, `error` and `failure_store` that it names."""
    errors = bool(items.failures)
    wanted = None if filter_path is None else set(filter_path.split(","))
    parts = []
    if wanted is None or "errors" in wanted:
        parts.append(b'"errors":true' if errors else b'"errors":false')
    if wanted is None or "took" in wanted:
        parts.append(b'"took":%d' % took_ms)
    if wanted is not None and not any(name.startswith("items") for name in wanted):
        return b"{" + b",".join(parts) + b"}"
    if not errors and not items.stores and wanted is not None and not (wanted & NAMES):
        if "items.*.status" in wanted:
            parts.append(b'"items":[' + _all_created(len(items.statuses)) + b"]")
    else:
        shown = (one for one in _items(items, wanted, rows) if one != b'{"create":{}}')
        parts.append(b'"items":[' + b",".join(shown) + b"]")
    return b"{" + b",".join(parts) + b"}"


NAMES: Final = frozenset({"items", "items.*._id", "items.*._index"})
"""Parts of a filter path that make each item another."""


def _items(items: Items, wanted: set[str] | None, rows: Sequence[Row]) -> Iterator[bytes]:
    """Each item in the reply's form; one of which nothing is wanted is `{"create":{}}`."""

    def has(name: str) -> bool:
        whole = name.partition(".")[0]
        return wanted is None or not wanted.isdisjoint(
            {"items", f"items.*.{name}", f"items.*.{whole}"}
        )

    for at, status in enumerate(items.statuses):
        item: dict[str, object] = {}
        if at < len(rows):
            if has("_index"):
                item["_index"] = rows[at].target
            if has("_id"):
                item["_id"] = rows[at].id or f"auto-{at}"
        if has("status"):
            item["status"] = status
        if at in items.stores and has("failure_store"):
            item["failure_store"] = items.stores[at]
        failure = items.failures.get(at)
        if failure is not None:
            error = {"type": failure.kind, "reason": failure.reason}
            error = {name: text for name, text in error.items() if has(f"error.{name}")}
            if error:
                item["error"] = error
        yield orjson.dumps({"create": item})
