"""What Kafka's brokers say of themselves, and of an output's topic.

Knows what the answers mean. Must not write a record, nor create a topic. To ask for a producer's
id is to ask whether we may write; ids cost nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Final

from logagent.cli.asking import Finding
from logagent.config import Kafka
from logagent.edge.kafka_cluster import Cluster
from logagent.edge.kafka_connect import Security
from logagent.edge.kafka_faults import OK, code_text
from logagent.edge.kafka_producer import Producer
from logagent.ends.kafka import constant_topics, is_encrypted, login_of
from logagent.ends.trust import context_of

TIMEOUT_S: Final = 10.0
FORBIDDEN: Final = 31

_VERSIONS: Final = ((12, "4.0"), (10, "3.7"), (9, "2.8"), (8, "2.4"), (7, "2.1"))
"""Since when Kafka knows which version of produce requests (ProduceRequest.json of its source)."""


def ask(output: Kafka) -> Iterator[Finding]:
    """What can be said of a Kafka output, one line for each server and thing."""
    try:
        security = security_of(output)
    except (OSError, ValueError) as error:
        yield Finding(str(error), good=False)
        return
    yield from asyncio.run(_ask_all(output, security))


def security_of(output: Kafka) -> Security:
    """How the output connects. Raises SecretError for a secret, OSError or ValueError for a
    certificate that can't be had."""
    made = context_of(output.tls) if is_encrypted(output) else None
    login = login_of(output.sasl, os.environ)() if output.sasl is not None else None
    return Security(output.client_id, made, login)


async def _ask_all(output: Kafka, security: Security) -> list[Finding]:
    """Each server for itself, and the first that answers about the topic and our rights."""
    findings: list[Finding] = []
    topics = constant_topics(output)
    clusters = [
        Cluster((server,), security, request_timeout_s=TIMEOUT_S)
        for server in output.bootstrap_servers
    ]
    try:
        reached = [cluster for cluster in clusters if await cluster.refresh(topics)]
        for server, cluster in zip(output.bootstrap_servers, clusters, strict=True):
            good = cluster in reached
            text = await _server(cluster, output) if good else _advice(cluster.trouble)
            findings.append(Finding(f"{server} {text}", good=good))
        if reached:
            findings += [_topic(reached[0], topic) for topic in topics]
            if not topics:
                findings.append(Finding(f"topics {output.topic}: what they are, lines decide"))
            findings.append(await _rights(reached[0]))
    finally:
        for cluster in clusters:
            cluster.abort()
    return findings


async def _server(cluster: Cluster, output: Kafka) -> str:
    """What a server that answered is."""
    version = await cluster.produce_version()
    since = next((name for least, name in _VERSIONS if version >= least), "")
    what = f"is Kafka {since} or newer" if since else "is older than Kafka 2.1, which we need"
    user = "" if output.sasl is None else f", {output.sasl.mechanism}"
    return f"{what}, brokers: {cluster.brokers}, {output.security_protocol}{user}"


def _advice(fault: str) -> str:
    """Why a server can't be used."""
    return f"can't be used: {fault}"


def _topic(cluster: Cluster, topic: str) -> Finding:
    """What a topic is."""
    if count := cluster.partitions(topic):
        return Finding(f"topic {topic}: {count} partitions")
    if cluster.may_not(topic):
        text = f"topic {topic}: not for us; allow Describe and Write on it"
        return Finding(text, good=False)
    return Finding(f"topic {topic}: isn't there; create it, the agent never does", good=False)


async def _rights(cluster: Cluster) -> Finding:
    """Whether we may be an idempotent producer, which a right to write on any topic gives."""
    code = await Producer(cluster, request_timeout_s=TIMEOUT_S).start()
    if code == OK:
        return Finding("writing: allowed")
    if code == FORBIDDEN:
        text = "writing: not allowed; allow Write on the topic, before 2.8 also IdempotentWrite"
        return Finding(text, good=False)
    return Finding(f"writing: {code_text(code)}", good=False)
