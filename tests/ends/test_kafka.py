"""A Kafka output's options as its sink gets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from logagent.config import Kafka
from logagent.config.outputs.kafka import Sasl
from logagent.edge.secrets import SecretError
from logagent.ends.kafka import constant_topics, is_encrypted, login_of, transactional_id

OUTPUT = Kafka(bootstrap_servers=("kafka:9092",), topic="app-logs")


def test_topics_known_beforehand() -> None:
    """A topic's name is known beforehand unless a part of it is filled in."""
    assert constant_topics(OUTPUT) == ("app-logs",)
    for topic in ("app-{namespace}", "app-%Y"):
        assert constant_topics(Kafka(bootstrap_servers=("kafka:9092",), topic=topic)) == ()


def test_encryption() -> None:
    """Only the protocols with SSL in their names are TLS."""
    assert not is_encrypted(OUTPUT)
    tls = Kafka(bootstrap_servers=("kafka:9092",), topic="t", security_protocol="SSL")
    assert is_encrypted(tls)


def test_logins(tmp_path: Path) -> None:
    """Files are read each time, variables and names are as given, and a file that is gone is a
    SecretError."""
    name, password, token = (tmp_path / each for each in ("name", "password", "token"))
    name.write_text("alice\n")
    password.write_text("one\n")
    token.write_text("abc\n")
    login = login_of(
        Sasl(mechanism="PLAIN", username_file=str(name), password_file=str(password)), {}
    )
    assert login()[:3] == ("PLAIN", "alice", "one")
    password.write_text("two\n")
    assert login().password == "two"
    password.unlink()
    with pytest.raises(SecretError):
        login()
    env = Sasl(mechanism="SCRAM-SHA-512", username="bob", password_env="SECRET")
    assert login_of(env, {"SECRET": "three"})()[:3] == ("SCRAM-SHA-512", "bob", "three")
    bearer = login_of(Sasl(mechanism="OAUTHBEARER", token_file=str(token)), {})()
    assert bearer.token is not None
    assert bearer.token() == "abc"


def test_transactional_ids() -> None:
    """The same after a restart, another one for another pod or another output; brokers take it."""
    pods = [{"POD_UID": "a"}, {"POD_UID": "b"}, {"HOSTNAME": "c"}, {}]
    ids = [transactional_id(output, pod) for output in ("main", "other") for pod in pods]
    assert len(set(ids)) == len(ids)
    assert ids == [transactional_id(output, pod) for output in ("main", "other") for pod in pods]
    assert ids[0] == "logagent-a-main"
