"""`check --connect` against real servers: what it finds is what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import trustme

from tests.e2e.search_scene import UNUSABLE, connect, make_target
from tests.e2e.servers import SecureServer, Server
from tests.e2e.servers.ports import free_port

PRODUCT: Final = {"8.19.0": "Elasticsearch 8.19.0", "2.19.1": "OpenSearch 2.19.1"}


def test_it_says_what_a_server_is_and_whether_the_target_is_there(
    search_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """Product and version; an index and a data stream before and after they are made."""
    rest = search_server.rest
    product = PRODUCT[str(rest.get("/").at("version", "number"))]
    urls = [search_server.url]
    index = {"index": unused_name}
    first, second = connect(tmp_path, urls, index, status=0)
    assert first.startswith(f"{search_server.url}: {product}, cluster ")
    assert second == f"index {unused_name} is not there yet; the first line makes it"
    make_target(rest, "index", unused_name)
    assert connect(tmp_path, urls, index, status=0)[1] == f"index {unused_name} is there"
    stream = make_target(rest, "data stream", unused_name)
    absent = connect(tmp_path, urls, stream.options, status=0)[1]
    assert absent.startswith(f"data stream {stream.name} is not there yet")
    rest.bulk(stream.name, [({"create": {}}, {"@timestamp": "2026-01-01T00:00:00Z"})], query={})
    found = connect(tmp_path, urls, stream.options, status=0)[1]
    assert found == f"data stream {stream.name} is there"


def test_it_says_what_would_take_no_line(
    elasticsearch_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """An index where a data stream is required, and a closed index."""
    rest, urls = elasticsearch_server.rest, [elasticsearch_server.url]
    name = f"logs-{unused_name}-test"
    # Other tests of this server have made logs-* data streams; this name is to be an index.
    plain = {"index_patterns": [name], "priority": 1000}
    rest.must("PUT", f"/_index_template/{unused_name}", plain)
    rest.create_index(name, {})
    output = {"data_stream": {"dataset": unused_name, "namespace": "test"}}
    found = connect(tmp_path, urls, output, status=0)[1]
    assert found == f"{name} is there, but as an index, not as a data stream"
    strict = {**output, "require_data_stream": True}
    assert connect(tmp_path, urls, strict, status=UNUSABLE)[1].startswith(found)
    rest.must("POST", f"/{name}/_close")
    closed = connect(tmp_path, urls, {"index": name}, status=UNUSABLE)[1]
    assert closed.startswith(f"index {name} is closed")


def test_a_pipeline_that_is_not_there(
    search_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """It would refuse each line, so the output can't be used."""
    output = {"index": unused_name, "pipeline": "no-such"}
    found = connect(tmp_path, [search_server.url], output, status=UNUSABLE)
    assert found[2] == "ingest pipeline no-such is not there: every line is refused"


def test_one_dead_host_of_two(
    elasticsearch_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """It is named, the other one is asked for the target."""
    dead = f"http://127.0.0.1:{free_port()}"
    hosts = [dead, elasticsearch_server.url]
    first, second, third = connect(tmp_path, hosts, {"index": unused_name}, status=UNUSABLE)
    assert first == f"{dead}: Connection refused"
    assert "Elasticsearch 8.19.0" in second
    assert third.startswith(f"index {unused_name} is not there yet")


def secured(
    server: SecureServer, folder: Path, *, password: str = "", ca_file: Path | None = None
) -> dict[str, object]:
    """An output's options for the secure server, its password in a file."""
    secret = folder / "password"
    secret.write_text(password or server.password)
    return {
        "index": "logs-app-check",
        "auth": {"username": server.user, "password_file": str(secret)},
        "tls": {"ca_file": str(ca_file or server.ca_file)},
    }


def test_credentials_and_trust(secure_elasticsearch: SecureServer, tmp_path: Path) -> None:
    """The right ones get in and see no more than they may; a wrong password, a wrong authority and
    none at all are told in their own words.
    """
    server, urls = secure_elasticsearch, [secure_elasticsearch.url]
    good = secured(server, tmp_path)
    assert connect(tmp_path, urls, good, status=0) == [
        f"{server.url}: Elasticsearch 8.19.21, cluster test",
        "index logs-app-check: the credentials may not ask (403)",
    ]
    assert connect(
        tmp_path, urls, secured(server, tmp_path, password="wrong"), status=UNUSABLE
    ) == [f"{server.url}: refuses the credentials (401); see auth"]
    nobody = {name: value for name, value in good.items() if name != "auth"}
    assert connect(tmp_path, urls, nobody, status=UNUSABLE) == [
        f"{server.url}: refuses the credentials (401); see auth"
    ]
    other = tmp_path / "other.crt"
    trustme.CA().cert_pem.write_to_path(str(other))
    untrusted = secured(server, tmp_path, ca_file=other)
    (found,) = connect(tmp_path, urls, untrusted, status=UNUSABLE)
    assert found.startswith(f"{server.url}: its certificate isn't trusted: ")
    assert found.endswith("; see tls.ca_file")
    plain = server.url.replace("https", "http")
    (found,) = connect(tmp_path, [plain], {"index": "logs-app-check"}, status=UNUSABLE)
    assert found.startswith(f"{plain}: ")
