"""Wrapped documents: valid, complete, and with a date that every date field takes."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.wrapping import AGENTS, bare_document, timestamp, wrap_document
from logagent.render.metadata import OWNED

NOW = "2026-11-24T11:15:00.000Z"


def wrapped(document: bytes, metadata: bytes = b"") -> dict[str, object]:
    """The wrapped document, decoded."""
    made = wrap_document(document, metadata, kind="mapping", now=NOW)
    decoded: dict[str, object] = orjson.loads(made)
    return decoded


def test_a_wrapped_document() -> None:
    """Time, metadata, the raw document as text and the agent's remark, in this order."""
    document = b'{"@timestamp":"2026-11-24T10:00:00Z","code":"not a number"}'
    made = wrap_document(document, b'"service":{"name":"web"},"a.b":1,', kind="mapping", now=NOW)
    assert made == (
        b'{"@timestamp":"2026-11-24T10:00:00Z","service":{"name":"web"},"a.b":1,'
        b'"message":"{\\"@timestamp\\":\\"2026-11-24T10:00:00Z\\",\\"code\\":\\"not a number\\"}",'
        b'"logagent":{"error":"mapping"}}'
    )


@pytest.mark.parametrize("metadata", [b"", b",", b'"a":1', b'"a":1,', b',"a":1', b' "a":1, '])
def test_metadata_may_have_commas_around_it(metadata: bytes) -> None:
    """Metadata is taken as the renderers keep it, with a comma at either end or none."""
    assert wrapped(b"{}", metadata).get("a") == (1 if b"a" in metadata else None)


def test_metadata_cannot_repeat_our_members() -> None:
    """Keys that the wrapping writes itself come once; other remarks of the agent are kept."""
    metadata = (
        b'"@timestamp":"x","message":"y","logagent":{"host":"h","error":"old"},"logagent.error":"z"'
    )
    made = wrap_document(b"{}", metadata, kind="mapping", now=NOW)
    assert made == (
        b'{"@timestamp":"2026-11-24T11:15:00.000Z","message":"{}",'
        b'"logagent":{"host":"h","error":"mapping"}}'
    )
    assert wrapped(b"{}", b'"logagent":1')["logagent"] == {"error": "mapping"}


def test_a_bare_document_has_nothing_that_a_line_can_spoil() -> None:
    """Of the metadata only what no line can write stays, and the text goes below the agent's own
    key; the time and what was wrong are kept."""
    metadata = (
        b'"kubernetes":{"pod":1},"k8s.pod.name":2,"k8sx":3,"team":"t","logagent":{"host":"h"}'
    )
    document = b'{"@timestamp":"2026-11-24T10:00:00Z","service":"web"}'
    bare = bare_document(wrap_document(document, metadata, kind="mapping", now=NOW))
    assert orjson.loads(bare) == {
        "@timestamp": "2026-11-24T10:00:00Z",
        "kubernetes": {"pod": 1},
        "k8s.pod.name": 2,
        "logagent": {"host": "h", "error": "mapping", "message": document.decode()},
    }


def test_the_agents_own_members_are_those_of_the_renderer() -> None:
    """What a line can't write is defined there; `logagent` is always written anew."""
    assert {*AGENTS, "logagent"} == set(OWNED)


@given(st.binary(max_size=80))
def test_any_document_can_be_wrapped(document: bytes) -> None:
    """Bytes that are no JSON and no text give a valid document of one line."""
    made = wrap_document(document, b'"a":1', kind="mapping", now=NOW)
    assert b"\n" not in made
    decoded = orjson.loads(made)
    assert decoded["message"] == document.decode("utf-8", "replace")
    assert decoded["logagent"] == {"error": "mapping"}


@pytest.mark.parametrize(
    "kept",
    [
        '"2026-11-24T10:00:00Z"',
        '"2026-11-24T10:00:00.123456789+05:30"',
        '"2024-02-29T23:59:59.9-17:59"',
        "0",
        "1795514100000",
        "9223372036854",
    ],
)
def test_a_date_is_kept(kept: str) -> None:
    """RFC 3339 and milliseconds since 1970, within what a date field can hold."""
    document = b'{"a":[1],"@timestamp":%b,"b":"c"}' % kept.encode()
    assert orjson.dumps(timestamp(document, NOW)) == kept.encode()


@pytest.mark.parametrize(
    "value",
    [
        '"yesterday"',
        '""',
        '"2026-11-24"',
        '"2026-11-24T10:00:00"',
        '"2026-11-24t10:00:00z"',
        '"2026-11-24 10:00:00Z"',
        '"2026-11-24T10:00:60Z"',
        '"2026-11-24T24:00:00Z"',
        '"2026-11-24T10:00:00.1234567890Z"',
        '"2026-02-29T10:00:00Z"',
        '"2026-13-01T10:00:00Z"',
        '"1969-12-31T23:59:59Z"',
        '"2262-01-01T00:00:00Z"',
        '"2026-11-24T10:00:00+18:30"',
        '"2026-11-24T10:00:00Z\\n"',
        "-1",
        "9223372036855",
        "1e12",
        "1.5",
        "true",
        "null",
        "{}",
        '["2026-11-24T10:00:00Z"]',
    ],
)
def test_anything_else_becomes_now(value: str) -> None:
    """What some date field would refuse is replaced; it is still in the message."""
    assert timestamp(b'{"@timestamp":%b}' % value.encode(), NOW) == NOW


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[]",
        b'"@timestamp"',
        b'{"@timestamp":',
        b'{"@timestamp":"\xff"}',
        b'{"@timestamp":"\\ud800"}',
        b'{"a":' + b"[" * 100_000 + b',"@timestamp":1}',
    ],
)
def test_a_document_without_a_readable_time_has_now(document: bytes) -> None:
    """Broken, hostile and undated documents get the time of wrapping."""
    assert timestamp(document, NOW) == NOW
