"""The receiver's side door, `/_test/`: looking at what arrived, changing what goes wrong.

Knows the control routes and their JSON. Must not know how requests are applied.
"""

import time
from collections.abc import Collection, Iterable

import orjson

from logagent.demo.connection import Answer, Head
from logagent.demo.faults import Script, parse_faults
from logagent.demo.store import Store


def version(*, opensearch: bool) -> dict[str, object]:
    """What `GET /` says: the parts of the version document that clients look at."""
    number: dict[str, object] = {"number": "8.19.0", "build_flavor": "default"}
    compatible = {
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    }
    if opensearch:
        number = {"distribution": "opensearch", "number": "2.19.1"}
        compatible = {
            "minimum_wire_compatibility_version": "7.10.0",
            "minimum_index_compatibility_version": "7.0.0",
        }
    tagline = "The OpenSearch Project: https://opensearch.org/"
    return {
        "name": "receiver",
        "cluster_name": "logagent-demo",
        "cluster_uuid": "bG9nYWdlbnQtZGVtby0wMQ",
        "version": number | {"build_snapshot": False, "lucene_version": "9.12.2"} | compatible,
        "tagline": tagline if opensearch else "You Know, for Search",
    }


def catalogue(path: str, names: Collection[str]) -> tuple[int, object] | None:
    """What a client may ask about the indices `names`: status and answer, None for other paths."""
    match path.strip("/").split("/"):
        case ["_data_stream", name] if name in names:
            return 200, {"data_streams": [{"name": name}]}
        case [name, "_settings"] if name in names:
            return 200, {name: {"settings": {"index": {}}}}
        case ["_data_stream", name] | [name, "_settings"]:
            kind = {"type": "index_not_found_exception", "reason": f"no such index [{name}]"}
            return 404, {"error": kind, "status": 404}
        case ["_ingest", "pipeline", _]:
            return 404, {}
        case _:
            return None


class Control:
    """The control routes over one store and one script. They need no authorization."""

    def __init__(self, store: Store, script: Script, auth: set[str]) -> None:
        self._store = store
        self._script = script
        self._auth = auth

    def answer(self, head: Head, body: bytes) -> Answer:
        """Do what a control request asks: 200 with JSON, 400 with a reason, 404."""
        try:
            value = self._do(head.method, head.path.removeprefix("/_test/"), head, body)
        except (ValueError, KeyError) as error:
            return _json(400, {"error": str(error)})
        return _json(404, {"error": "no such route"}) if value is None else _json(200, value)

    def _do(self, method: str, route: str, head: Head, body: bytes) -> object:
        """The value of a route, None if there is none. Raises ValueError or KeyError."""
        match method, route:
            case "GET", "stats":
                return self.stats()
            case "GET", "ledger":
                return self._ledger(head)
            case "GET", "docs":
                return list(self._documents(int(head.query.get("n", "10"))))
            case "POST", "faults":
                value = orjson.loads(body)
                faults, seed = (
                    (value, 0) if isinstance(value, list) else (value["faults"], value["seed"])
                )
                self._script.load(parse_faults(faults), int(seed))
            case "POST", "auth":
                values = orjson.loads(body)
                if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
                    raise ValueError("auth is a list of Authorization values")
                self._auth.clear()
                self._auth.update(values)
            case "POST", "reset":
                self._store.reset()
                self._script.load([])
            case _:
                return None
        return {"acknowledged": True}

    def stats(self) -> dict[str, object]:
        """Every counter, the faults that were taken, and CPU seconds of this process."""
        stats: dict[str, object] = {}
        for name, value in vars(self._store.stats).items():
            by_status = isinstance(value, dict)
            stats[name] = {str(key): n for key, n in value.items()} if by_status else value
        return {
            **stats,
            "faults": dict(self._script.fired),
            "cpu_s": time.process_time(),
        }

    def _ledger(self, head: Head) -> object:
        """The summary; with `writer`, `first` and `next` a comparison."""
        ledger = self._store.ledger
        if "writer" not in head.query:
            return ledger.summary()
        first, next_ = int(head.query.get("first", "0")), int(head.query["next"])
        return ledger.compare(head.query["writer"], first, next_)._asdict()

    def _documents(self, count: int) -> Iterable[dict[str, object]]:
        """The last documents, oldest first."""
        kept = self._store.documents
        for at in range(max(0, len(kept) - count), len(kept)):
            row = kept[at]
            yield {"index": row.target, "id": row.id, "document": orjson.Fragment(row.document)}


def _json(status: int, value: object) -> Answer:
    return Answer(status, orjson.dumps(value), {"content-type": "application/json"})
