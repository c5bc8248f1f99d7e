"""The whole agent and real brokers: a million lines over kills, secrets, topics, `check`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import confluent_kafka
import pytest

from tests.e2e.kafka_stream import READ_S, create
from tests.e2e.search_support import eventually, run_agent, start_agent
from tests.e2e.servers.kafka import PASSWORD, USER, Kafka, kafka
from tests.e2e.servers.ports import free_port

LINES: Final = 500_000
"""A file."""
FILES: Final = 2
TOPIC: Final = "app-logs"
DELIVERED: Final = 'logagent_settled_rows_total{outcome="delivered",output="out"}'
UNUSABLE: Final = 69


class Found(NamedTuple):
    """What the topic holds, by file: the lines' numbers in the order of their first copies, and how
    many copies there were besides, each with the id of the first."""

    numbers: Mapping[str, Sequence[int]]
    doubled: int


def find(servers: Sequence[str], topic: str = TOPIC) -> Found:
    """Read all of a topic, CRCs checked."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": ",".join(servers),
            "group.id": "finder",
            "check.crcs": True,
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    ids: dict[tuple[str, int], bytes] = {}
    numbers: dict[str, list[int]] = defaultdict(list)
    doubled = ends = waited = 0
    try:
        partitions = consumer.list_topics(topic, timeout=READ_S).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, each, 0) for each in partitions])
        while ends < len(partitions):
            messages = consumer.consume(10_000, 1)
            waited = 0 if messages else waited + 1
            assert waited < READ_S, f"rows or an end come within {READ_S} s"
            for message in messages:
                if message.error() is not None:
                    ends += 1
                    continue
                document = json.loads(message.value() or b"")
                headers = dict(message.headers() or [])
                place = (document["f"], document["n"])
                row_id = headers["logagent-id"]
                assert isinstance(row_id, bytes)
                if place in ids:
                    assert ids[place] == row_id, "a copy has the id of the first"
                    doubled += 1
                else:
                    ids[place] = row_id
                    numbers[place[0]].append(place[1])
    finally:
        consumer.close()
    assert len(set(ids.values())) == len(ids), "no two lines have one id"
    return Found(numbers, doubled)


def write(folder: Path, file: str, lines: int) -> None:
    """Write a log file of numbered lines."""
    folder.mkdir(exist_ok=True)
    stamp = "2026-11-24T10:00:00.000Z"
    with (folder / f".{file}").open("w") as out:
        out.writelines(
            f'{{"@timestamp":"{stamp}","f":"{file}","n":{i},"message":"line {i}"}}\n'
            for i in range(lines)
        )
    (folder / f".{file}").rename(folder / f"{file}.log")


