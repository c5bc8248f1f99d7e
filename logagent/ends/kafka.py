"""The ends of a Kafka output.

Knows which option goes to which part. Must not know how a record is made or sent.
"""

import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from logagent.codecs.kafka import KafkaCodec
from logagent.codecs.kafka_plan import KafkaSettings
from logagent.codecs.kafka_records import Tools
from logagent.codecs.naming import TOPIC, Choice, Template
from logagent.config.outputs import Kafka
from logagent.config.outputs.kafka import Sasl
from logagent.config.secrets import Tls
from logagent.edges import Edges
from logagent.ends.extras import need
from logagent.ends.trust import secret_of, tls_context
from logagent.ports import Sink

if TYPE_CHECKING:
    from logagent.edge.kafka_connect import Login


def codec(output: Kafka) -> KafkaCodec:
    """Records in whole batches. Raises ValueError."""
    need("kafka", "aiokafka", "cramjam")
    from logagent.edge.kafka_tools import compressor, crc32c, now_ns

    choices = {n: Choice(c.field, c.allow, c.fallback) for n, c in output.choose.items()}
    settings = KafkaSettings(
        topic=Template(output.topic, TOPIC, choices),
        key=output.key if isinstance(output.key, str) else "file",
        key_field="" if isinstance(output.key, str) else output.key.field,
        headers=tuple(output.headers.items()),
        id_header=output.id_header,
        file_header=output.file_header,
        compression=output.compression,
        max_message_bytes=output.max_message_bytes,
        transactional=output.transactional,
        dead_topic=output.dead_letter_topic,
    )
    return KafkaCodec(settings, Tools(crc32c, compressor(output.compression), now_ns))


def sink(output: Kafka, edges: Edges, output_id: str) -> Sink:
    """A producer and whoever follows it. Raises ValueError."""
    from logagent.edge.kafka import KafkaSink, SinkSettings

    rebuilds = edges.metrics.cell("kafka_rebuilds_total", output_id)

    def rebuilt(why: str) -> None:
        rebuilds.value += 1
        edges.log.info("the Kafka producer was replaced", output=output_id, why=why)

    def waiting(why: str) -> None:
        edges.log.warning("a batch waits for a Kafka broker", output=output_id, why=why)

    return KafkaSink(
        codec(output).split_pieces,
        constant_topics(output),
        SinkSettings(
            output.bootstrap_servers,
            client_id=output.client_id,
            timeout_s=output.timeout_s,
            transactional_id=transactional_id(output_id, edges.env) if output.transactional else "",
        ),
        tls=tls_context(output.tls or Tls(), edges) if is_encrypted(output) else None,
        login=login_of(output.sasl, edges.env) if output.sasl is not None else None,
        rebuilt=rebuilt,
        waiting=waiting,
    )


def constant_topics(output: Kafka) -> tuple[str, ...]:
    """The topic, unless its name depends on lines or on where they come from."""
    return () if any(mark in output.topic for mark in "{%") else (output.topic,)


def is_encrypted(output: Kafka) -> bool:
    """Whether connections are TLS."""
    return output.security_protocol.endswith("SSL")


def login_of(sasl: Sasl, env: Mapping[str, str]) -> "Callable[[], Login]":
    """A function that reads who we are; it raises SecretError."""
    from logagent.edge.kafka_connect import Login
    from logagent.edge.secrets import Secret

    if sasl.token_file:
        token = Secret(path=sasl.token_file)
        return lambda: Login(sasl.mechanism, token=token.read)
    name = Secret(path=sasl.username_file) if sasl.username_file else None
    password = secret_of(sasl.password_file, sasl.password_env, env)
    return lambda: Login(sasl.mechanism, name.read() if name else sasl.username, password.read())


def transactional_id(output_id: str, env: Mapping[str, str]) -> str:
    """An id that is the same after a restart, so that the new process fences the old one, and that
    no other pod and no other output has."""
    pod = env.get("POD_UID") or env.get("HOSTNAME") or socket.gethostname()
    return f"logagent-{pod}-{output_id}"
