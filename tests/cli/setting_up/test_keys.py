"""What the administrator gets to run."""

from __future__ import annotations

import json

from logagent.cli.setting_up.keys import request
from logagent.cli.setting_up.wanted import wanted
from logagent.config import DataStream, Elasticsearch

STREAM = Elasticsearch(hosts=("http://es",), data_stream=DataStream(dataset="shop"))


def test_a_key_adds_documents_to_the_target_and_nothing_else() -> None:
    """Elasticsearch: privileges by name, on the pattern of the output."""
    line, _, body = request(wanted("o", STREAM, "ecs", "elasticsearch"), "elasticsearch").partition(
        "\n"
    )
    assert line == "POST /_security/api_key"
    key = json.loads(body)
    assert key["name"] == "logagent-o"
    assert key["role_descriptors"]["logagent-o"] == {
        "cluster": ["monitor"],
        "indices": [
            {"names": ["logs-shop-default"], "privileges": ["create_doc", "auto_configure"]}
        ],
    }


def test_opensearch_gets_a_role() -> None:
    """It has no keys; nothing in the role reads, changes or deletes."""
    line, _, body = request(wanted("o", STREAM, "ecs", "opensearch"), "opensearch").partition("\n")
    assert line == "PUT /_plugins/_security/api/roles/logagent-o"
    (permission,) = json.loads(body)["index_permissions"]
    assert permission["index_patterns"] == ["logs-shop-default"]
    assert not [
        a for a in permission["allowed_actions"] if "delete" in a or "read" in a or a == "*"
    ]
