"""Log records of documents, as the protocol's own messages read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from logagent.codecs.otlp_records import make_records
from logagent.codecs.otlp_resource import path_attribute
from tests.codecs.test_otlp_values import VALUES
from tests.fakes.otlp import decode, members, plain, records

T = "2026-09-21T14:13:20"
NS = 1_790_000_000_000_000_000
TRACE = "5B8EFFF798038103D269B633813FC60C"
SPAN = "eee19b7ec3c1b174"
PATH = "/var/log/100%.log"


def made(
    documents: Sequence[Mapping[str, object] | bytes], ids: Sequence[bytes] = ()
) -> list[LogRecord]:
    """The records of documents (bytes: as they are)."""
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in documents]
    wire = b"".join(line + b"\n" for line in lines)
    rows = make_records(wire, len(lines), ids, path_attribute(PATH))
    assert rows.count(b"\n") == len(lines)
    assert all(row.startswith(b",{") for row in rows.splitlines())
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[%b]}]}]}' % rows[1:]
    return records(decode(body))


def attributes(record: LogRecord) -> dict[str, object]:
    """A record's, without the file, which each has."""
    found = members(record.attributes)
    assert found.pop("log.file.path") == PATH
    return found


def one(**document: object) -> LogRecord:
    """The record of one document; names with `__` for a dot."""
    (record,) = made([{name.replace("__", "."): value for name, value in document.items()}])
    return record


def test_a_document_becomes_a_record() -> None:
    """Each part in its place, and all else an attribute with its type."""
    (record,) = made(
        [
            {
                "@timestamp": f"{T}.123Z",
                "level": "warn",
                "message": 'a "q" %b',
                "trace_id": TRACE,
                "span_id": SPAN,
                "trace_flags": "01",
                "100%": {"a": [1, 2.5, None]},
                "n": 3,
            }
        ]
    )
    assert record.time_unix_nano == NS + 123_000_000
    assert record.observed_time_unix_nano == 0
    assert (record.severity_number, record.severity_text) == (13, "warn")
    assert plain(record.body) == 'a "q" %b'
    assert record.trace_id.hex() == TRACE.lower()
    assert record.span_id.hex() == SPAN
    assert record.flags == 1
    assert attributes(record) == {"100%": {"a": [1, 2.5, None]}, "n": 3}


def test_names_that_loggers_use() -> None:
    """Other spellings of the same, the first that is there."""
    assert one(severity="ERROR", level="info").severity_number == 17
    assert attributes(one(severity="ERROR", level="info")) == {"level": "info"}
    assert one(log__level="debug").severity_number == 5
    assert one(level=30).severity_text == "INFO"
    assert one(traceId=TRACE).trace_id.hex() == TRACE.lower()
    assert one(trace__id=TRACE, span__id=SPAN).span_id.hex() == SPAN
    assert one(traceFlags=1).flags == 1
    assert plain(one(msg="m").body) == "m"
    record = one(message="m", msg="other")
    assert (plain(record.body), attributes(record)) == ("m", {"msg": "other"})
    assert plain(one(message={"a": 1}).body) == {"a": 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trace_id", ""),
        ("trace_id", "0" * 32),
        ("trace_id", TRACE[1:]),
        ("trace_id", TRACE[1:] + "g"),
        ("trace_id", 1),
        ("span_id", TRACE),
        ("span_id", "0" * 16),
        ("trace_flags", "1"),
        ("trace_flags", 300),
        ("level", None),
        ("level", {"a": 1}),
        ("@timestamp", "yesterday"),
        ("@timestamp", None),
    ],
)
def test_what_is_no_such_thing_stays_an_attribute(name: str, value: object) -> None:
    """Nothing is lost, and nothing is claimed: alone, and beside rows where it is one."""
    good = {"trace_id": TRACE, "span_id": SPAN, "trace_flags": "01", "level": "info"}
    good["@timestamp"] = f"{T}.000Z"
    (alone,) = made([{name: value}])
    assert attributes(alone) == {name: value}
    first, second, third = made([{name: good[name]}, {name: value}, {name: good[name]}])
    assert attributes(second) == {name: value}
    for record in (first, third):
        assert attributes(record) == {}
        assert (
            record.trace_id
            or record.span_id
            or record.flags
            or record.time_unix_nano
            or (record.severity_number)
        )
    empty = (second.trace_id, second.span_id, second.flags, second.time_unix_nano)
    assert empty == (b"", b"", 0, 0)
    assert (second.severity_number, second.severity_text) == (0, "")


def test_times_as_numbers() -> None:
    """An epoch by its magnitude, as the agent reads it."""
    record = made([b'{"@timestamp":1790000000.5}'])[0]
    assert record.time_unix_nano == NS + 500_000_000


def test_rows_keep_their_order_whatever_their_keys() -> None:
    """Documents of several forms among each other, each with its id."""
    documents: list[Mapping[str, object] | bytes] = [
        {"n": 0, "message": "m"},
        {"n": 1},
        {"message": "m", "n": 2},
        {"n": 3, "message": "m"},
        b'{"n":4,"bad":"\\ud800"}',
        {"n": 5},
    ]
    ids = [b"id%d" % n for n in range(6)]
    found = made(documents, ids)
    assert [members(record.attributes).pop("log.record.uid") for record in found] == [
        each.decode() for each in ids
    ]
    numbers = [members(record.attributes).get("n") for record in found]
    assert numbers == [0, 1, 2, 3, None, 5]
    assert plain(found[1].body) == '{"n": 1}'
    assert plain(found[4].body) == '{"n":4,"bad":"\\ud800"}'
    assert plain(made([documents[4]])[0].body) == '{"n":4,"bad":"\\ud800"}'


def test_keys_are_unique() -> None:
    """The app's own file stays; its own id makes room for ours."""
    own: dict[str, object] = {"log.file.path": "/x", "log.record.uid": "u", "message": "m"}
    (record,) = made([own], [b"id1"])
    assert members(record.attributes) == {
        "log.file.path": "/x",
        "log.record.uid": "id1",
        "shadowed.log.record.uid": "u",
    }
    assert attributes(made([{"log.record.uid": "u"}])[0]) == {"log.record.uid": "u"}
    assert attributes(made([b"{}"])[0]) == {}


def test_a_time_that_no_decoder_takes() -> None:
    """A number beyond all numbers is no time: it spoils neither its record nor others."""
    rows = [b'{"@timestamp":1e999,"n":1}', b'{"@timestamp":"%b.5Z","n":2}' % T.encode()]
    found = made(rows)
    assert [record.time_unix_nano for record in found] == [0, NS + 500_000_000]
    assert [attributes(record)["n"] for record in found] == [1, 2]


@settings(max_examples=25)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["a", "b%", "message", "level", "c.d"]), VALUES),
        min_size=1,
        max_size=3,
    )
)
def test_any_documents_come_back(documents: list[dict[str, object]]) -> None:
    """All values of all documents are in their records, with their types."""
    for document, record in zip(documents, made(documents), strict=True):
        found = attributes(record)
        if record.severity_text:
            level = document["level"]
            assert found.setdefault("level", level) == level
        if "message" in document:
            assert plain(record.body) == document["message"]
            found["message"] = document["message"]
        assert found == document
