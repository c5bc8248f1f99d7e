"""A small synchronous client for the search servers. Knows their API; must not know the agent."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from email.message import Message
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode

TIMEOUT_S: Final = 30
DIRECT: Final = urllib.request.ProxyHandler({})
"""Loopback is never asked through a proxy, whatever the environment says."""


class Reply(NamedTuple):
    """What came back; `document` is None when the body wasn't JSON."""

    status: int
    headers: Mapping[str, str]
    document: object

    def at(self, *path: str | int) -> object:
        """The value at a path of keys and positions; raises KeyError or IndexError without it."""
        value = self.document
        for step in path:
            match value, step:
                case dict(), _:
                    value = value[step]
                case list(), int(position):
                    value = value[position]
                case _:
                    raise KeyError(f"{step!r} of {value!r}")
        return value

    def number(self, *path: str | int) -> int:
        """The whole number at a path."""
        value = self.at(*path)
        assert isinstance(value, int), value
        return value

    def items(self) -> list[Item]:
        """The verdicts of a bulk reply, in the order of its rows."""
        items = self.at("items")
        assert isinstance(items, list)
        return [Item.read(item) for item in items]


class Item(NamedTuple):
    """The verdict on one row; `error` is the type of what was wrong, or empty."""

    status: int
    error: str

    @classmethod
    def read(cls, item: dict[str, dict[str, object]]) -> Item:
        """Take it out of its operation (`create`, `index`)."""
        (result,) = item.values()
        status, error = result["status"], result.get("error")
        assert isinstance(status, int)
        return cls(status, str(error["type"]) if isinstance(error, dict) else "")


class RestError(Exception):
    """A request that had to succeed and didn't."""

    def __init__(self, what: str, reply: Reply) -> None:
        super().__init__(f"{what}: {reply.status} {reply.document}")
        self.reply = reply


class Rest:
    """Requests to one server. Replies of any status are given back; `must` insists on 2xx."""

    def __init__(
        self,
        url: str,
        *,
        tls: ssl.SSLContext | None = None,
        user: str = "",
        password: str = "",
    ) -> None:
        self.url = url
        self._headers: dict[str, str] = {}
        if user:
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._headers["authorization"] = f"Basic {token}"
        self._opener = urllib.request.build_opener(DIRECT, urllib.request.HTTPSHandler(context=tls))

    def ask(
        self, method: str, path: str, body: object = None, *, query: Mapping[str, str] | None = None
    ) -> Reply:
        """Send one request. `body` is encoded as JSON; bytes are sent as rows of a bulk.

        Raises OSError (of which URLError is one) when there is no reply.
        """
        data, headers = None, dict(self._headers)
        if isinstance(body, bytes):
            data, headers["content-type"] = body, "application/x-ndjson"
        elif body is not None:
            data, headers["content-type"] = json.dumps(body).encode(), "application/json"
        url = self.url + quote(path, safe="/,*<>{}_-.") + ("?" + urlencode(query) if query else "")
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as reply:
                return Reply(reply.status, lowered(reply.headers), decoded(reply.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, lowered(error.headers), decoded(error.read()))

    def must(
        self, method: str, path: str, body: object = None, *, query: Mapping[str, str] | None = None
    ) -> Reply:
        """Send one request; raises RestError unless its status is 2xx."""
        reply = self.ask(method, path, body, query=query)
        if reply.status // 100 != 2:
            raise RestError(f"asking {method} {path}", reply)
        return reply

    def get(self, path: str, *, query: Mapping[str, str] | None = None) -> Reply:
        """Read something; any status."""
        return self.ask("GET", path, query=query)

    def put(self, path: str, body: object = None) -> Reply:
        """Set something; any status."""
        return self.ask("PUT", path, body)

    def post(self, path: str, body: object = None) -> Reply:
        """Send something; any status."""
        return self.ask("POST", path, body)

    def delete(self, path: str) -> Reply:
        """Remove something; any status."""
        return self.ask("DELETE", path)

    def bulk(
        self, index: str, rows: Iterable[tuple[object, object]], *, query: dict[str, str]
    ) -> Reply:
        """Send rows, each an action line and its document."""
        lines = [json.dumps(line) for row in rows for line in row]
        body = "".join(line + "\n" for line in lines).encode()
        return self.ask("POST", f"/{index}/_bulk", body, query=query)

    def refresh(self, index: str) -> None:
        """Make all that was acknowledged so far visible to searches."""
        self.must("POST", f"/{index}/_refresh")

    def count(self, index: str) -> int:
        """How many documents there are, after a refresh; 0 when there is no such index."""
        try:
            self.refresh(index)
        except RestError as error:
            if error.reply.status == 404:
                return 0
            raise
        return self.must("GET", f"/{index}/_count").number("count")

    def search(self, index: str, body: object) -> Reply:
        """Search; the documents are at ("hits", "hits", n, "_source")."""
        return self.must("POST", f"/{index}/_search", body)

    def create_index(self, name: str, properties: Mapping[str, object]) -> None:
        """Create an index with these field mappings, without copies (there is one node)."""
        body = {
            "settings": {"number_of_replicas": 0},
            "mappings": {"properties": dict(properties)},
        }
        self.must("PUT", f"/{name}", body)

    def put_data_stream_template(
        self, name: str, patterns: list[str], properties: Mapping[str, object] | None = None
    ) -> None:
        """From now on, what is created under a name that matches is a data stream."""
        body = {
            "index_patterns": patterns,
            "data_stream": {},
            "priority": 500,
            "template": {
                "settings": {"number_of_replicas": 0},
                "mappings": {"properties": dict(properties or {})},
            },
        }
        self.must("PUT", f"/_index_template/{name}", body)


def lowered(headers: Message) -> dict[str, str]:
    """Header names in lower case: they mean the same."""
    return {name.lower(): value for name, value in headers.items()}


def decoded(body: bytes) -> object:
    """The document of a body; None when it isn't JSON."""
    try:
        value: object = json.loads(body)
    except ValueError:
        return None
    return value
