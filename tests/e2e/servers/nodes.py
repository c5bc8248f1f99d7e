"""Elasticsearch and OpenSearch from their jars: each one node, without security, ready in 4 s.

Knows which jars, which launcher, which options. Processes and jars are the neighbours' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.e2e.servers.cache import JAVA, compile_launcher, fetch, need
from tests.e2e.servers.ports import free_port
from tests.e2e.servers.process import Server
from tests.e2e.servers.rest import Rest

HEAP_MIB: Final = 384
NOT_UNDER_TEST: Final = (
    "randomizedtesting*",
    "lucene-test-framework*",
    "junit*",
    "hamcrest*",
    "mocksocket*",
)
"""Elasticsearch takes itself for a test and refuses to run while these are on the class path."""


@contextmanager
def elasticsearch(
    home: Path, settings: Mapping[str, str] | None = None, *, heap_mib: int = HEAP_MIB
) -> Iterator[Server]:
    """A running Elasticsearch 8.19.0 with its data below `home`; `settings` are those of its node.

    No security, ILM or ingest processors, and no `GET /_data_stream`: those modules aren't
    published. `GET /` is answered by our own plugin, as theirs would.
    """
    jars = fetch("elasticsearch", without=NOT_UNDER_TEST)
    classes = compile_launcher("elasticsearch", ["RootPlugin.java", "EsNode.java"], jars)
    command = java(classes, jars, heap_mib, "org.elasticsearch.node.EsNode")
    with running(command, home, settings or {}) as server:
        yield server


@contextmanager
def opensearch(
    home: Path, settings: Mapping[str, str] | None = None, *, heap_mib: int = HEAP_MIB
) -> Iterator[Server]:
    """A running OpenSearch 2.19.1 with its data below `home`; `settings` are those of its node."""
    jars = fetch("opensearch")
    classes = compile_launcher("opensearch", ["OsNode.java"], jars)
    with running(java(classes, jars, heap_mib, "OsNode"), home, settings or {}) as server:
        yield server


def java(classes: Path, jars: Path, heap_mib: int, main: str) -> list[str]:
    """The command of a launcher, without its arguments. Start-up counts more than peak speed."""
    return [
        need("java"),
        f"-Xms{heap_mib}m",
        f"-Xmx{heap_mib}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Dlog4j2.configurationFile={JAVA / 'log4j2.properties'}",
        "-cp",
        f"{classes}:{jars}/*",
        main,
    ]


@contextmanager
def running(command: Sequence[str], home: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """A server as long as the block lasts."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = [f"{name}={value}" for name, value in settings.items()]
    server = Server(
        [*command, str(home), str(port), *options],
        rest=Rest(f"http://127.0.0.1:{port}"),
        log=home / "server.log",
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()
