"""A search server as far as `setup` asks it: templates, policies, data streams, kept in memory.

Answers as the real ones do (tests/e2e/test_setup.py has those), also what their jars lack: ILM and
ISM, from Elasticsearch 8.19's and OpenSearch 2.19's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from logagent.cli.asking.client import Answer
from logagent.cli.setting_up.wanted import Json, Object, Product

NO_HANDLER = b'{"error":"no handler found for uri [/x] and method [GET]","status":400}'


class Model:
    """A server. refuse: statuses by the beginning of "METHOD /path", in place of answers."""

    def __init__(
        self,
        product: Product = "elasticsearch",
        *,
        lifecycle: bool = True,
        types: frozenset[str] = frozenset({"flattened", "match_only_text", "constant_keyword"}),
        settings: frozenset[str] = frozenset(),
    ) -> None:
        self.product = product
        self.lifecycle = lifecycle
        self.types = types
        self.unknown_settings = settings
        self.refuse: dict[str, int] = {}
        self.things: dict[str, Object] = {}
        self.versions: dict[str, int] = {}
        self.names: dict[str, list[str]] = {"indices": [], "data_streams": [], "aliases": []}
        self.asked: list[str] = []

    async def ask(self, method: str, path: str, body: Object | None = None) -> Answer:
        """See `Door`."""
        line = f"{method} {path}"
        self.asked.append(line)
        for begin, status in self.refuse.items():
            if line.startswith(begin):
                return Answer(status, b'{"error":{"reason":"outer","caused_by":{"reason":"in"}}}')
        if path.startswith(("/_ilm", "/_plugins/_ism")) and not self.lifecycle:
            return Answer(400, NO_HANDLER)
        if path.startswith("/_index_template/_simulate/"):
            return self._simulate(body or {})
        if path.startswith("/_resolve/index/"):
            found = {kind: [{"name": n} for n in names] for kind, names in self.names.items()}
            return _answer(200, found)
        if path.startswith("/_data_stream/"):
            self.names["data_streams"].append(path.removeprefix("/_data_stream/"))
            return _answer(200, {"acknowledged": True})
        where, _, condition = path.partition("?")
        if method == "PUT":
            return self._put(where, condition, body or {})
        if where not in self.things:
            return _answer(404, {"error": {"reason": "not found"}})
        return _answer(200, self._shown(where))

    async def close(self) -> None:
        """See `Door`."""

    def _simulate(self, body: Object) -> Answer:
        text = msgspec.json.encode(body).decode()
        for name in ("flattened", "match_only_text", "constant_keyword", "flat_object"):
            if f'"type":"{name}"' in text and name not in self.types:
                words = f"No handler for type [{name}] declared on field [x]"
                outer: Json = {"reason": "template", "caused_by": {"reason": words}}
                return _answer(400, {"error": outer})
        for name in self.unknown_settings:
            if f'"{name}"' in text:
                return _answer(400, {"error": {"reason": f"unknown setting [{name}] please"}})
        return _answer(200, {"template": {}})

    def _put(self, where: str, condition: str, body: Object) -> Answer:
        version = self.versions.get(where, 0)
        right = f"if_seq_no={version}&if_primary_term=1"
        if "_ism" in where and version and condition != right:
            return _answer(409, {"error": {"reason": "document already exists"}})
        self.things[where] = body
        self.versions[where] = version + 1
        return _answer(200, {"acknowledged": True})

    def _shown(self, where: str) -> Object:
        body, name = self.things[where], where.rpartition("/")[2]
        if "_index_template" in where:
            return {"index_templates": [{"name": name, "index_template": _normal(body)}]}
        if "_ism" in where:
            numbers: Object = {"_seq_no": self.versions[where], "_primary_term": 1}
            return {
                "_id": name,
                **numbers,
                "policy": {**_object(body["policy"]), "schema_version": 1},
            }
        return {name: {"version": 1, **body}}


def _normal(body: Object) -> Object:
    """A template as servers give it back: settings nested, their own defaults added."""
    inner = _object(body.get("template", {}))
    settings: Object = {}
    for name, value in _object(inner.get("settings", {})).items():
        here = settings
        *parents, last = name.split(".")
        for parent in parents:
            here = _object(here.setdefault(parent, {}))
        here[last] = value
    shown: Object = {**body, "template": {**inner, "settings": settings}, "composed_of": []}
    if "data_stream" in body:
        shown["data_stream"] = {"hidden": False}
    return shown


def _object(value: Json) -> Object:
    assert isinstance(value, dict)
    return value


def _answer(status: int, body: Mapping[str, object]) -> Answer:
    return Answer(status, msgspec.json.encode(body))
