"""What an output wants: names, patterns, fields, in each product's form."""

from __future__ import annotations

from typing import get_args

from logagent.cli.setting_up.wanted import MARKS, Schema, mappings, wanted
from logagent.config import DataStream, Elasticsearch
from logagent.config.outputs.choosing import Choose
from logagent.core.chunk import Mark

HOSTS = ("http://es",)


def output(dataset: str = "shop", namespace: str = "prod") -> Elasticsearch:
    """An output to a data stream."""
    return Elasticsearch(hosts=HOSTS, data_stream=DataStream(dataset=dataset, namespace=namespace))


def fields(of: Elasticsearch, schema: Schema = "ecs") -> dict[str, object]:
    """The fields that are mapped."""
    properties = mappings(of, schema)["properties"]
    assert isinstance(properties, dict)
    return dict(properties)


def test_names_and_patterns_follow_the_target() -> None:
    """One name is one pattern; parts that are filled in are anything."""
    one = wanted("Search", output(), "ecs", "elasticsearch")
    assert (one.name, one.pattern, one.stream) == (
        "logagent-search",
        "logs-shop-prod",
        "logs-shop-prod",
    )
    many = wanted("s", output("{container}", "{namespace|x}"), "ecs", "elasticsearch")
    assert (many.pattern, many.stream, many.too_wide) == ("logs-*", "", False)
    team = {"team": Choose(field="team", allow=("a",), fallback="b")}
    index = Elasticsearch(hosts=HOSTS, index="{team}-%Y", choose=team)
    assert wanted("s", index, "none", "opensearch").too_wide


def test_parts_of_the_name_are_constant_fields_where_they_are() -> None:
    """So no line needs to carry them; of parts that are filled in the first line's is taken."""
    assert fields(output("shop", "{namespace}"))["data_stream"] == {
        "properties": {
            "type": {"type": "constant_keyword", "value": "logs"},
            "dataset": {"type": "constant_keyword", "value": "shop"},
            "namespace": {"type": "constant_keyword"},
        }
    }
    assert "data_stream" not in fields(Elasticsearch(hosts=HOSTS, index="a"))


def test_each_schema_has_its_labels() -> None:
    """Where dotted names may clash they are one field."""
    assert {"labels", "kubernetes"} < fields(output(), "ecs").keys()
    assert "k8s" in fields(output(), "otel")
    common = {"@timestamp", "message", "logagent", "shadowed", "data_stream"}
    assert fields(output(), "none").keys() == common


def test_all_marks_are_mapped() -> None:
    """Those that the render writes, and no other."""
    assert {"", *MARKS} == set(get_args(Mark))
