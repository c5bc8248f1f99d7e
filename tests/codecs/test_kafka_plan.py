"""What a file's first line says, and what of it is read back."""

from __future__ import annotations

import orjson
from msgspec.structs import replace

from logagent.codecs.kafka_plan import HEAD, Plan
from logagent.core.chunk import Origin
from tests.codecs.kafka_support import settings, tools

POD = Origin("app", "/var/log/a.log", 1, {"namespace": "shop", "pod": "web-1"}, b'"a":1')


def test_a_line_says_what_holds_for_a_file() -> None:
    """Topic, key, path, and where the app's own keys start; no newline but its own."""
    plan = Plan(settings("{namespace}-logs"), tools())
    line = plan.head(replace(POD, path="/a\nb\t\x1e"))
    assert line.startswith(HEAD + b"[")
    assert (line.count(b"\n"), line.count(HEAD)) == (1, 1)
    assert orjson.loads(line[1:])[0] == "shop-logs"
    place = plan.place(plan.head(POD))
    assert (place.topic, place.key) == ("shop-logs", b"shop/web-1:/var/log/a.log")
    assert (place.path, place.lead, place.names) == (b"/var/log/a.log", len(b'{"a":1,'), {})
    assert plan.place(plan.head(replace(POD, metadata=b""))).lead == 1


def test_a_topic_that_rows_choose_keeps_its_names() -> None:
    """Those that the topic has, and of these the known."""
    plan = Plan(settings("{namespace}-{node|x}-{team}"), tools())
    place = plan.place(plan.head(POD))
    assert (place.topic, place.names) == ("", {"namespace": "shop"})


def test_a_file_without_key() -> None:
    """With `key: none` the line says it, and nobody reads it."""
    plan = Plan(replace(settings(), key="none"), tools())
    assert plan.place(plan.head(POD)).key is None


def test_rows_have_an_id_or_not() -> None:
    """Two lines, or one."""
    assert Plan(settings(), tools()).lines == 2
    assert Plan(replace(settings(), id_header=""), tools()).lines == 1
