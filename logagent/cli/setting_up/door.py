"""How a server is asked for changes: by Elastic's own client, by plain HTTP for OpenSearch.

Knows the client's exceptions, and turns them into answers. Must not know what is asked. The
official client refuses OpenSearch, and can't sign for AWS.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
from elastic_transport import NodeConfig
from elasticsearch import ApiError, AsyncElasticsearch, TransportError, UnsupportedProductError

from logagent.cli.asking.client import TIMEOUT_S, Answer, Client
from logagent.cli.setting_up.wanted import Object
from logagent.config import Elasticsearch
from logagent.ends.trust import authorization_of, context_of


class Door(Protocol):
    """One server, asked a thing at a time."""

    async def ask(self, method: str, path: str, body: Object | None = None) -> Answer:
        """An answer, whatever it is: status 0 when none came."""

    async def close(self) -> None:
        """Leave."""


class OfficialDoor:
    """Elasticsearch, by its own client. Raises as `asking.client.Client` does."""

    def __init__(self, output: Elasticsearch, url: str) -> None:
        headers = dict(output.headers)
        if output.auth is not None:
            headers["authorization"] = authorization_of(output.auth, os.environ)()
        self._client = AsyncElasticsearch(
            [_node(output, url)], headers=headers, request_timeout=TIMEOUT_S, max_retries=0
        )

    async def ask(self, method: str, path: str, body: Object | None = None) -> Answer:
        """See `Door`."""
        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        try:
            reply = await self._client.perform_request(method, path, headers=headers, body=body)
        except ApiError as error:
            return Answer(error.meta.status, msgspec.json.encode(error.body))
        except UnsupportedProductError:
            return Answer(0, why="its answers don't say that it is Elasticsearch")
        except TransportError as error:
            return Answer(0, why=str(error.message) or type(error).__name__)
        return Answer(reply.meta.status, msgspec.json.encode(reply.body))

    async def close(self) -> None:
        """See `Door`."""
        await self._client.close()


class PlainDoor:
    """Any server, by plain HTTP."""

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    async def ask(self, method: str, path: str, body: Object | None = None) -> Answer:
        """See `Door`."""
        data = b"" if body is None else msgspec.json.encode(body)
        headers: Mapping[str, str] = {"Content-Type": "application/json"} if data else {}
        return await asyncio.to_thread(self._client.send, method, self._url + path, data, headers)

    async def close(self) -> None:
        """See `Door`."""


def _node(output: Elasticsearch, url: str) -> NodeConfig:
    """A server as the official client takes it: it wants the port, also the scheme's own."""
    parts = urlsplit(url)
    assert parts.hostname is not None, "the configuration has checked it"
    secure = parts.scheme == "https"
    return NodeConfig(
        parts.scheme,
        parts.hostname,
        parts.port or (443 if secure else 80),
        path_prefix=parts.path,
        ssl_context=context_of(output.tls) if secure else None,
    )
