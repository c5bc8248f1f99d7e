"""What an output wants on its server: index template, lifecycle policy, in the product's own form.

Pure. Knows the bodies of both products' APIs. Sources: Elasticsearch 8.19's index templates, index
settings and ILM; OpenSearch 2.19's index templates and ISM policies; ECS 9 for the fields. Must not
ask a server, nor know what it has already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from logagent.config import Elasticsearch
from logagent.config.outputs.choosing import wildcard

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Object = dict[str, Json]
Product = Literal["elasticsearch", "opensearch"]
Schema = Literal["ecs", "otel", "none"]

OWNER: Final = "logagent"
"""What `_meta.managed_by` says of all that is ours; nothing else is ever changed."""
PRIORITY: Final = 250
"""Above Elastic's own templates (100 and 200), below what people write to win (500)."""
ROLLOVER_AGE: Final = "30d"
ROLLOVER_SIZE: Final = "50gb"
"""When a data stream gets its next backing index: as Elastic's own policy for logs does."""

_KEYWORD: Final[Object] = {"type": "keyword", "ignore_above": 1024}
_FREE: Final[Object] = {"type": "flattened", "ignore_above": 1024}
"""Any names below it, as one field: `app` and `app.kubernetes.io/name` can't stand side by side as
fields of their own, the one a value and the other an object."""
_TEXT: Final[Object] = {"type": "match_only_text"}

MARKS: Final = ("truncated", "partial", "continued")
"""What the agent says of a line that it couldn't send whole (core.chunk.Mark)."""

LABELS: Final[Mapping[Schema, Object]] = {
    "ecs": {
        "labels": _FREE,
        "kubernetes": {"properties": {"labels": _FREE, "annotations": _FREE}},
    },
    "otel": {"k8s": {"properties": {"pod": {"properties": {"label": _FREE}}}}},
    "none": {},
}


class Wanted(NamedTuple):
    """What one output wants.

    name: of all that is made for it. pattern: of the names that its rows go to. stream: the data
    stream to make now, "" = none, or its name isn't known here. deletes: whether the policy is to
    delete what is old.
    """

    name: str
    pattern: str
    template: Object
    policy: Object
    stream: str
    deletes: bool

    @property
    def too_wide(self) -> bool:
        """Whether the pattern is for indices of others too: it begins with anything."""
        return self.pattern.startswith("*")


def wanted(
    output_id: str, output: Elasticsearch, schema: Schema, product: Product, keep: str = ""
) -> Wanted:
    """What an output wants. keep: how long lines are kept, as in `30d`; "" = for ever."""
    name = f"{OWNER}-{output_id.lower()}"
    pattern = wildcard(output.target())
    streams = output.data_stream is not None
    template: Object = {
        "index_patterns": [pattern],
        "priority": PRIORITY,
        "template": {"settings": settings(), "mappings": mappings(output, schema)},
        "_meta": {"managed_by": OWNER, "output": output_id},
    }
    if streams:
        template["data_stream"] = {}
    made = ilm if product == "elasticsearch" else ism
    policy = made(output_id, pattern, keep=keep, rollover=streams) if streams or keep else {}
    stream = pattern if streams and "*" not in pattern else ""
    return Wanted(name, pattern, template, policy, stream, bool(keep))


def settings() -> Object:
    """The index settings: a line with one field too many or of another type is stored all the
    same, without that field."""
    return {
        "index.mapping.total_fields.ignore_dynamic_beyond_limit": "true",
        "index.mapping.ignore_malformed": "true",
    }


def mappings(output: Elasticsearch, schema: Schema) -> Object:
    """The fields that the agent writes, and how those of the app are taken.

    `@timestamp` is a date as in all of Elastic's own logs-*-*: in milliseconds, of any year.
    """
    properties: Object = {
        # A data stream's time must not be ignored, whatever the index says about all fields.
        "@timestamp": {"type": "date", "ignore_malformed": False},
        "message": _TEXT,
        "logagent": {
            "properties": {
                "error": _KEYWORD,
                "message": _TEXT,
                **{mark: {"type": "boolean"} for mark in MARKS},
            },
        },
        "shadowed": _FREE,
        **LABELS[schema],
    }
    if output.data_stream is not None:
        properties["data_stream"] = {"properties": _constants(output)}
    return {
        "date_detection": False,
        "dynamic_templates": [
            {"strings": {"match_mapping_type": "string", "mapping": _KEYWORD}},
        ],
        "properties": properties,
    }


def _constants(output: Elasticsearch) -> Object:
    """The parts of the data stream's name as fields: with their values where all have the same, so
    that no line needs to carry them."""
    assert output.data_stream is not None
    parts = {name: str(getattr(output.data_stream, name)) for name in ("dataset", "namespace")}
    fields: Object = {"type": {"type": "constant_keyword", "value": output.data_stream.type}}
    for name, text in parts.items():
        value: Object = {} if "{" in text else {"value": text}
        fields[name] = {"type": "constant_keyword", **value}
    return fields


def ilm(output_id: str, _pattern: str, *, keep: str, rollover: bool) -> Object:
    """Elasticsearch's policy: the body of PUT /_ilm/policy/NAME."""
    turn: Object = {"max_age": ROLLOVER_AGE, "max_primary_shard_size": ROLLOVER_SIZE}
    actions: Object = {"rollover": turn} if rollover else {}
    phases: Object = {"hot": {"min_age": "0ms", "actions": actions}}
    if keep:
        phases["delete"] = {
            "min_age": keep,
            "actions": {"delete": {"delete_searchable_snapshot": True}},
        }
    return {"policy": {"phases": phases, "_meta": {"managed_by": OWNER, "output": output_id}}}


def ism(output_id: str, pattern: str, *, keep: str, rollover: bool) -> Object:
    """OpenSearch's policy: the body of PUT /_plugins/_ism/policies/NAME. It has no `_meta`: its
    description says whose it is."""
    turn: Object = {"min_index_age": ROLLOVER_AGE, "min_primary_shard_size": ROLLOVER_SIZE}
    hot: Object = {
        "name": "hot",
        "actions": [{"rollover": turn}] if rollover else [],
        "transitions": (
            [{"state_name": "delete", "conditions": {"min_index_age": keep}}] if keep else []
        ),
    }
    gone: Object = {"name": "delete", "actions": [{"delete": {}}], "transitions": []}
    states: list[Json] = [hot, gone] if keep else [hot]
    return {
        "policy": {
            "description": f"managed_by: {OWNER}, output: {output_id}",
            "default_state": "hot",
            "states": states,
            "ism_template": [{"index_patterns": [pattern], "priority": PRIORITY}],
        }
    }
