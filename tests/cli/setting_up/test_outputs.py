"""One output from its configuration to its server: which server, which client, what is told."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from msgspec.structs import replace

from logagent.cli.setting_up.outputs import Said, set_up_output
from logagent.config import Auth, DataStream, Elasticsearch
from logagent.config.outputs.choosing import Choose
from tests.cli.asking.serving import serving

OPENSEARCH = (
    b'{"cluster_name": "OpenSearch", "version": {"number": "2", "distribution": "opensearch"}}'
)
ELASTIC = b'{"cluster_name": "OpenSearch", "version": {"number": "8.19.0"}}'
HERE = (200, b'{"template": {}}')


def set_up(output: Elasticsearch) -> Said:
    """Set it up."""
    return asyncio.run(set_up_output("out", output, "ecs", keep="", dry=False))


def output(*urls: str) -> Elasticsearch:
    """An output to a data stream on servers."""
    return Elasticsearch(hosts=urls, data_stream=DataStream())


def test_opensearch_is_asked_by_plain_http_and_the_first_that_answers() -> None:
    """A host that is down is told, and isn't a fault: the cluster is the same."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{sock.getsockname()[1]}"
        answers = {
            "/": (200, OPENSEARCH),
            "POST /_index_template/_simulate/logagent-out": HERE,
            "PUT /_plugins/_ism/policies/logagent-out": (201, b"{}"),
            "PUT /_index_template/logagent-out": (200, b"{}"),
            "/_data_stream/logs-generic-default": (200, b"{}"),
            "/_ingest/pipeline/here": (200, b"{}"),
        }
        with serving(answers) as server:
            said = set_up(replace(output(closed, server.url), pipeline="here"))
    texts = [step.text for step in said.steps]
    assert texts[0] == f"{closed}: Connection refused"
    assert texts[1].startswith(f"{server.url}: OpenSearch 2")
    assert texts[2:] == [
        "lifecycle policy logagent-out: made",
        "index template logagent-out: made",
        "data stream logs-generic-default: made",
        "ingest pipeline here is there",
    ]
    assert all(step.good for step in said.steps)
    assert said.key.startswith("PUT /_plugins/_security")
    sent = {asked.headers.get("content-type") for asked in server.asked if asked.body}
    assert sent == {"application/json"}


def test_elasticsearch_is_asked_by_its_own_client(tmp_path: Path) -> None:
    """With the output's headers and credentials; the client refuses who doesn't say the product."""
    (tmp_path / "key").write_text("id:key")
    with serving({"/prefix/": (200, ELASTIC)}) as server:
        auth = Auth(api_key_file=str(tmp_path / "key"))
        base = replace(output(f"{server.url}/prefix"), auth=auth, headers={"x-team": "a"})
        said = set_up(base)
    assert not said.steps[-1].good
    own = server.asked[1]
    assert own.path == "/prefix/_ilm/policy/logagent-out"
    assert own.headers["user-agent"].startswith("elasticsearch-py/")
    assert own.headers["authorization"] == "ApiKey aWQ6a2V5"
    assert own.headers["x-team"] == "a"


def test_what_stands_in_the_way_is_told() -> None:
    """A secret that isn't there, a name for everything, a pipeline that is missing."""
    absent = replace(output("http://127.0.0.1:1"), auth=Auth(token_file="/none"))
    said = set_up(absent)
    assert [step.text for step in said.steps] == ["reading secret /none: No such file or directory"]
    assert said == Said([said.steps[0]._replace(good=False)])
    with serving({"/": (200, OPENSEARCH)}) as server:
        choose = {"team": Choose(field="team", allow=("a",), fallback="b")}
        wide = Elasticsearch(hosts=(server.url,), index="{team}-%Y", choose=choose)
        said = set_up(wide)
        assert "which others' indices match too" in said.steps[-1].text
        assert (said.steps[-1].good, said.key) == (False, "")
        assert len(server.asked) == 1
        missing = set_up(replace(output(server.url), pipeline="gone")).steps[-1]
    assert (missing.good, missing.text[:37]) == (False, "ingest pipeline gone is not there: ev")
