"""The question: what rendered rows cost as log records of OpenTelemetry.

Columns of JSON, as `codecs/otlp_records.py` has it, beside what lost: a dict for each record by
orjson, and the protocol's own messages (opentelemetry-proto, upb).
"""

from __future__ import annotations

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from bench.conftest import Measure, count_lines
from bench.renderers import FACTS, FIELDS
from bench.test_loki import KINDS, Kind, wires_of
from logagent.codecs.columns import times_ns
from logagent.codecs.otlp import OtlpCodec, without
from logagent.codecs.otlp_records import make_records
from logagent.codecs.otlp_severity import NAMES
from logagent.core.chunk import Origin
from logagent.render.metadata import build

METADATA = b",".join(
    build("ecs", FACTS, FIELDS, container="app", path=b"/var/log/app/app.log").encode().values()
)
ORIGIN = Origin("app", "/var/log/app/app.log", 1, {"input": "app", "container": "app"}, METADATA)
PATH = b'{"key":"log.file.path","value":{"stringValue":"/var/log/app/app.log"}}'


def bare(kind: Kind) -> list[bytes]:
    """The documents of each chunk without what the resource says."""
    return [without(wire, METADATA + b",") for wire in wires_of(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_pack(measure: Measure, kind: Kind) -> None:
    """All of it: columns, records, gzip."""
    speak, wires = OtlpCodec(gzip=True), wires_of(kind)
    body = speak.packer()

    def add(wire: bytes) -> None:
        nonlocal body
        if wire is wires[0]:
            body = speak.packer()
        body.add(wire, ORIGIN)
        if wire is wires[-1]:
            body.close(1)

    measure(add, wires, count_lines(wires))


def test_records(measure: Measure) -> None:
    """The records alone."""
    wires = bare("json")
    measure(lambda wire: make_records(wire, wire.count(b"\n"), [], PATH), wires, count_lines(wires))


def test_dicts(measure: Measure) -> None:
    """What lost: a dict a record, spelled by orjson."""
    wires = bare("json")
    measure(by_dicts, wires, count_lines(wires))


def test_messages(measure: Measure) -> None:
    """What lost: a message a record."""
    wires = bare("json")
    measure(by_messages, wires, count_lines(wires))


def by_dicts(wire: bytes) -> bytes:
    """A chunk's records."""
    count, made = wire.count(b"\n"), []
    for ns, line in zip(times_ns(wire, count, 0).column(count), wire.splitlines(), strict=True):
        document = orjson.loads(line)
        level = document.pop("level", "")
        made.append(
            {
                "timeUnixNano": str(ns),
                "severityNumber": NAMES.get(level, 0),
                "severityText": level,
                "body": {"stringValue": document.pop("message", "")},
                "attributes": [
                    {"key": key, "value": any_dict(value)} for key, value in document.items()
                ],
            }
        )
    return orjson.dumps(made)


def any_dict(value: object) -> dict[str, object]:
    """A value; a corpus has no nested ones."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": value}


def by_messages(wire: bytes) -> bytes:
    """A chunk's records."""
    request, count = ExportLogsServiceRequest(), wire.count(b"\n")
    records = request.resource_logs.add().scope_logs.add().log_records
    for ns, line in zip(times_ns(wire, count, 0).column(count), wire.splitlines(), strict=True):
        document = orjson.loads(line)
        record = records.add()
        record.time_unix_nano = ns
        record.severity_text = document.pop("level", "")
        record.severity_number = NAMES.get(record.severity_text, 0)
        record.body.string_value = document.pop("message", "")
        for key, value in document.items():
            member = record.attributes.add()
            member.key = key
            put(member.value, value)
    body: bytes = request.SerializeToString()
    return body


def put(message: AnyValue, value: object) -> None:
    """A value; a corpus has no nested ones."""
    match value:
        case bool():
            message.bool_value = value
        case int():
            message.int_value = value
        case float():
            message.double_value = value
        case _:
            message.string_value = str(value)
