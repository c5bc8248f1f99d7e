"""What the agent says about a file in each of its documents, and which keys are whose.

Knows the schemas (facts as Beats, ECS and OpenTelemetry spell them), and when an app's key and a
member of ours can't stand in one document. Must not know where the facts come from.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import orjson
from msgspec import Struct

from logagent.core.files import escape

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Schema = Literal["ecs", "otel", "none"]

OWNED: Final = ("kubernetes", "k8s", "data_stream", "logagent")
"""In these keys, and in dotted ones below them (`k8s.pod.name`), the agent wins: the app's keys
move under `shadowed`. In all other keys the app wins."""

REFUSED: Final = frozenset({"@timestamp", "message", "logagent", "shadowed"})
"""What no static field may be called: the render writes these itself, or the app does."""

ECS: Final[Mapping[str, str]] = {
    "POD_NAME": "kubernetes.pod.name",
    "POD_UID": "kubernetes.pod.uid",
    "POD_IP": "kubernetes.pod.ip",
    "POD_NAMESPACE": "kubernetes.namespace",
    "NODE_NAME": "kubernetes.node.name",
    "CONTAINER_NAME": "kubernetes.container.name",
    "CLUSTER_NAME": "orchestrator.cluster.name",
    "SERVICE_NAME": "service.name",
    "SERVICE_VERSION": "service.version",
    "LOG_FILE_PATH": "log.file.path",
}
"""As Beats write them (ECS 9 where Beats have no name), as nested objects."""

OTEL: Final[Mapping[str, str]] = {
    "POD_NAME": "k8s.pod.name",
    "POD_UID": "k8s.pod.uid",
    "POD_IP": "k8s.pod.ip",
    "POD_NAMESPACE": "k8s.namespace.name",
    "NODE_NAME": "k8s.node.name",
    "CONTAINER_NAME": "k8s.container.name",
    "CLUSTER_NAME": "k8s.cluster.name",
    "SERVICE_NAME": "service.name",
    "SERVICE_VERSION": "service.version",
    "LOG_FILE_PATH": "log.file.path",
}
"""OpenTelemetry semantic conventions 1.44, as dotted keys."""


class Metadata(Struct, frozen=True):
    """The agent's part of each document of one file: top-level key → JSON value."""

    members: dict[str, Json]

    @property
    def owned(self) -> frozenset[str]:
        """The members in which the agent wins."""
        return frozenset(key for key in self.members if is_owned(key))

    def encode(self) -> dict[str, bytes]:
        """Return each member as JSON text `"key":value`."""
        return {
            key: orjson.dumps(key) + b":" + orjson.dumps(value)
            for key, value in self.members.items()
        }


def is_owned(key: str) -> bool:
    """Whether the agent owns a top-level key: one of `OWNED`, or a dotted key below one."""
    return key.split(".", 1)[0] in OWNED


def build(
    schema: Schema,
    facts: Mapping[str, str],
    fields: Mapping[str, Json],
    *,
    container: str = "",
    path: bytes = b"",
    data_stream: Mapping[str, str] | None = None,
) -> Metadata:
    """Put together what is said about one file.

    facts: plain values by their environment name (see `ECS`); unknown and empty ones are left out.
    fields: static; dotted names become nested objects, except with `otel`, where they stay dotted.
    With `none` only the fields and `data_stream` are written.
    Raises ValueError when a field can't be written: a name of `REFUSED`, or a name that is both a
    value and the parent of another.
    """
    table = {"ecs": ECS, "otel": OTEL, "none": {}}[schema]
    known = {**facts, "CONTAINER_NAME": container, "LOG_FILE_PATH": escape(path)}
    named: dict[str, Json] = {name: known[fact] for fact, name in table.items() if known.get(fact)}
    members: dict[str, Json] = {}
    for name, value in {**named, **fields}.items():
        if name.split(".", 1)[0] in REFUSED:
            raise ValueError(f"naming a static field {name}: the agent writes that key itself")
        if schema == "otel":
            members[name] = value
        else:
            put(members, name, value)
    for name in members:
        parents = [".".join(name.split(".")[:count]) for count in range(1, name.count(".") + 1)]
        if not members.keys().isdisjoint(parents):
            raise ValueError(f"naming a static field {name}: a part of the name is a value already")
    if data_stream is not None:
        members["data_stream"] = dict(data_stream)
    return Metadata(members)


def put(members: dict[str, Json], name: str, value: Json) -> None:
    """Write `value` under a dotted name as nested objects. Raises ValueError when it can't be."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            put(members, f"{name}.{key}", inner)
        return
    *parents, last = name.split(".")
    here = members
    for parent in parents:
        below = here.setdefault(parent, {})
        if not isinstance(below, dict):
            why = f"naming a static field {name}: {parent} is a value already"
            raise ValueError(why)  # noqa: TRY004 - the name is wrong, not a type
        here = below
    if isinstance(here.get(last), dict):
        why = f"naming a static field {name}: there are fields below it already"
        raise ValueError(why)  # noqa: TRY004 - the name is wrong, not a type
    here[last] = value


def leaves(key: str, value: Json) -> Iterator[str]:
    """Give the dotted paths of all values below a member."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(f"{key}.{name}", inner)
    else:
        yield key


class Clashes(Struct, frozen=True):
    """Which top-level keys of an app can't stand beside which of our members.

    `keys`: exact keys → the members they push out: the member itself, its parents and its values
    (`log`, `log.file`, `log.file.path`: the same field twice, or a value where an object is).
    `below`: what a key must not begin with, as `team.` where our `team` is a value → the members.
    """

    keys: dict[str, frozenset[str]]
    below: dict[str, frozenset[str]]

    def pushed_out(self, keys: frozenset[str]) -> frozenset[str]:
        """Return the members that have to go when the app has these `keys`."""
        found = [self.keys[key] for key in self.keys.keys() & keys]
        for prefix, members in self.below.items():
            if any(key.startswith(prefix) for key in keys):
                found.append(members)
        return frozenset().union(*found)


def find_clashes(metadata: Metadata) -> Clashes:
    """Work out the clashes with all members that the agent doesn't own."""
    keys: dict[str, set[str]] = {}
    below: dict[str, set[str]] = {}
    for member, value in metadata.members.items():
        if is_owned(member):
            continue
        paths = {member, *leaves(member, value)}
        for path in paths:
            parts = path.split(".")
            for count in range(1, len(parts) + 1):
                keys.setdefault(".".join(parts[:count]), set()).add(member)
        for path in leaves(member, value):
            below.setdefault(f"{path}.", set()).add(member)
    return Clashes(
        {key: frozenset(members) for key, members in keys.items()},
        {key: frozenset(members) for key, members in below.items()},
    )
