"""The ends of a Loki output: its options decide labels, lines, headers."""

from __future__ import annotations

import json

import pytest

from logagent.config import Loki
from logagent.config.outputs.choosing import Choose
from logagent.core.chunk import Rejection, Verdict
from logagent.ends.loki import codec, stored
from tests.fakes.origin import ORIGIN

HOSTS = ("http://x",)


def pushed(output: Loki) -> list[dict[str, object]]:
    """The streams of two documents."""
    packer = codec(output).packer()
    first = b'{"@timestamp":"2026-09-21T14:13:20.5Z","level":"error","message":"m"}\n'
    packer.add(first + first.replace(b"error", b"x"), ORIGIN)
    streams: list[dict[str, object]] = json.loads(packer.close(2).body)["streams"]
    return streams


def test_the_default_labels_are_known_everywhere() -> None:
    """Without a pod in the environment there still is a stream."""
    output = Loki(hosts=HOSTS, compression="none")
    assert codec(output).frame(ORIGIN).middle == b""
    assert [each["stream"] for each in pushed(output)] == [
        {"app": "app", "namespace": "none", "pod": "none"}
    ]


def test_options_reach_the_codec() -> None:
    """Labels, choices, what is the line, ids, compression."""
    level = Choose(field="level", allow=("error",), fallback="other")
    output = Loki(
        hosts=HOSTS,
        labels={"level": "{level}"},
        choose={"level": level},
        line="message",
        compression="none",
    )
    assert [each["stream"] for each in pushed(output)] == [{"level": "error"}, {"level": "other"}]
    assert "document" not in str(pushed(output)[0]["values"])
    assert codec(Loki(hosts=HOSTS, ids=True)).frame(ORIGIN).middle == b"\t"
    assert codec(Loki(hosts=HOSTS)).packer().close(0).gzipped
    with pytest.raises(ValueError, match="doesn't know its pod"):
        codec(Loki(hosts=HOSTS, labels={"pod": "{pod}"})).frame(ORIGIN)


def test_a_part_is_stored_when_all_of_it_is() -> None:
    """A rejected row, or an open one, is no success."""
    assert stored(Verdict("done", delivered=1))
    assert not stored(Verdict("done", rejected=(Rejection(0, 400, "x", "x"),)))
    assert not stored(Verdict("again"))
