"""Real brokers with TLS, SASL and ACLs: each way to log in, and what is said when it fails."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
)
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from logagent.core.chunk import Reply
from logagent.edge.kafka import KafkaSink, SinkSettings
from logagent.edge.kafka_connect import Login
from logagent.edge.secrets import Secret
from logagent.edge.tls import context
from tests.e2e.kafka_stream import TOPIC, create, cut, find, numbers
from tests.e2e.servers.kafka import PASSWORD, USER, Kafka, kafka
from tests.edge.kafka_pieces import codes


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker with users, that has the topic."""
    with kafka(tmp_path_factory.mktemp("kafka"), secure=True) as brokers:
        create(brokers.servers, TOPIC)
        yield brokers


def make(
    secure: Kafka,
    listener: str,
    *,
    tls: Callable[[], ssl.SSLContext] | None = None,
    login: Callable[[], Login] | None = None,
) -> KafkaSink:
    """A sink to one of the listeners."""
    settings = SinkSettings(tuple(secure.servers_of(listener)), timeout_s=5.0)
    return KafkaSink(cut, (TOPIC,), settings, tls=tls, login=login)


def trust(secure: Kafka) -> Callable[[], ssl.SSLContext]:
    """TLS without a certificate of ours."""
    return lambda: context(str(secure.certificates.ca_file))


def send_once(sink: KafkaSink) -> Reply:
    """What comes of one request."""

    async def main() -> Reply:
        reply = await sink.send(numbers(range(100)))
        await sink.close()
        return reply

    return asyncio.run(main())


def token(**claims: object) -> str:
    """A token without a signature, as the broker's default validator takes it (RFC 7515)."""
    parts = ({"alg": "none"}, {"sub": USER, "iat": time.time(), "exp": time.time() + 600, **claims})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*texts, b""]).decode()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_password_is_corrected_in_its_file(secure: Kafka, tmp_path: Path, mechanism: str) -> None:
    """A wrong one is a fault that says so; the right one in the file is used by the same sink."""
    file = tmp_path / "password"
    file.write_text("wrong\n")
    password = Secret(path=str(file))

    async def main() -> None:
        sink = make(
            secure,
            "SASL_SSL",
            tls=trust(secure),
            login=lambda: Login(mechanism, USER, password.read()),
        )
        fault = (await sink.send(numbers(range(100)))).fault
        (server,) = secure.servers_of("SASL_SSL")
        assert fault.startswith(f"sasl: {server}: Authentication failed")
        file.write_text(f"{PASSWORD}\n")
        assert not any(codes(await sink.send(numbers(range(100)))))
        await sink.close()

    asyncio.run(main())


def test_a_password_that_is_changed_while_a_producer_lives(secure: Kafka, tmp_path: Path) -> None:
    """`refresh` makes a producer that logs in by what the file holds now."""
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    password = Secret(path=str(file))

    async def main() -> None:
        login = lambda: Login("SCRAM-SHA-512", USER, password.read())  # noqa: E731 - one use
        sink = make(secure, "SASL_SSL", tls=trust(secure), login=login)
        assert not any(codes(await sink.send(numbers(range(100)))))
        file.write_text("wrong")
        await sink.refresh()
        assert (await sink.send(numbers(range(100)))).fault.startswith("sasl: ")
        file.write_text(PASSWORD)
        assert not any(codes(await sink.send(numbers(range(100)))))
        await sink.close()

    asyncio.run(main())


def test_tokens(secure: Kafka, tmp_path: Path) -> None:
    """OAUTHBEARER reads its token at each connection; one that is too old is refused in words."""
    file = tmp_path / "token"
    file.write_text(token(exp=time.time() - 60))
    read = Secret(path=str(file)).read

    async def main() -> None:
        login = lambda: Login("OAUTHBEARER", token=read)  # noqa: E731 - one use
        sink = make(secure, "SASL_SSL", tls=trust(secure), login=login)
        assert "the token was refused" in (await sink.send(numbers(range(100)))).fault
        file.write_text(token())
        assert not any(codes(await sink.send(numbers(range(100)))))
        await sink.close()

    asyncio.run(main())


def test_client_certificates(secure: Kafka) -> None:
    """With one we are let in; without one the fault is about TLS."""
    ca, cert, key = (str(path) for path in secure.certificates)
    assert not any(codes(send_once(make(secure, "SSL", tls=lambda: context(ca, cert, key)))))
    assert send_once(make(secure, "SSL", tls=trust(secure))).fault.startswith("tls: ")


@pytest.mark.parametrize(
    ("listener", "is_tls", "start"),
    [
        ("PLAINTEXT", True, "reset: "),
        ("SSL", False, "reset: "),
        ("SASL_SSL", True, "reset: "),
    ],
)
def test_the_wrong_protocol(secure: Kafka, listener: str, *, is_tls: bool, start: str) -> None:
    """The fault names the option to look at."""
    tls = trust(secure) if is_tls else None
    fault = send_once(make(secure, listener, tls=tls)).fault
    assert fault.startswith(start)
    assert fault.endswith("check security_protocol")


def test_an_unknown_authority(secure: Kafka) -> None:
    """A broker that we can't check gets nothing."""
    fault = send_once(make(secure, "SSL", tls=context)).fault
    assert fault.startswith("tls: ")
    assert "certificate" in fault


def test_a_right_that_is_taken_and_given_back(secure: Kafka) -> None:
    """Without the right to write rows are code 29, and flow when it is given again."""
    admin = AdminClient({"bootstrap.servers": ",".join(secure.servers)})
    rule = (ResourceType.TOPIC, TOPIC, ResourcePatternType.LITERAL, f"User:{USER}", "*")
    denied = (AclOperation.WRITE, AclPermissionType.DENY)

    async def until(sink: KafkaSink, code: int) -> None:
        """Send until all rows have a code: a rule needs a moment to get to the broker."""
        for _ in range(1_000):
            if codes(await sink.send(numbers(range(100)))) == [code] * 100:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"rows come to have the code {code}")

    async def main() -> None:
        login = lambda: Login("SCRAM-SHA-512", USER, PASSWORD)  # noqa: E731 - one use
        sink = make(secure, "SASL_SSL", tls=trust(secure), login=login)
        await until(sink, 0)
        for made in admin.create_acls([AclBinding(*rule, *denied)]).values():
            made.result(30)
        await until(sink, 29)
        for gone in admin.delete_acls([AclBindingFilter(*rule, *denied)]).values():
            gone.result(30)
        await until(sink, 0)
        assert sink.rebuilds == 0
        await sink.close()

    asyncio.run(main())
    assert find(secure.servers, 100).lost == 0
