"""Whose logs they are: OTLP's resource, made of what the agent knows of a file.

Source: OpenTelemetry semantic conventions 1.44: resource/README.md ("service": `service.name` is
required), resource/k8s.md. Members of the metadata that Beats name otherwise (ECS) get the names of
the conventions. Must not know a record.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from logagent.codecs.otlp_records import PATH_KEY
from logagent.codecs.otlp_values import any_value, attribute
from logagent.core.chunk import Origin

NAMES: Final[Mapping[str, str]] = {
    "pod": "k8s.pod.name",
    "pod_uid": "k8s.pod.uid",
    "pod_ip": "k8s.pod.ip",
    "namespace": "k8s.namespace.name",
    "node": "k8s.node.name",
    "container": "k8s.container.name",
}
"""What the agent's names (`Origin.names`) are called."""

FROM_ECS: Final[Mapping[str, str]] = {
    "kubernetes.pod.name": "k8s.pod.name",
    "kubernetes.pod.uid": "k8s.pod.uid",
    "kubernetes.pod.ip": "k8s.pod.ip",
    "kubernetes.namespace": "k8s.namespace.name",
    "kubernetes.node.name": "k8s.node.name",
    "kubernetes.container.name": "k8s.container.name",
    "orchestrator.cluster.name": "k8s.cluster.name",
}

SERVICE: Final = "service.name"
SCOPE: Final = b'{"name":"logagent"}'


def resource_head(origin: Origin) -> bytes:
    """A resource and a scope, up to the records.

    The file isn't in it, so that files of one input share it: the records have it. Without a
    `service.name` among the fields it is the container, else the input.
    """
    attributes: dict[str, bytes] = {}
    for name, raw in _leaves("", b"{%b}" % origin.metadata.strip(b", ")):
        attributes[FROM_ECS.get(name, name)] = any_value(raw)
    for name, key in NAMES.items():
        if origin.names.get(name):
            attributes[key] = _text(origin.names[name])
    attributes.pop(PATH_KEY, None)
    service = origin.names.get("container") or origin.input
    attributes.setdefault(SERVICE, _text(service))
    members = b",".join(attribute(key, value) for key, value in sorted(attributes.items()))
    return b'{"resource":{"attributes":[%b]},"scopeLogs":[{"scope":%b,"logRecords":[' % (
        members,
        SCOPE,
    )


def path_attribute(path: str) -> bytes:
    """The attribute of a record that says which file it is from."""
    return attribute(PATH_KEY, _text(path))


def _leaves(above: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """The values below an object of the metadata, by their dotted names."""
    for key, value in msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).items():
        inner = bytes(value)
        if inner.startswith(b"{") and inner != b"{}":
            yield from _leaves(f"{above}{key}.", inner)
        else:
            yield above + key, inner


def _text(text: str) -> bytes:
    return any_value(msgspec.json.encode(text))
