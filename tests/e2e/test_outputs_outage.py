"""Every output is dead for a while, in three ways, while the app rotates; then all of it arrives.

All outputs run in one agent, each behind a proxy of its own, beside one that is well: so this also
shows that a dead output disturbs no other. Kafka's broker is a real one; what the others send is
taken by a small server. `OUTAGE_S=60` makes it a minute each.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import confluent_kafka
import pytest

from tests.e2e.agent import Agent, installed
from tests.e2e.apps import Receiver, config_for, receiving, writing
from tests.e2e.collecting import ANSWERS, NUMBER, Collector, collecting
from tests.e2e.kafka_stream import create
from tests.e2e.proxy import Mode, Proxy, proxied
from tests.e2e.search_support import eventually
from tests.e2e.servers.kafka import kafka
from tests.e2e.servers.ports import free_port

OUTAGE_S: Final = int(os.environ.get("OUTAGE_S", "12"))
RATE: Final = 2000
LINE_BYTES: Final = 206
BUDGET: Final = 192 << 20
"""For seven outputs that all have full batches under way."""

TOPIC: Final = "lines"
KINDS: Final = ("kafka", *ANSWERS)


def options_of(kind: str, port: int, folder: Path) -> dict[str, object]:
    """The options of an output: those of its kind, and short times."""
    secret = folder / "secret"
    secret.write_text("a-secret\n")
    if kind == "kafka":
        where: dict[str, object] = {"bootstrap_servers": [f"127.0.0.1:{port}"], "topic": TOPIC}
    else:
        where = {"hosts": [f"http://127.0.0.1:{port}/{kind}"]}
    own: dict[str, dict[str, object]] = {
        "splunk_hec": {"token_file": str(secret)},
        "http": {"path": "/"},
        "s3": {
            "bucket": "logs",
            "aws": {
                "region": "eu-central-1",
                "access_key_file": str(secret),
                "secret_key_file": str(secret),
            },
        },
    }
    return {
        "type": kind,
        **where,
        "linger_s": 0.5,
        "timeout_s": 5,
        "retry_max_s": 3,
        **own.get(kind, {}),
    }


class Topic:
    """What came to the real broker: a consumer on a thread of its own counts it."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": ",".join(servers),
                "group.id": "counting",
                "auto.offset.reset": "earliest",
                "check.crcs": True,
            }
        )
        self._consumer.subscribe([TOPIC])
        self._counts: Counter[int] = Counter()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def distinct(self) -> int:
        """How many different lines arrived."""
        return len(self._counts)

    def doubled(self) -> int:
        """How many lines arrived more than once."""
        return sum(count > 1 for count in self._counts.copy().values())

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            for message in self._consumer.consume(1000, 0.2):
                if message.error() is None:
                    self._counts.update(map(int, NUMBER.findall(message.value() or b"")))


@dataclass(frozen=True)
class Places:
    """Everywhere that lines come to, but the healthy receiver."""

    collector: Collector
    topic: Topic
    proxies: dict[str, Proxy]

    def distinct(self, kind: str) -> int:
        """How many different lines came to a kind of output."""
        return self.topic.distinct() if kind == "kafka" else self.collector.distinct(kind)

    def doubled(self, kind: str) -> int:
        """How many lines came more than once."""
        return self.topic.doubled() if kind == "kafka" else self.collector.doubled(kind)


@contextmanager
def places(folder: Path) -> Iterator[Places]:
    """All of them, each with its proxy."""
    with ExitStack() as stack:
        collector = stack.enter_context(collecting())
        port = free_port()
        proxies = {
            kind: stack.enter_context(proxied(port if kind == "kafka" else collector.port))
            for kind in KINDS
        }
        pair = (port, proxies["kafka"].port)
        brokers = stack.enter_context(kafka(folder / "kafka", proxied=pair))
        create(brokers.servers, TOPIC)
        topic = Topic(brokers.servers)
        stack.callback(topic.close)
        yield Places(collector, topic, proxies)


def lag(agent: Agent, output: str) -> float:
    """How many bytes an output has not delivered."""
    return agent.metric(f'lag_bytes{{input="app",output="{output}"}}')


def dies(agent: Agent, proxies: dict[str, Proxy], mode: Mode) -> None:
    """Let all servers but the healthy one fail, and see that each output feels it."""
    for proxy in proxies.values():
        proxy.become(mode)

    def all_lag() -> bool:
        return all(lag(agent, kind) > RATE * LINE_BYTES * OUTAGE_S * 0.95 for kind in KINDS)

    eventually("the dead outputs to lag", all_lag, within_s=OUTAGE_S * 3)


def is_whole(agent: Agent, healthy: Receiver, places: Places, writer: str, written: int) -> bool:
    """Whether each line has come everywhere."""
    if healthy.account(writer, written).lost:
        return False
    left = {kind: written - places.distinct(kind) for kind in KINDS}
    return not any(left.values()) and not any(lag(agent, kind) for kind in KINDS)


@pytest.mark.parametrize("mode", ["refuse", "hole", "trickle"])
def test_each_output_survives_a_dead_server(mode: Mode, tmp_path: Path) -> None:
    """The app rotates by rename with two files kept; nothing is lost, memory stays in its budget,
    and the healthy output never waits."""
    logs = tmp_path / "logs"
    logs.mkdir()
    with ExitStack() as stack:
        healthy = stack.enter_context(receiving(tmp_path, "ledger"))
        found = stack.enter_context(places(tmp_path))
        config = config_for(logs, healthy.url, linger_s=0.2)
        outputs = config["outputs"]
        assert isinstance(outputs, dict)
        for kind, proxy in found.proxies.items():
            outputs[kind] = options_of(kind, proxy.port, tmp_path)
        settings = {"memory_bytes": BUDGET, "grace_s": 1}
        installation = stack.enter_context(installed({**config, "agent": settings}, tmp_path))
        agent = installation.start()
        paced = ("--rate", str(RATE), "--rotate-bytes", str(1 << 20), "--keep", "2")
        app = stack.enter_context(writing(tmp_path, logs, *paced, form="text"))
        eventually("lines everywhere", lambda: all(map(found.distinct, KINDS)))

        dies(agent, found.proxies, mode)
        peak_lag = lag(agent, "main")
        for proxy in found.proxies.values():
            proxy.become("pass")
        written = app.stop()

        def whole() -> bool:
            return is_whole(agent, healthy, found, app.name, written)

        eventually("all lines", whole, within_s=OUTAGE_S * 3 + 60)
        doubled = {kind: found.doubled(kind) for kind in KINDS}
        print(f"{written} lines, doubled {doubled}, peak {agent.peak_rss_bytes >> 20} MiB")
        assert app.account()["rotations"] > 2
        # The healthy one is at most a few seconds behind, whatever the machine is doing.
        assert peak_lag <= RATE * LINE_BYTES * 5
        assert agent.peak_rss_bytes <= BUDGET
        assert not installation.events("file vanished unread")
        assert agent.stop() == 0
