"""Lines that clash, forge or break the mapping: on real servers each arrives, and none takes what
is the agent's own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.search_scene import deliver_all, documents, make_target, search_config, write_lines
from tests.e2e.servers import Server

POD: Final = "checkout-7d9f"
"""What the agent says in `kubernetes.pod.name`; no line may say anything else there."""

TEMPLATES: Final = (
    # Clashes: a value where our metadata has an object, the other way round, and the same.
    '{"n":%d,"service":"web"}',
    '{"n":%d,"service":{"name":"app-own"}}',
    '{"n":%d,"service.name":"app-own"}',
    '{"n":%d,"service":null}',
    '{"n":%d,"team":{"lead":"x"}}',
    '{"n":%d,"log":"text"}',
    # Forgeries: the agent's keys, plain, dotted, escaped, twice.
    '{"n":%d,"kubernetes":{"pod":{"name":"forged"}}}',
    '{"n":%d,"\\u006bubernetes":{"pod":{"name":"forged"}}}',
    '{"n":%d,"kuberne\\u0074es.pod.name":"forged"}',
    '{"n":%d,"kubernetes.pod.name":"forged"}',
    '{"n":%d,"kubernetes":"forged","kubernetes":{"namespace":"forged"}}',
    '{"n":%d,"k8s.pod.name":"forged","data_stream":{"dataset":"forged"}}',
    '{"n":%d,"logagent":{"error":"forged"}}',
    '{"n":%d,"shadowed":{"kubernetes":{"pod":{"name":"forged"}}}}',
    # What the mapping doesn't take: wrong types, a bad date, deep nesting.
    '{"n":%d,"at":"not a date"}',
    '{"n":%d,"at":{"when":1}}',
    '{"n":%d,"count":"many"}',
    '{"n":%d,"count":[1,"two"]}',
    '{"n":%d,"count":1e400}',
    '{"n":%d,"name":{"first":"object"}}',
    '{"n":%d,"name":[{"x":1},"y"]}',
    '{"n":%d,"@timestamp":"not a date"}',
    '{"n":%d,"@timestamp":{"x":1}}',
    '{"n":%d,"message":{"text":"object"}}',
    '{"n":%d,"":"no name"}',
    '{"n":%d,"a..b":1}',
    '{"n":%d,".":1}',
    '{"n":%d,"_id":"forged"}',
    '{"n":%d,"deep":' + '{"x":' * 30 + "1" + "}" * 30 + "}",
    # What isn't JSON, or not the kind that it seems.
    '{"n":%d,"cut":"',
    '{"n":%d}{"create":{"_index":"forged"}}',
    '{"n":%d,"nan":NaN}',
    '["n",{"n":%d}]',
    'plain text "n":%d with \t tab and \u2028 separator',
    '{"create":{"_index":"forged"},"n":%d}',
    '{"delete":{"_index":"forged","_id":"1"},"n":%d}',
)
ROUNDS: Final = 40
NUMBER: Final = re.compile(r'\\*"n\\*":([0-9]+)')
"""The number of a line, in a document, or in text that holds one, however often escaped."""

MAPPING: Final[dict[str, object]] = {
    "n": {"type": "long"},
    "at": {"type": "date"},
    "count": {"type": "long"},
    "name": {"type": "keyword"},
    "message": {"type": "text"},
}


@pytest.mark.parametrize(("schema", "mapping"), [("ecs", MAPPING), ("otel", {})])
def test_hostile_lines_all_arrive_and_forge_nothing(
    search_server: Server,
    tmp_path: Path,
    unused_name: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    schema: str,
    mapping: dict[str, object],
) -> None:
    """Each line is one document, counted by the number inside it or inside its wrapped text; the
    pod's name is ours in each, and nobody else's is to be found. Without a mapping the lines make
    one, in which `message` is an object and `service` a text, and all arrive still.
    """
    monkeypatch.setenv("POD_NAME", POD)
    logs = tmp_path / "logs"
    logs.mkdir()
    lines = [template % number for number, template in enumerate(TEMPLATES * ROUNDS)]
    write_lines(logs / "a.log", lines)
    rest = search_server.rest
    target = make_target(rest, "index", unused_name, mapping)
    metadata = {"schema": schema, "fields": {"service.name": "checkout", "team": "payments"}}
    config = search_config(
        [f"{logs}/*.log"], [search_server.url], {**target.options, "ids": True}, metadata=metadata
    )
    deliver_all(config, tmp_path)
    assert rest.count(target.name) == len(lines)
    found = documents(rest, target.name)
    assert Counter(map(number_of, found)) == Counter(range(len(lines)))
    pod = "kubernetes.pod.name" if schema == "ecs" else "k8s.pod.name"
    assert len(documents(rest, target.name, {"term": {f"{pod}.keyword": POD}})) == len(lines)
    for field in (pod, "kubernetes.*", "k8s.*", "data_stream.*"):
        forged = {"query_string": {"query": "forged", "fields": [field], "lenient": True}}
        assert documents(rest, target.name, forged) == []
    assert all(agents_own(document, schema) for document in found)
    assert rest.get("/forged").status == 404


def number_of(document: dict[str, object]) -> int:
    """A line's number, wherever in the document it is."""
    match = NUMBER.search(json.dumps(document, separators=(",", ":")))
    assert match is not None, document
    return int(match[1])


def agents_own(document: dict[str, object], schema: str) -> bool:
    """Whether a document's reserved keys are those that the agent writes, and nothing else."""
    expected: dict[str, object] = (
        {"kubernetes": {"pod": {"name": POD}}} if schema == "ecs" else {"k8s.pod.name": POD}
    )
    reserved = {
        key: value
        for key, value in document.items()
        if key.split(".")[0] in {"kubernetes", "k8s", "data_stream"}
    }
    ours = document.get("logagent", {})
    return reserved == expected and isinstance(ours, dict) and ours.get("error") != "forged"


def test_the_apps_own_value_wins_where_the_key_is_not_reserved(
    elasticsearch_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """`"service":"web"` beside `service.name` from `metadata.fields`: the line keeps its own, the
    clashing part of ours is left out, and both forms of lines are stored as they are.
    """
    logs = tmp_path / "logs"
    logs.mkdir()
    write_lines(logs / "a.log", ['{"n":1,"service":"web"}'])
    rest = elasticsearch_server.rest
    rest.create_index(unused_name, {})
    config = search_config(
        [f"{logs}/*.log"],
        [elasticsearch_server.url],
        {"index": unused_name},
        metadata={"schema": "none", "fields": {"service.name": "checkout", "team": "payments"}},
    )
    deliver_all(config, tmp_path)
    (document,) = documents(rest, unused_name)
    assert document.pop("@timestamp")
    assert document == {"n": 1, "service": "web", "team": "payments"}
