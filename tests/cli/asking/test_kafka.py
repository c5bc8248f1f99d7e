"""`check --connect` tells brokers that are gone, topics that are missing, and rights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from logagent.cli.asking import Finding
from logagent.cli.asking.kafka import ask
from logagent.config import Kafka, Tls
from logagent.config.outputs.kafka import Sasl
from tests.edge.kafka_mock import INIT_PRODUCER_ID, MockKafka, mock_kafka

WRITING = Finding("writing: allowed")
TOPIC = Finding("topic t: 2 partitions")


@pytest.fixture
def mock() -> Iterator[MockKafka]:
    """A cluster of one broker with the topic `t`."""
    with mock_kafka() as cluster:
        cluster.create("t", 2)
        yield cluster


def output(mock: MockKafka, topic: str = "t") -> Kafka:
    """An output to it."""
    return Kafka(bootstrap_servers=mock.servers, topic=topic)


def test_all_is_well(mock: MockKafka) -> None:
    """What the broker is, the topic, the right to write."""
    (server,) = mock.servers
    broker, *others = ask(output(mock))
    assert broker.good
    assert broker.text.startswith(f"{server} is Kafka ")
    assert broker.text.endswith(" or newer, brokers: 1, PLAINTEXT")
    assert others == [TOPIC, WRITING]


@pytest.mark.slow
def test_topics(mock: MockKafka) -> None:
    """One that is missing and one that isn't for us are told apart; names that lines decide can't
    be asked for. None is created."""
    mock.create("hidden")
    mock.refuse("hidden", 29)
    for _ in range(2):
        _, topic, _ = ask(output(mock, "absent"))
        text = "topic absent: isn't there; create it, the agent never does"
        assert topic == Finding(text, good=False)
    _, topic, _ = ask(output(mock, "hidden"))
    text = "topic hidden: not for us; allow Describe and Write on it"
    assert topic == Finding(text, good=False)
    _, topic, _ = ask(output(mock, "app-{namespace}"))
    assert topic == Finding("topics app-{namespace}: what they are, lines decide")


def test_rights(mock: MockKafka) -> None:
    """Without the right to write the finding says which one to give."""
    mock.fail(INIT_PRODUCER_ID, 31)
    *_, writing = ask(output(mock))
    text = "writing: not allowed; allow Write on the topic, before 2.8 also IdempotentWrite"
    assert writing == Finding(text, good=False)
    mock.fail(INIT_PRODUCER_ID, 42)
    *_, writing = ask(output(mock))
    assert writing == Finding("writing: INVALID_REQUEST (42)", good=False)


def test_servers_that_are_gone(mock: MockKafka) -> None:
    """Each server is asked for itself; with none left there is nothing more to say."""
    (server,) = mock.servers
    both = replace(output(mock), bootstrap_servers=("127.0.0.1:1", server))
    gone, there, *others = ask(both)
    refused = Finding("127.0.0.1:1 can't be used: refused: 127.0.0.1:1", good=False)
    assert gone == refused
    assert there.good
    assert others == [TOPIC, WRITING]
    assert list(ask(replace(both, bootstrap_servers=("127.0.0.1:1",)))) == [refused]


def test_secrets(mock: MockKafka, tmp_path: Path) -> None:
    """A secret or a certificate that can't be had is all that is said."""
    absent = str(tmp_path / "absent")
    sasl = Sasl(mechanism="PLAIN", username="user", password_file=absent)
    login = replace(output(mock), security_protocol="SASL_PLAINTEXT", sasl=sasl)
    text = f"reading secret {absent}: No such file or directory"
    assert list(ask(login)) == [Finding(text, good=False)]
    tls = replace(output(mock), security_protocol="SSL", tls=Tls(ca_file=absent))
    (finding,) = ask(tls)
    assert not finding.good
    assert absent in finding.text