def config(
    brokers: Kafka, folder: Path, listener: str = "PLAINTEXT", **output: object
) -> dict[str, object]:
    """One input, one output to the brokers; back-off is short, so that healing is seen."""
    return {
        "inputs": {"app": {"paths": [f"{folder}/logs/*.log"]}},
        "outputs": {
            "out": {
                "type": "kafka",
                "bootstrap_servers": brokers.servers_of(listener),
                "topic": TOPIC,
                "retry_max_s": 1.0,
                "timeout_s": 10.0,
                **output,
            }
        },
    }


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Kafka]:
    """A cluster of one broker."""
    with kafka(tmp_path / "kafka") as brokers:
        yield brokers


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker with users."""
    with kafka(tmp_path_factory.mktemp("kafka"), secure=True) as brokers:
        yield brokers


def test_a_million_lines_over_two_kills(one: Kafka, tmp_path: Path) -> None:
    """The broker is killed and comes back twice: none lost, each file in order, copies keep ids."""
    create(one.servers, TOPIC)
    for file in range(FILES):
        write(tmp_path / "logs", f"app-{file}", LINES)
    (broker,) = one.brokers
    with start_agent(config(one, tmp_path), tmp_path, admin_port=free_port()) as agent:

        def wait_for(rows: int) -> None:
            def condition() -> bool:
                return agent.metrics().get(DELIVERED, 0) >= rows

            eventually(f"{rows} rows are delivered", condition, within_s=120)

        for part in (1, 2):
            wait_for(part * FILES * LINES // 4)
            broker.kill()
            broker.launch()
        wait_for(FILES * LINES)
        print(f"CPU {agent.cpu_s:.2f} s, peak RSS {agent.peak_rss_bytes >> 20} MiB")
        assert agent.stop() == 0
        replaced = agent.log_text().count("the Kafka producer was replaced")
    found = find(one.servers)
    print(f"copies: {found.doubled}, producers replaced: {replaced}")
    assert found.numbers == {f"app-{file}": [*range(LINES)] for file in range(FILES)}
    assert replaced <= 2 * 2
    # A request is at most batch_bytes; a line has more than 100 bytes.
    assert found.doubled <= replaced * (2 << 20) // 100


def test_a_password_is_corrected_in_its_file(secure: Kafka, tmp_path: Path) -> None:
    """While it is wrong nothing is lost and the log says so; corrected, lines flow."""
    create(secure.servers, "passwords")
    write(tmp_path / "logs", "app", 1_000)
    password = tmp_path / "password"
    password.write_text("wrong\n")
    options = {
        "topic": "passwords",
        "security_protocol": "SASL_SSL",
        "tls": {"ca_file": str(secure.certificates.ca_file)},
        "sasl": {
            "mechanism": "SCRAM-SHA-512",
            "username": USER,
            "password_file": str(password),
        },
    }
    made = config(secure, tmp_path, "SASL_SSL", **options)
    with start_agent(made, tmp_path, admin_port=free_port()) as agent:
        eventually("the log says why", lambda: "Authentication failed" in agent.log_text())
        password.write_text(f"{PASSWORD}\n")
        eventually("lines flow", lambda: agent.metrics().get(DELIVERED, 0) >= 1_000)
        assert agent.stop() == 0
        assert PASSWORD not in agent.log_text()
    assert find(secure.servers, "passwords").numbers == {"app": [*range(1_000)]}


def test_a_topic_comes_late(one: Kafka, tmp_path: Path) -> None:
    """Until it is there nothing is lost and the log says so; the agent doesn't create it."""
    write(tmp_path / "logs", "app", 1_000)
    with start_agent(config(one, tmp_path), tmp_path, admin_port=free_port()) as agent:
        eventually("the log says why", lambda: "UNKNOWN_TOPIC_OR_PARTITION" in agent.log_text())
        create(one.servers, TOPIC)
        eventually("lines flow", lambda: agent.metrics().get(DELIVERED, 0) >= 1_000)
        assert agent.stop() == 0
    assert find(one.servers).numbers == {"app": [*range(1_000)]}


def test_transactions(one: Kafka, tmp_path: Path) -> None:
    """With `transactional` all lines are committed."""
    create(one.servers, TOPIC)
    write(tmp_path / "logs", "app", 50_000)
    done = run_agent(config(one, tmp_path, transactional=True), tmp_path)
    assert done.returncode == 0, done.stderr
    assert find(one.servers).numbers == {"app": [*range(50_000)]}


def test_check_connect(secure: Kafka, tmp_path: Path) -> None:
    """It says what a broker is, whether the topic is there, and whether we may write."""
    (tmp_path / "logs").mkdir()
    create(secure.servers, "checked", partitions=3)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    ca = str(secure.certificates.ca_file)
    sasl = {"mechanism": "SCRAM-SHA-256", "username": USER, "password_file": str(password)}
    options = {"security_protocol": "SASL_SSL", "tls": {"ca_file": ca}, "sasl": sasl}

    def connect(topic: str, status: int, listener: str = "SASL_SSL") -> list[str]:
        made = config(secure, tmp_path, listener, topic=topic, **options)
        done = run_agent(made, tmp_path, ["--connect"], verb="check")
        assert done.stderr == ""
        assert done.returncode == status, done.stdout
        _, _, found = done.stdout.partition("\nconnect\n")
        return [line.removeprefix("  out").strip() for line in found.splitlines()]

    (server,) = secure.servers_of("SASL_SSL")
    broker = f"{server} is Kafka 4.0 or newer, brokers: 1, SASL_SSL, SCRAM-SHA-256"
    assert connect("checked", 0) == [broker, "topic checked: 3 partitions", "writing: allowed"]
    missing = "topic absent: isn't there; create it, the agent never does"
    assert connect("absent", UNUSABLE) == [broker, missing, "writing: allowed"]
    (plain,) = secure.servers
    (line,) = connect("checked", UNUSABLE, "PLAINTEXT")
    assert line.startswith(f"{plain} can't be used: reset: ")
    password.write_text("wrong")
    (line,) = connect("checked", UNUSABLE)
    assert line.startswith(f"{server} can't be used: sasl: ")
