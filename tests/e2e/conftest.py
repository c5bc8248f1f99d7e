"""The servers, each started when the first test asks for it and shared until the last one is done.

Tests share them, so each takes names of its own from `unused_name`; one that stops a server starts
it again. All tests of this folder are marked `e2e` by the `conftest.py` above.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.servers import (
    SecureServer,
    Server,
    elasticsearch,
    elasticsearch_secure,
    opensearch,
)

SMALL_HEAP: Final = {"indices.breaker.total.use_real_memory": "false"}
"""Else garbage that is yet to be collected counts as use, and with a small heap any request may be
answered by 429."""


@pytest.fixture(scope="session")
def elasticsearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Elasticsearch 8.19 without security."""
    with elasticsearch(tmp_path_factory.mktemp("elasticsearch"), SMALL_HEAP) as server:
        yield server


@pytest.fixture(scope="session")
def opensearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """OpenSearch 2.19 without security."""
    with opensearch(tmp_path_factory.mktemp("opensearch"), SMALL_HEAP) as server:
        yield server


@pytest.fixture(scope="session", params=["elasticsearch", "opensearch"])
def search_server(request: pytest.FixtureRequest) -> Server:
    """Both plain servers, one after the other."""
    server: object = request.getfixturevalue(f"{request.param}_server")
    assert isinstance(server, Server)
    return server


@pytest.fixture(scope="session")
def secure_elasticsearch() -> Iterator[SecureServer]:
    """Elasticsearch 8.19 with TLS and users; 0.8 GB of memory while it runs."""
    with elasticsearch_secure() as server:
        yield server


@pytest.fixture(scope="module")
def mutual_elasticsearch() -> Iterator[SecureServer]:
    """The same for clients with a certificate only; it ends with the module that asked for it."""
    with elasticsearch_secure(client_certificates=True) as server:
        yield server


@pytest.fixture
def unused_name() -> str:
    """A name, valid for an index, that no other test has."""
    return f"t{secrets.token_hex(6)}"
