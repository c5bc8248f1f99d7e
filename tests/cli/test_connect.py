"""`check --connect` says what a server is, and what stands in the way."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from msgspec.structs import replace

from logagent.cli.connect import Finding, ask, connect
from logagent.config import Auth, Config, DataStream, Elasticsearch, Input, Stdout

ELASTIC = b'{"cluster_name": "logs", "version": {"number": "8.19.0", "build_flavor": "default"}}'
OPENSEARCH = b'{"cluster_name": "o", "version": {"number": "2.19.0", "distribution": "opensearch"}}'
Serve = Callable[[Mapping[str, tuple[int, bytes]]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers paths as told, 404 else, and 401 without the right key if there
    is a "key" among the answers. Returns its URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(answers: Mapping[str, tuple[int, bytes]]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = answers.get(self.path, (404, b"{}"))
                key = answers.get("key")
                if key and self.headers.get("Authorization") != key[1].decode():
                    status, body = 401, b"{}"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(0.01,)).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def index(*urls: str, pipeline: str = "", auth: Auth | None = None) -> Elasticsearch:
    """An output to an index."""
    return Elasticsearch(hosts=urls, index="app", pipeline=pipeline, auth=auth)


def test_products_versions_and_targets(serve: Serve) -> None:
    """Elasticsearch with an index that is there, OpenSearch with a data stream that isn't."""
    here = (200, b'{"indices": [{"name": "app", "attributes": ["open"]}]}')
    url = serve({"/": (200, ELASTIC), "/_resolve/index/app": here})
    assert list(ask(index(url + "/"))) == [
        Finding(f"{url}: Elasticsearch 8.19.0, cluster logs"),
        Finding("index app is there"),
    ]
    # OpenSearch finds nothing with 200, Elasticsearch with 404.
    nothing = (200, b'{"indices": [], "aliases": [], "data_streams": []}')
    url = serve({"/": (200, OPENSEARCH), "/_resolve/index/logs-generic-default": nothing})
    findings = list(ask(Elasticsearch(hosts=(url,), data_stream=DataStream())))
    assert findings[0] == Finding(f"{url}: OpenSearch 2.19.0, cluster o")
    assert findings[1].text.startswith("data stream logs-generic-default is not there yet")
    assert findings[1].good
    strict = Elasticsearch(hosts=(url,), data_stream=DataStream(), require_data_stream=True)
    assert list(ask(strict))[1] == Finding(
        "OpenSearch doesn't know require_data_stream; remove it", good=False
    )


def test_what_a_name_stands_for_is_told(serve: Serve) -> None:
    """A data stream, an index in its place, an alias, a closed index, an answer without sense."""

    def second(body: bytes, *, output: Elasticsearch | None = None) -> Finding:
        name = "logs-generic-default" if output is not None else "app"
        url = serve({"/": (200, ELASTIC), f"/_resolve/index/{name}": (200, body)})
        return list(ask(replace(output, hosts=(url,)) if output is not None else index(url)))[1]

    stream = Elasticsearch(hosts=("http://x",), data_stream=DataStream())
    strict = replace(stream, require_data_stream=True)
    there = b'{"%b": [{"name": "logs-generic-default"}]}'
    assert second(there % b"data_streams", output=strict) == Finding(
        "data stream logs-generic-default is there"
    )
    plain = "logs-generic-default is there, but as an index, not as a data stream"
    assert second(there % b"indices", output=stream) == Finding(plain)
    refused = second(there % b"indices", output=strict)
    assert (refused.good, refused.text[: len(plain)]) == (False, plain)
    assert second(b'{"aliases": [{"name": "app"}]}') == Finding("alias app is there")
    closed = second(b'{"indices": [{"name": "app", "attributes": ["closed"]}]}')
    assert not closed.good
    assert "is closed" in closed.text
    assert not second(b"<html>").good


def test_credentials_are_sent_and_refusals_are_told(serve: Serve, tmp_path: Path) -> None:
    """The right key gets in; a wrong one makes the output unusable."""
    url = serve({"/": (200, ELASTIC), "key": (0, b"ApiKey aWQ6a2V5")})
    (tmp_path / "key").write_text("id:key\n")
    good = list(ask(index(url, auth=Auth(api_key_file=str(tmp_path / "key")))))
    assert good[0].good
    (tmp_path / "key").write_text("id:other\n")
    assert list(ask(index(url, auth=Auth(api_key_file=str(tmp_path / "key"))))) == [
        Finding(f"{url}: refuses the credentials (401); see auth", good=False)
    ]
    absent = Auth(api_key_file=str(tmp_path / "none"))
    assert [finding.good for finding in ask(index(url, auth=absent))] == [False]


def test_what_is_no_such_server_is_told(serve: Serve) -> None:
    """A web page, a redirect, an error: each in its own words, and nothing is followed."""

    def first(status: int, body: bytes) -> Finding:
        url = serve({"/": (status, body), "/elsewhere": (200, ELASTIC)})
        finding = next(iter(ask(index(url))))
        return finding._replace(text=finding.text.removeprefix(f"{url}: "))

    assert first(200, b"<html>").text == "is neither Elasticsearch nor OpenSearch"
    assert first(302, b"").text == "redirects (302); name the server itself"
    assert first(502, b"").text == "answers 502, not what such a server does"
    assert not first(200, b"<html>").good
    assert first(403, b"").good


def test_one_host_of_several_may_be_down(serve: Serve) -> None:
    """Each host is asked; the target is looked up at one that answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{sock.getsockname()[1]}"
        url = serve({"/": (200, ELASTIC)})
        findings = list(ask(index(closed, url)))
    assert findings[0] == Finding(f"{closed}: Connection refused", good=False)
    assert findings[1].good
    assert findings[2].text == "index app is not there yet; the first line makes it"


def test_a_missing_pipeline_is_told(serve: Serve) -> None:
    """It would refuse every line."""
    url = serve({"/": (200, ELASTIC), "/_ingest/pipeline/yes": (200, b"{}")})
    assert list(ask(index(url, pipeline="yes")))[-1] == Finding("ingest pipeline yes is there")
    assert not list(ask(index(url, pipeline="no")))[-1].good


def test_the_exit_status_tells_whether_all_can_be_used(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 or 69; an output that is no server has nothing to be asked."""
    inputs = {"app": Input(paths=("/var/log/app/*.log",))}
    good = index(serve({"/": (200, ELASTIC)}))
    bad = index(serve({"/": (500, b"")}))
    assert connect(Config(inputs=inputs, outputs={"a": good, "b": Stdout()})) == 0
    assert "b            nothing to ask" in capsys.readouterr().out
    assert connect(Config(inputs=inputs, outputs={"a": good, "b": bad})) == 69
