"""Metadata is what the schemas say, and clashes are found."""

from __future__ import annotations

import json

import pytest

from logagent.render.metadata import Json, Metadata, Schema, build, find_clashes, is_owned

FACTS = {
    "POD_NAME": "checkout-1",
    "POD_NAMESPACE": "shop",
    "POD_UID": "u-1",
    "POD_IP": "10.0.0.1",
    "NODE_NAME": "node-1",
    "HOSTNAME": "ignored",
    "SERVICE_VERSION": "",
}


def test_ecs() -> None:
    """ECS is nested, as Beats write it."""
    made = build("ecs", FACTS, {"team": "payments"}, container="app", path=b"/var/log/\xffa.log")
    assert made.members == {
        "kubernetes": {
            "pod": {"name": "checkout-1", "uid": "u-1", "ip": "10.0.0.1"},
            "namespace": "shop",
            "node": {"name": "node-1"},
            "container": {"name": "app"},
        },
        "log": {"file": {"path": "/var/log/\\xffa.log"}},
        "team": "payments",
    }
    assert made.owned == {"kubernetes"}


def test_otel() -> None:
    """OpenTelemetry's names are dotted, and so are static fields."""
    made = build("otel", FACTS, {"service.name": "checkout"}, container="app", path=b"/a.log")
    assert made.members == {
        "k8s.pod.name": "checkout-1",
        "k8s.pod.uid": "u-1",
        "k8s.pod.ip": "10.0.0.1",
        "k8s.namespace.name": "shop",
        "k8s.node.name": "node-1",
        "k8s.container.name": "app",
        "log.file.path": "/a.log",
        "service.name": "checkout",
    }
    assert made.owned == {key for key in made.members if key.startswith("k8s.")}


def test_none() -> None:
    """Without a schema there are static fields and the data stream alone."""
    stream = {"type": "logs", "dataset": "d", "namespace": "n"}
    made = build("none", FACTS, {"a.b": 1}, container="app", path=b"/a.log", data_stream=stream)
    assert made.members == {"a": {"b": 1}, "data_stream": stream}
    assert build("none", FACTS, {}).members == {}


def test_static_fields() -> None:
    """Static fields join what is there, and the caller's values stay as they are."""
    given: dict[str, Json] = {"kubernetes.labels": {"app": "x"}, "service": {"name": "s"}}
    fields: dict[str, Json] = {**given, "service.version": "2", "tags": ["a", "b"], "empty": {}}
    made = build("ecs", {"POD_NAME": "p"}, fields)
    assert made.members == {
        "kubernetes": {"pod": {"name": "p"}, "labels": {"app": "x"}},
        "service": {"name": "s", "version": "2"},
        "tags": ["a", "b"],
        "empty": {},
    }
    assert given["service"] == {"name": "s"}


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        ("ecs", {"message": "x"}),
        ("ecs", {"@timestamp": "x"}),
        ("none", {"logagent.error": "x"}),
        ("none", {"shadowed": {}}),
        ("ecs", {"a": 1, "a.b": 2}),
        ("ecs", {"a.b": 2, "a": 1}),
        ("ecs", {"kubernetes": "x"}),
        ("otel", {"service": "x", "service.name": "y"}),
    ],
)
def test_refuses(schema: Schema, fields: dict[str, Json]) -> None:
    """A field that can't be written is refused by name."""
    with pytest.raises(ValueError, match=f"naming a static field {list(fields)[-1].split('.')[0]}"):
        build(schema, FACTS, fields)


def test_encode() -> None:
    """Members are JSON without braces."""
    made = Metadata({"a": {"b": 'x"y'}, 'k"': 1})
    assert json.loads(b"{" + b",".join(made.encode().values()) + b"}") == made.members


def test_owned() -> None:
    """The agent owns its names and what is dotted below them, no more."""
    for key in ("kubernetes", "kubernetes.pod.name", "k8s", "k8s.x", "data_stream", "logagent.a"):
        assert is_owned(key)
    for key in ("kubernetesx", "k8sx", "data_streams", "log", "", ".kubernetes"):
        assert not is_owned(key)


def test_clashes() -> None:
    """A key clashes with the member itself, with its parents, and below its values."""
    clashes = find_clashes(build("ecs", {"SERVICE_NAME": "s", "POD_NAME": "p"}, {"team": "t"}))

    def check(keys: set[str], expected: set[str]) -> None:
        assert clashes.pushed_out(frozenset(keys)) == expected

    check({"level", "message", "kubernetes"}, set())
    check({"service"}, {"service"})
    check({"service.name"}, {"service"})
    check({"service.name.x", "team"}, {"service", "team"})
    check({"service.version", "services", "teams"}, set())
    check({"team.name"}, {"team"})
    otel = find_clashes(build("otel", {"SERVICE_NAME": "s", "SERVICE_VERSION": "1"}, {}))
    assert otel.pushed_out(frozenset({"service"})) == {"service.name", "service.version"}
    assert otel.pushed_out(frozenset({"service.version"})) == {"service.version"}
