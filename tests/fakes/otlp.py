"""OTLP logs as the protocol's own messages read them.

Knows the JSON mapping's one deviation that protobuf's parser doesn't: ids are hex, not base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable

from google.protobuf import json_format  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord


def decode(body: bytes) -> ExportLogsServiceRequest:
    """The request of a JSON body. Raises json_format.ParseError for an unknown member or a value of
    another type."""
    document = json.loads(body)
    for resource in document.get("resourceLogs", []):
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                for key in record.keys() & {"traceId", "spanId"}:
                    record[key] = base64.b64encode(bytes.fromhex(record[key])).decode()
    request = ExportLogsServiceRequest()
    json_format.ParseDict(document, request)
    return request


def records(request: ExportLogsServiceRequest) -> list[LogRecord]:
    """All records of a request, in its order."""
    return [
        record
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def plain(value: AnyValue) -> object:
    """What a value stands for."""
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        return members(value.kvlist_value.values)
    if kind == "array_value":
        return [plain(each) for each in value.array_value.values]
    return None if kind is None else getattr(value, kind)


def members(attributes: Iterable[KeyValue]) -> dict[str, object]:
    """Attributes as a dict; keys must be unique."""
    pairs = list(attributes)
    found = {pair.key: plain(pair.value) for pair in pairs}
    assert len(found) == len(pairs), "a key twice"
    return found
