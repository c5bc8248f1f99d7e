"""The options of `splunk_hec`: what they come to, and what makes no sense together."""

from __future__ import annotations

import pytest

from logagent.config import SplunkHec
from tests.config.conftest import Complain, Load

BASE = """\
inputs: {app: {paths: [/var/log/app/*.log]}}
outputs:
  hec:
    type: splunk_hec
    hosts: [https://splunk.example:8088/]
"""
TOKEN = "    token_file: /etc/logagent/secrets/token\n"


def test_the_least(load_text: Load) -> None:
    """A host and a token; acknowledgements wherever the token has them."""
    output = load_text(BASE + TOKEN).outputs["hec"]
    assert isinstance(output, SplunkHec)
    assert output.endpoints() == ("https://splunk.example:8088",)
    assert (output.acks, output.slots, output.sourcetype) == ("auto", 8, "_json")
    assert [(need.kind, need.option) for need in output.files()] == [("secret", ("token_file",))]
    assert list(output.variables()) == []
    named = SplunkHec(hosts=("https://s:8088",), token_env="HEC_TOKEN")
    assert list(named.variables()) == [(("token_env",), "HEC_TOKEN")]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("", "token_file: is missing; name a file with the collector's token"),
        (TOKEN + "    token_env: T\n", "token_env: is given besides token_file; remove one"),
        (
            TOKEN + "    auth: {username: x, password_file: /p}\n",
            "auth: is given besides the token; remove one",
        ),
        ("    token_file: token\n", "token_file: is not absolute; start it with /"),
        ("    token_env: 1T\n", "token_env: is not the name of an environment variable"),
        (
            TOKEN + "    headers: {X-Splunk-Request-Channel: a}\n",
            "headers.X-Splunk-Request-Channel: is written by the agent itself; remove it",
        ),
        (
            TOKEN + "    fields: {logagent_id: a}\n",
            "fields.logagent_id: is the name of the event's id; take another",
        ),
        (
            TOKEN + "    fields: {_raw: a}\n",
            "fields._raw: is no name for a field: it is empty, or starts with _",
        ),
        (TOKEN + "    index: app-%Y\n", "index: has %Y in it, but this name has no dates"),
        (
            TOKEN + "    acks: never\n    ack_timeout_s: 5\n",
            "ack_timeout_s: is given, but acks is never; remove one",
        ),
    ],
)
def test_what_makes_no_sense(problems: Complain, options: str, problem: str) -> None:
    """Each with where, why and what to change."""
    (line,) = problems(BASE + options)
    assert line.endswith(f"$.outputs.hec.{problem}"), line


def test_names_are_filled_in_by_the_agent_or_chosen(load_text: Load, problems: Complain) -> None:
    """An index may be chosen by lines; a host and a source may not."""
    chosen = (
        "    index: app-{team}\n    choose: {team: {field: team, allow: [pay], fallback: rest}}\n"
    )
    assert isinstance(load_text(BASE + TOKEN + chosen).outputs["hec"], SplunkHec)
    (line,) = problems(BASE + TOKEN + chosen + "    host: '{team}'\n")
    assert "$.outputs.hec.host: has {team}" in line
