"""`check --connect` says what Elasticsearch or OpenSearch is, and what stands in the way."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from logagent.cli.asking import Finding
from logagent.cli.asking.elastic import ask
from logagent.config import Auth, DataStream, Elasticsearch
from logagent.config.secrets import Aws
from tests.cli.asking.conftest import Serve

ELASTIC = b'{"cluster_name": "logs", "version": {"number": "8.19.0", "build_flavor": "default"}}'
OPENSEARCH = b'{"cluster_name": "o", "version": {"number": "2.19.0", "distribution": "opensearch"}}'


def index(*urls: str, pipeline: str = "", auth: Auth | None = None) -> Elasticsearch:
    """An output to an index."""
    return Elasticsearch(hosts=urls, index="app", pipeline=pipeline, auth=auth)


def test_products_versions_and_targets(serve: Serve) -> None:
    """Elasticsearch with an index that is there, OpenSearch with a data stream that isn't."""
    here = (200, b'{"indices": [{"name": "app", "attributes": ["open"]}]}')
    url = serve({"/": (200, ELASTIC), "/_resolve/index/app": here}).url
    assert list(ask(index(url + "/"))) == [
        Finding(f"{url}: Elasticsearch 8.19.0, cluster logs"),
        Finding("index app is there"),
    ]
    # OpenSearch finds nothing with 200, Elasticsearch with 404.
    nothing = (200, b'{"indices": [], "aliases": [], "data_streams": []}')
    url = serve({"/": (200, OPENSEARCH), "/_resolve/index/logs-generic-default": nothing}).url
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
        url = serve({"/": (200, ELASTIC), f"/_resolve/index/{name}": (200, body)}).url
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


def test_names_that_are_made_while_running_are_counted(serve: Serve) -> None:
    """The pattern is asked for: streams, indices of today, none yet."""

    def found(output: Elasticsearch, path: str, answer: bytes) -> str:
        url = serve({"/": (200, ELASTIC), path: (200, answer)}).url
        return list(ask(replace(output, hosts=(url,))))[1].text

    stream = DataStream(dataset="{container}", namespace="prod")
    streams = Elasticsearch(hosts=("http://x",), data_stream=stream)
    path = "/_resolve/index/logs-*-prod"
    one = b'{"data_streams": [{"name": "logs-a-prod"}], "indices": [{"name": "x"}, {"name": "y"}]}'
    assert found(streams, path, one) == "data stream logs-*-prod: one such name is there"
    nothing = "data stream logs-*-prod: no such names are there yet"
    assert found(streams, path, b"{}") == nothing
    indices = Elasticsearch(hosts=("http://x",), index="app-{pod}-%Y")
    pattern = f"app-*-{datetime.now(UTC):%Y}"
    two = found(indices, f"/_resolve/index/{pattern}", one)
    assert two == f"index {pattern}: 2 such names are there"


def test_a_server_that_only_takes_bulks_can_not_say_more(serve: Serve) -> None:
    """No fault where the options say that it is such a server."""
    url = serve({"/": (200, ELASTIC), "/_resolve/index/app": (400, b"unsupported path")}).url
    assert list(ask(index(url)))[1] == Finding("index app: the server answers 400", good=False)
    found = list(ask(replace(index(url), target_in_path=False)))[1]
    assert found == Finding("index app: this server isn't able to say (400)")


def test_requests_to_aws_are_signed(serve: Serve, tmp_path: Path) -> None:
    """By the key in files; a file that isn't there makes the output unusable."""
    server = serve({"/": (200, OPENSEARCH)})
    for name in ("id", "secret"):
        (tmp_path / name).write_text("x")
    aws = Aws(
        region="eu-central-1",
        access_key_file=str(tmp_path / "id"),
        secret_key_file=str(tmp_path / "secret"),
    )
    output = Elasticsearch(hosts=(server.url,), index="app", aws=aws)
    assert next(iter(ask(output))).good
    signature = server.asked[0].headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=x/")
    assert "/eu-central-1/es/aws4_request" in signature
    (tmp_path / "id").unlink()
    absent = f"reading secret {tmp_path}/id: No such file or directory"
    assert list(ask(output)) == [Finding(f"{server.url}: {absent}", good=False)]


def test_credentials_are_sent_and_refusals_are_told(serve: Serve, tmp_path: Path) -> None:
    """The right key gets in; a wrong one makes the output unusable."""
    url = serve({"/": (200, ELASTIC), "key": (0, b"ApiKey aWQ6a2V5")}).url
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
        url = serve({"/": (status, body), "/elsewhere": (200, ELASTIC)}).url
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
        url = serve({"/": (200, ELASTIC)}).url
        findings = list(ask(index(closed, url)))
    assert findings[0] == Finding(f"{closed}: Connection refused", good=False)
    assert findings[1].good
    assert findings[2].text == "index app is not there yet; the first line makes it"


def test_a_missing_pipeline_is_told(serve: Serve) -> None:
    """It would refuse every line."""
    url = serve({"/": (200, ELASTIC), "/_ingest/pipeline/yes": (200, b"{}")}).url
    assert list(ask(index(url, pipeline="yes")))[-1] == Finding("ingest pipeline yes is there")
    assert not list(ask(index(url, pipeline="no")))[-1].good
