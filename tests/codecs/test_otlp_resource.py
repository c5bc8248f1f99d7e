"""Resources, of what the agent knows."""

from __future__ import annotations

import json

from logagent.codecs.otlp_resource import path_attribute, resource_head
from logagent.core.chunk import Origin
from logagent.render.metadata import Schema, build

FACTS = {
    "POD_NAME": "web-1",
    "POD_UID": "5f0c",
    "POD_IP": "10.0.0.1",
    "POD_NAMESPACE": "shop",
    "NODE_NAME": "n1",
    "CLUSTER_NAME": "c1",
}
NAMES = {
    "input": "app",
    "container": "web",
    "pod": "web-1",
    "pod_uid": "5f0c",
    "pod_ip": "10.0.0.1",
    "namespace": "shop",
    "node": "n1",
}


def origin(schema: Schema, **fields: str) -> Origin:
    """A file's, with metadata as the agent writes it."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    made = build(schema, FACTS, dict(named), container="web", path=b"/var/log/a.log")
    return Origin("app", "/var/log/a.log", 1, NAMES, b",".join(made.encode().values()))


def attributes(origin: Origin) -> dict[str, str]:
    """A resource's attributes."""
    found = json.loads(resource_head(origin) + b"]}]}")
    assert found["scopeLogs"] == [{"scope": {"name": "logagent"}, "logRecords": []}]
    return {each["key"]: each["value"]["stringValue"] for each in found["resource"]["attributes"]}


def test_both_schemas_have_the_names_of_the_conventions() -> None:
    """Metadata as Beats write it is renamed; the file is left to the records."""
    wanted = {
        "k8s.pod.name": "web-1",
        "k8s.pod.uid": "5f0c",
        "k8s.pod.ip": "10.0.0.1",
        "k8s.namespace.name": "shop",
        "k8s.node.name": "n1",
        "k8s.container.name": "web",
        "k8s.cluster.name": "c1",
        "service.name": "web",
        "team": "pay",
    }
    assert attributes(origin("otel", team="pay")) == wanted
    assert attributes(origin("ecs", team="pay")) == wanted


def test_a_service_has_a_name() -> None:
    """The field's, else the container's, else the input's: the conventions want one."""
    assert attributes(origin("ecs", service__name="cart"))["service.name"] == "cart"
    assert attributes(origin("otel", service__name="cart"))["service.name"] == "cart"
    bare = Origin("app", "/a", 1, {"input": "app"})
    assert attributes(bare) == {"service.name": "app"}


def test_the_file_is_an_attribute() -> None:
    """Of the record, escaped."""
    assert json.loads(path_attribute('/a"b')) == {
        "key": "log.file.path",
        "value": {"stringValue": '/a"b'},
    }
