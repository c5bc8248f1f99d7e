"""OTLP over HTTP, logs as JSON: bodies of resources, and a record for each row.

Source: opentelemetry-proto docs/specification.md, "OTLP/HTTP" and "JSON Protobuf Encoding";
proto/collector/logs/v1/logs_service.proto (ExportLogsServiceRequest); default path `/v1/logs`.
Records are made in `otlp_records`, resources in `otlp_resource`, replies judged in `otlp_reply`.
Must not know hosts, credentials or how bytes travel.

JSON, not protobuf: 12,952 rows of 511 bytes with nine keys (bench/corpus.py, one core) took 4.3 µs
a row, compressed to 0.063 of the size; protobuf spelled by hand 8.5 and 0.2 to compress, to 0.056;
messages of opentelemetry-proto (upb) 10.8; dicts by orjson 28. Values of JSON documents are JSON
already, and stay what they are in columns; protobuf wants each text unescaped, and its length. Text
rows, which have but one field: 2.0 to 2.7 µs against 3.0 by hand and 3.5 to 4.9.
"""

from functools import lru_cache
from typing import Final

import msgspec

from logagent.codecs.columns import documents_of, split_ids
from logagent.codecs.grouping import GroupPacker, GroupPacking, Shape
from logagent.codecs.otlp_records import ID_KEY, PATH_KEY, make_records
from logagent.codecs.otlp_reply import judge_logs
from logagent.codecs.otlp_resource import path_attribute, resource_head
from logagent.codecs.otlp_values import plain_members, plain_value
from logagent.core.chunk import Frame, Origin, Reply, Request, Verdict

PATH: Final = "/v1/logs"
SHAPE: Final = Shape(b'{"resourceLogs":[', b"]}]}", b"]}")
_SEARCHED: Final = 24
_PLAIN: Final = Frame(b"", b"", b"\n")
_WITH_ID: Final = Frame(b"", b"\t", b"\n")
"""A tab ends the id: ids have none."""


class OtlpCodec(GroupPacking):
    """Log records below their resource. ids: whether records carry event ids."""

    def __init__(self, *, gzip: bool, ids: bool = False) -> None:
        super().__init__(SHAPE, gzip=gzip)
        self._ids = ids

    @property
    def headers(self) -> dict[str, str]:
        """What the headers must say about every body."""
        return {"content-type": "application/json"}

    def frame(self, origin: Origin) -> Frame:  # noqa: ARG002 - all files alike
        """A document a line, with its id in front."""
        return _WITH_ID if self._ids else _PLAIN

    def packer(self) -> "OtlpPacker":
        """A packer for a new batch."""
        return OtlpPacker(self.group_packer(), ids=self._ids)

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """What `reply` means for the rows of `request`. Never raises, whatever the bytes are."""
        return judge_logs(request, reply)

    def document(self, row: bytes) -> bytes:
        """A document of what is in a row of `split`: the record's parts under the names that
        `otlp_records` looks for first."""
        record = msgspec.json.decode(row[row.index(b" ") + 1 :], type=dict[str, object])
        members: dict[str, object] = {}
        if "timeUnixNano" in record:
            members["@timestamp"] = int(str(record["timeUnixNano"]))
        if "severityText" in record:
            members["severity"] = record["severityText"]
        members |= plain_members(record["attributes"])
        members.pop(ID_KEY, None)
        members.pop(PATH_KEY, None)
        members["message"] = plain_value(record.get("body"))
        for name, key in (("traceId", "trace_id"), ("spanId", "span_id"), ("flags", "trace_flags")):
            if name in record:
                members[key] = record[name]
        return msgspec.json.encode(members)


class OtlpPacker:
    """One open body of resources."""

    def __init__(self, body: GroupPacker, *, ids: bool) -> None:
        self._body = body
        self._ids = ids

    @property
    def raw_bytes(self) -> int:
        """Size of the body so far, before compression."""
        return self._body.raw_bytes

    def add(self, wire: bytes, origin: Origin) -> None:
        """Append rendered rows as records below their resource."""
        if not wire:
            return
        ids: list[bytes] = []
        count = wire.count(b"\n")
        if self._ids:
            # Not `splitlines`: JSON may have a carriage return between two of its parts.
            ids, documents = split_ids(wire.removesuffix(b"\n").split(b"\n"))
            wire = documents_of(documents)
        if origin.metadata:
            # The resource has it. Nothing in a text looks like it: there its quotes are escaped.
            wire = without(wire, origin.metadata.strip(b", ") + b",")
        parts = _parts(origin.input, origin.path, tuple(origin.names.items()), origin.metadata)
        self._body.add(parts[0], make_records(wire, count, ids, parts[1]))

    def close(self, rows: int) -> Request:
        """End the body; the packer is used up."""
        return self._body.close(rows)


def without(data: bytes, text: bytes) -> bytes:
    """`data` with nothing where `text` was.

    Half of what `replace` takes for a text of 280 bytes, whose search looks twice and skips little:
    only its start is searched for, and what follows is compared.
    """
    start, rest = text[:_SEARCHED], text[_SEARCHED:]
    first, *parts = data.split(start)
    if all(part.startswith(rest) for part in parts):
        skipped = len(rest)
        return first + b"".join([part[skipped:] for part in parts])
    return data.replace(text, b"")


@lru_cache(maxsize=64)
def _parts(
    input_id: str, path: str, names: tuple[tuple[str, str], ...], metadata: bytes
) -> tuple[bytes, bytes]:
    """Head and common attributes of an origin."""
    origin = Origin(input_id, path, 0, dict(names), metadata)
    return resource_head(origin), path_attribute(path)
