"""`check --connect` says whether a receiver takes logs from us, with a request without any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logagent.cli.asking.otlp import ask
from logagent.config import Auth, OtlpHttp
from tests.cli.asking.conftest import Serve


@pytest.mark.parametrize(
    ("status", "body", "good", "words"),
    [
        (200, b'{"partialSuccess":{}}', True, "takes logs (200)"),
        (202, b"", True, "takes logs (202)"),
        (200, b" <html>", False, "a web page"),
        (401, b"", False, "refuses the credentials (401); see auth"),
        (403, b"", False, "refuses the credentials (403)"),
        (404, b"", False, "takes no logs at this path (404); see path"),
        (400, b'unsupported path requested: "/x"', False, "see path"),
        (415, b"", False, "only protobuf"),
        (503, b"", True, "can't take logs just now (503)"),
        (302, b"", False, "redirects (302)"),
        (500, b"oh", False, "answers 500 to an empty request: oh"),
    ],
)
def test_answers(serve: Serve, status: int, body: bytes, *, good: bool, words: str) -> None:
    """Each answer is a sentence, and the request has no record in it."""
    server = serve({"/v1/logs": (status, body)})
    (finding,) = ask(OtlpHttp(hosts=(server.url,)))
    assert finding.good == good
    assert words in finding.text
    assert json.loads(server.asked[0].body) == {"resourceLogs": []}
    assert server.asked[0].headers["content-type"] == "application/json"


def test_each_host_is_asked(serve: Serve) -> None:
    """A host that isn't there is one sentence of several."""
    server = serve({"/v1/logs": (200, b"")})
    gone, here = ask(OtlpHttp(hosts=("http://127.0.0.1:1", server.url)))
    assert (gone.good, here.good) == (False, True)


def test_a_secret_that_cannot_be_read(tmp_path: Path) -> None:
    """It is said instead of asking."""
    auth = Auth(token_file=str(tmp_path / "none"))
    (finding,) = ask(OtlpHttp(hosts=("http://127.0.0.1:1",), auth=auth))
    assert not finding.good
    assert "none" in finding.text
