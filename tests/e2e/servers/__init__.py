"""Real search servers for the tests: started as children on loopback, and never left behind."""

from __future__ import annotations

from tests.e2e.servers.nodes import elasticsearch, opensearch
from tests.e2e.servers.process import Server, StartError
from tests.e2e.servers.rest import Reply, Rest
from tests.e2e.servers.secure import SecureServer, elasticsearch_secure

__all__ = [
    "Reply",
    "Rest",
    "SecureServer",
    "Server",
    "StartError",
    "elasticsearch",
    "elasticsearch_secure",
    "opensearch",
]
