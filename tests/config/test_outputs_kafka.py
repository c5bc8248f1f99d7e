"""The options of `kafka`: what they come to, and what makes no sense together."""

from __future__ import annotations

import pytest

from logagent.config import Kafka
from tests.config.conftest import Complain, Load

BASE = """\
inputs: {app: {paths: [/var/log/app/*.log]}}
outputs:
  bus:
    type: kafka
    bootstrap_servers: [kafka-1.example:9092, "[::1]:9093"]
"""
TOPIC = "    topic: app-logs\n"
SASL = "    security_protocol: SASL_SSL\n    sasl: "
SCRAM = "mechanism: SCRAM-SHA-512, username: u, password_file: /p"


def test_the_least(load_text: Load) -> None:
    """Brokers and a topic; order per file, ids, and idempotence's one request at a time."""
    output = load_text(BASE + TOPIC).outputs["bus"]
    assert isinstance(output, Kafka)
    assert (output.key, output.id_header, output.file_header) == ("file", "logagent-id", "")
    assert (output.compression, output.slots, output.batch_bytes) == ("zstd", 1, 2 << 20)
    assert output.security_protocol == "PLAINTEXT"
    assert not output.transactional
    assert list(output.files()) == []
    assert list(output.variables()) == []


def test_all_of_it(load_text: Load) -> None:
    """Secrets and certificates are listed, wherever they are named."""
    text = (
        BASE
        + "    topic: '{namespace}-{team}-%Y'\n"
        + "    choose: {team: {field: labels.team, allow: [pay], fallback: other}}\n"
        + "    key: {field: user.id}\n    headers: {cluster: eu-1}\n    id_header: ''\n"
        + SASL
        + "{mechanism: PLAIN, username_file: /u, password_env: PW}\n"
        + "    tls: {ca_file: /ca, cert_file: /cert, key_file: /key}\n"
    )
    output = load_text(text, env={"PW": "x"}).outputs["bus"]
    assert isinstance(output, Kafka)
    assert not isinstance(output.key, str)
    assert output.key.field == "user.id"
    assert [(need.kind, need.path, need.option) for need in output.files()] == [
        ("secret", "/u", ("sasl", "username_file")),
        ("ca", "/ca", ("tls", "ca_file")),
        ("cert", "/cert", ("tls", "cert_file")),
        ("key", "/key", ("tls", "key_file")),
    ]
    assert list(output.variables()) == [(("sasl", "password_env"), "PW")]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("", "topic: is missing; name a topic"),
        (
            "    topic: a/b\n",
            "topic: is no topic's name: at most 249 of a-z, A-Z, 0-9, '.', _ and -",
        ),
        ("    topic: '..'\n", "topic: is no topic's name"),
        ("    topic: 'a-%y'\n", "topic: has a % that is none of %Y, %m, %d, %H"),
        ("    topic: 'a-{team}'\n", "topic: has {team}, which is none of input"),
        (
            TOPIC + "    choose: {team: {field: team, allow: [a], fallback: b}}\n",
            "choose.team: is not used; write {team} where it belongs",
        ),
        (
            "    topic: '{team}'\n    choose: {team: {field: team, allow: [a b], fallback: b}}\n",
            "choose.team: has 'a b', which can't be in a topic's name",
        ),
        (TOPIC + "    key: offset\n", "key: "),
        (TOPIC + "    headers: {'': x}\n", "headers: has one without a name"),
        (
            TOPIC + "    headers: {logagent-id: x}\n",
            "headers.logagent-id: is the name in id_header too; take another",
        ),
        (TOPIC + "    file_header: logagent-id\n", "file_header: is the name of id_header too"),
        (
            TOPIC + f"    sasl: {{{SCRAM}}}\n",
            "sasl: is given, but security_protocol is PLAINTEXT; write SASL_SSL",
        ),
        (
            TOPIC + "    security_protocol: SASL_PLAINTEXT\n",
            "sasl: is missing; SASL_PLAINTEXT needs it",
        ),
        (
            TOPIC + "    tls: {ca_file: /ca}\n",
            "tls: is given, but security_protocol is PLAINTEXT; write SSL",
        ),
        (
            TOPIC + "    security_protocol: SASL_PLAINTEXT\n"
            f"    sasl: {{{SCRAM}}}\n    tls: {{ca_file: /ca}}\n",
            "tls: is given, but security_protocol is SASL_PLAINTEXT; write SASL_SSL",
        ),
        (
            TOPIC + SASL + "{mechanism: PLAIN, password_file: /p}\n",
            "sasl.username: is missing; PLAIN needs it or username_file",
        ),
        (
            TOPIC + SASL + "{mechanism: PLAIN, username: u}\n",
            "sasl.password_file: is missing; PLAIN needs it or password_env",
        ),
        (
            TOPIC + SASL + "{mechanism: OAUTHBEARER}\n",
            "sasl.token_file: is missing; OAUTHBEARER needs it",
        ),
        (
            TOPIC + SASL + "{mechanism: OAUTHBEARER, token_file: /t, username: u}\n",
            "sasl: has a user or a password, but OAUTHBEARER takes only token_file",
        ),
        (
            TOPIC + SASL + f"{{{SCRAM}, token_file: /t}}\n",
            "sasl.token_file: is given, but SCRAM-SHA-512 takes a user and a password",
        ),
        (
            TOPIC + SASL + f"{{{SCRAM}, password_env: P}}\n",
            "sasl.password_env: is given besides password_file; remove one",
        ),
        (
            TOPIC + SASL + f"{{{SCRAM}, username_file: /u}}\n",
            "sasl.username_file: is given besides username; remove one",
        ),
        (
            TOPIC + SASL + "{mechanism: PLAIN, username: u, password_file: p}\n",
            "sasl.password_file: is not absolute; start it with /",
        ),
        (
            TOPIC + SASL + "{mechanism: PLAIN, username: u, password_env: 1x}\n",
            "sasl.password_env: ",
        ),
        (TOPIC + SASL + "{mechanism: GSSAPI}\n", "sasl.mechanism: "),
        (TOPIC + "    max_message_bytes: 9\n", "max_message_bytes: "),
    ],
)
def test_what_makes_no_sense(problems: Complain, options: str, problem: str) -> None:
    """Each with where, why and what to change."""
    (line,) = problems(BASE + options)
    assert f"$.outputs.bus.{problem}" in line


@pytest.mark.parametrize("server", ["kafka-1", "kafka-1:", "kafka:99999", "http://kafka:9092", ""])
def test_a_broker_is_host_and_port(problems: Complain, server: str) -> None:
    """Anything else is refused, with its place in the list."""
    text = BASE.replace('"[::1]:9093"', f'"{server}"') + TOPIC
    (line,) = problems(text)
    assert "$.outputs.bus.bootstrap_servers[1]: is not host:port" in line


def test_brokers_are_named(problems: Complain) -> None:
    """Without any there is nobody to ask."""
    (line,) = problems(BASE.replace("    bootstrap_servers", "    #") + TOPIC)
    assert "$.outputs.bus.bootstrap_servers: is missing; name a broker, as host:port" in line
