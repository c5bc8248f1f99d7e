"""`check --connect` says whether Loki takes pushes from us, with a push of nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logagent.cli.asking.loki import ask
from logagent.config import Auth, Loki
from tests.cli.asking.conftest import Serve

PUSH = "/loki/api/v1/push"


@pytest.mark.parametrize(
    ("status", "body", "good", "words"),
    [
        (204, b"", True, "takes pushes (204)"),
        (200, b"{}", True, "takes pushes (200)"),
        (422, b"error at least one valid stream is required for ingestion", True, "takes pushes"),
        (401, b"no org id", False, "wants a tenant (401); see tenant"),
        (401, b"", False, "refuses the credentials (401); see auth and tenant"),
        (403, b"", False, "refuses the credentials (403)"),
        (404, b"", False, "has no push API at this path (404); see path"),
        (400, b'unsupported path requested: "/x"', False, "see path"),
        (429, b"", True, "limits their rate just now"),
        (302, b"", False, "redirects (302)"),
        (500, b"no ring", False, "answers 500 to an empty push: no ring"),
    ],
)
def test_answers(serve: Serve, status: int, body: bytes, *, good: bool, words: str) -> None:
    """Each answer is a sentence, and the push has nothing in it."""
    server = serve({PUSH: (status, body)})
    (finding,) = ask(Loki(hosts=(server.url,), tenant="team-a"))
    assert finding.good == good
    assert words in finding.text
    assert json.loads(server.asked[0].body) == {"streams": []}
    assert server.asked[0].headers["x-scope-orgid"] == "team-a"


def test_each_host_is_asked(serve: Serve) -> None:
    """A host that isn't there is one sentence of several."""
    server = serve({PUSH: (204, b"")})
    gone, here = ask(Loki(hosts=("http://127.0.0.1:1", server.url)))
    assert not gone.good
    assert here.good
    assert "x-scope-orgid" not in server.asked[0].headers


def test_a_secret_that_cannot_be_read(tmp_path: Path) -> None:
    """It is said instead of asking."""
    auth = Auth(token_file=str(tmp_path / "none"))
    (finding,) = ask(Loki(hosts=("http://127.0.0.1:1",), auth=auth))
    assert not finding.good
    assert "none" in finding.text
