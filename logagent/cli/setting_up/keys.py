"""What an administrator runs so that the agent gets credentials that can write and nothing else.

Knows the privileges of both products. Must not send the request: it is printed.

Pure. Sources: Elasticsearch's "Create API key" and security privileges; OpenSearch's "Create role"
and its default action groups.
"""

from __future__ import annotations

import json

from logagent.cli.setting_up.wanted import OWNER, Object, Product, Wanted


def request(want: Wanted, product: Product) -> str:
    """The request, as a console takes it: a line with method and path, then the body."""
    if product == "elasticsearch":
        line, body = "POST /_security/api_key", _api_key(want)
    else:
        line, body = f"PUT /_plugins/_security/api/roles/{want.name}", _role(want)
    return f"{line}\n{json.dumps(body, indent=2)}"


def _api_key(want: Wanted) -> Object:
    """create_doc: documents can be added, none changed or deleted, whatever is sent.
    auto_configure: the first line may make the index or the data stream. monitor: what
    `check --connect` asks."""
    return {
        "name": want.name,
        "role_descriptors": {
            want.name: {
                "cluster": ["monitor"],
                "indices": [
                    {"names": [want.pattern], "privileges": ["create_doc", "auto_configure"]}
                ],
            }
        },
        "metadata": {"managed_by": OWNER},
    }


def _role(want: Wanted) -> Object:
    """OpenSearch has no API keys: a role, which is then given to a user."""
    return {
        "cluster_permissions": ["cluster:monitor/main", "indices:data/write/bulk"],
        "index_permissions": [
            {
                "index_patterns": [want.pattern],
                "allowed_actions": [
                    "indices:data/write/bulk*",
                    "indices:data/write/index",
                    "indices:admin/create",
                    "indices:admin/mapping/put",
                ],
            }
        ],
    }
