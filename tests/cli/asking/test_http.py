"""`check --connect` says whether an HTTP endpoint is there, and sends it nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from logagent.cli.asking import Finding
from logagent.cli.asking.http import ask
from logagent.config import Auth, Http
from tests.cli.asking.conftest import Serve


@pytest.mark.parametrize(
    ("status", "text", "good"),
    [
        (200, "reached (200); lines may still be refused", True),
        (204, "reached (204); lines may still be refused", True),
        (405, "reached (405); lines may still be refused", True),
        (501, "reached (501); lines may still be refused", True),
        (302, "redirects (302); name the server itself", False),
        (401, "refuses the credentials (401); see auth", False),
        (403, "refuses the credentials (403); see auth", False),
        (404, "has no such path (404); see path", False),
        (503, "answers 503: it is there and in trouble", False),
    ],
)
def test_answers(serve: Serve, status: int, text: str, good: bool) -> None:  # noqa: FBT001
    """Each answer says what it means, under the URL without its query."""
    server = serve({"OPTIONS /in?key=value": (status, b"")})
    (finding,) = ask(Http(hosts=(server.url,), path="/in?key=value"))
    assert finding == Finding(f"{server.url}/in: {text}", good=good)
    assert [(asked.method, asked.body) for asked in server.asked] == [("OPTIONS", b"")]


def test_credentials_are_shown(serve: Serve, tmp_path: Path) -> None:
    """The question carries the output's own credentials; without their file there is none."""
    (tmp_path / "token").write_text("abc\n")
    server = serve({"/": (200, b""), "key": (200, b"Bearer abc")})
    output = Http(hosts=(server.url,), auth=Auth(token_file=str(tmp_path / "token")))
    assert [finding.good for finding in ask(output)] == [True]
    (tmp_path / "token").unlink()
    (finding,) = ask(output)
    assert (finding.good, "No such file" in finding.text) == (False, True)


def test_nobody_there() -> None:
    """Each host that doesn't answer is said."""
    findings = list(ask(Http(hosts=("http://127.0.0.1:1", "http://127.0.0.1:2"))))
    assert [finding.good for finding in findings] == [False, False]
    assert "refused" in findings[0].text
