"""`check --connect` says what a collector is, whether it takes the token, and what acks mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

from logagent.cli.asking import Finding
from logagent.cli.asking.splunk import ACK, CHANNEL, HEALTH, ask
from logagent.codecs.splunk import PATH
from logagent.config import SplunkHec
from tests.cli.asking.conftest import Serve

HEALTHY = (200, b'{"text":"HEC is healthy","code":17}')
NO_DATA = (400, b'{"text":"No data","code":5}')
GRANTED = (200, b'{"acks":{"0":false}}')
DISABLED = (400, b'{"text":"ACK is disabled","code":14}')
ACKS = f"{ACK}?channel={CHANNEL}"

Answers = Mapping[str, tuple[int, bytes]]
Acks = Literal["auto", "required", "never"]


@pytest.fixture
def token(tmp_path: Path) -> str:
    """A file with a token."""
    (tmp_path / "token").write_text("abc-1\n")
    return str(tmp_path / "token")


def found(serve: Serve, token: str, answers: Answers, acks: Acks = "auto") -> list[Finding]:
    """What is said of a collector that answers so, without its URL."""
    server = serve(answers)
    findings = ask(SplunkHec(hosts=(server.url,), token_file=token, acks=acks))
    return [each._replace(text=each.text.removeprefix(f"{server.url}: ")) for each in findings]


def test_a_good_collector(serve: Serve, token: str) -> None:
    """Health, token and acknowledgements; nothing is written."""
    server = serve({HEALTH: HEALTHY, PATH: NO_DATA, ACKS: GRANTED})
    output = SplunkHec(hosts=(server.url,), token_file=token, index="app")
    assert [finding.text.removeprefix(f"{server.url}: ") for finding in ask(output)] == [
        "a healthy collector",
        "takes the token",
        "lines are done when they are indexed (indexer acknowledgement)",
        "index app: whether the token may write to it shows the first line",
    ]
    assert all(finding.good for finding in ask(output))
    asked = {each.path: each for each in server.asked}
    assert asked[PATH].body == b""
    assert asked[PATH].headers["authorization"] == "Splunk abc-1"
    assert asked[ACKS].headers["x-splunk-request-channel"] == CHANNEL


def test_acknowledgements_that_the_token_has_not(serve: Serve, token: str) -> None:
    """Said; a fault only where they are required; not asked for when never waited for."""
    answers = {HEALTH: HEALTHY, PATH: NO_DATA, ACKS: DISABLED}
    assert found(serve, token, answers)[-1].good
    last = found(serve, token, answers, "required")[-1]
    assert (last.good, "no line is sent" in last.text) == (False, True)
    assert len(found(serve, token, answers, "never")) == 2
    odd = {**answers, ACKS: (500, b"")}
    assert found(serve, token, odd, "required")[-1] == Finding(
        "can't be asked about acknowledgements: it answers 500", good=False
    )


@pytest.mark.parametrize(
    ("answer", "text", "good"),
    [
        ((200, b"OK"), "reached; it takes Splunk's events, but isn't Splunk", True),
        ((403, b""), "reached; it doesn't tell its health (403)", True),
        (
            (503, b'{"text":"HEC is unhealthy, queues are full","code":18}'),
            "reached, but not healthy: HEC is unhealthy, queues are full (503, code 18)",
            True,
        ),
        ((302, b""), "redirects (302); name the server itself", False),
        ((404, b""), "has no collector (404); its port is 8088 as a rule", False),
        ((400, b'{"text":"Invalid\\u0007","code":21}'), "it answers 400", False),
    ],
)
def test_health(
    serve: Serve, token: str, answer: tuple[int, bytes], text: str, *, good: bool
) -> None:
    """Each answer in words; what isn't printable is not passed on."""
    first = found(serve, token, {HEALTH: answer, PATH: NO_DATA})[0]
    assert first == Finding(text, good=good)


@pytest.mark.parametrize(
    ("answer", "text", "good"),
    [
        ((200, b'{"text":"Success","code":0}'), "takes the token", True),
        (
            (403, b'{"text":"Invalid token","code":4}'),
            "refuses the token: Invalid token (403, code 4); see token_file",
            False,
        ),
        (
            (503, b'{"text":"Server is busy","code":9}'),
            "doesn't say whether it takes the token: Server is busy (503, code 9)",
            True,
        ),
        (
            (400, b'{"text":"Invalid data channel","code":11}'),
            "refuses events: Invalid data channel (400, code 11)",
            False,
        ),
    ],
)
def test_token(
    serve: Serve, token: str, answer: tuple[int, bytes], text: str, *, good: bool
) -> None:
    """What the event's end point makes of the token."""
    second = found(serve, token, {HEALTH: HEALTHY, PATH: answer}, "never")[1]
    assert second == Finding(text, good=good)


def test_what_cannot_be_asked(serve: Serve, token: str) -> None:
    """No token to be read, nobody there."""
    (finding,) = found(serve, "/nowhere/token", {})
    assert (finding.good, "/nowhere/token" in finding.text) == (False, True)
    output = SplunkHec(hosts=("http://127.0.0.1:1",), token_file=token)
    assert list(ask(output)) == [Finding("http://127.0.0.1:1: Connection refused", good=False)]
