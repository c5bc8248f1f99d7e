"""Kafka 4.3.1 in KRaft mode, one broker or several, with TLS and SASL on request.

One broker is ready in 4 s with 200 MiB; after a kill it is back in 5 s with its data. Knows Kafka's
properties and its command lines; must not know the agent.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.e2e.servers.cache import JAVA, fetch, need, run
from tests.e2e.servers.ports import free_port
from tests.e2e.servers.process import START_S, Server
from tests.e2e.servers.rest import Rest

CLUSTER_ID: Final = "MkU3OEVBNTcwNTJENDM2Qk"
STOPPED_S: Final = 10.0
READY: Final = b"Kafka Server started"
USER: Final = "agent"
PASSWORD: Final = "agent-password"
_KAFKA: Final = "org.apache.kafka.common.security"

SECURE: Final = f"""\
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.plain.sasl.jaas.config={_KAFKA}.plain.PlainLoginModule required \
user_{USER}="{PASSWORD}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={_KAFKA}.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={_KAFKA}.scram.ScramLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=\
{_KAFKA}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
listener.name.ssl.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location=@HOME@/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=@HOME@/ca.crt
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
"""
"""The unsecured OAUTHBEARER validator is Kafka's default: tokens without a signature are right."""


class Certificates(NamedTuple):
    """PEM files: who to trust, and what a client shows."""

    ca_file: Path
    cert_file: Path
    key_file: Path


class Broker(Server):
    """One broker; it is ready when it says so."""

    def __init__(self, command: Sequence[str], *, ports: Mapping[str, int], log: Path) -> None:
        super().__init__(command, rest=Rest(f"http://127.0.0.1:{ports['PLAINTEXT']}"), log=log)
        self.ports = ports
        """By the name of the listener."""
        self._said_before = 0
        self._waits = True

    def address(self, listener: str = "PLAINTEXT") -> str:
        """Where a listener is, as host:port."""
        return f"127.0.0.1:{self.ports[listener]}"

    def start(self) -> None:
        """See `Server.start`."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start it and return at once: one that needs a majority isn't ready before the others."""
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        self._waits = False
        super().start()
        self._waits = True

    def wait_ready(self) -> None:
        """Return when it is ready; raises StartError, with the log, when it won't be."""
        assert self._process is not None, "not started"
        self._wait_ready(self._process, time.monotonic() + START_S)

    def freeze(self) -> None:
        """Stop it where it is (SIGSTOP), and return when each of its threads has stopped:
        connections stay, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + STOPPED_S
        threads = Path(f"/proc/{self.pid}/task")
        while any(_state(thread) not in "TZX" for thread in threads.iterdir()):
            assert time.monotonic() < deadline, "a stopped process stops"
            time.sleep(0.001)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        return not self._waits or READY in self.log.read_bytes()[self._said_before :]


class Kafka:
    """Running brokers, numbered from 1 in their order."""

    def __init__(self, brokers: Sequence[Broker], certificates: Certificates | None) -> None:
        self.brokers = brokers
        self._certificates = certificates

    @property
    def certificates(self) -> Certificates:
        """Of a secure cluster."""
        assert self._certificates is not None, "started without TLS"
        return self._certificates

    @property
    def servers(self) -> list[str]:
        """Where everybody may do everything, without TLS."""
        return self.servers_of("PLAINTEXT")

    def servers_of(self, listener: str) -> list[str]:
        """Where clients of a kind connect to: PLAINTEXT, SSL (wants a certificate), SASL_SSL."""
        return [broker.address(listener) for broker in self.brokers]


@contextmanager
def kafka(
    home: Path, *, brokers: int = 1, secure: bool = False, proxied: tuple[int, int] | None = None
) -> Iterator[Kafka]:
    """A running cluster with its data below `home`. secure: USER with PASSWORD over SASL_SSL,
    client certificates over SSL; topics then have ACLs, and PLAINTEXT is the administrator's.

    proxied: one more listener, on the first of these ports, that tells clients to come to the
    second. With three brokers and a replication factor of 3, two replicas must have a record.
    """
    home.mkdir(parents=True, exist_ok=True)
    certificates = _write_certificates(home) if secure else None
    listeners = ("PLAINTEXT", "SSL", "SASL_SSL") if secure else ("PLAINTEXT",)
    ports = [{name: free_port() for name in (*listeners, "CONTROLLER")} for _ in range(brokers)]
    voters = ",".join(f"{i + 1}@127.0.0.1:{each['CONTROLLER']}" for i, each in enumerate(ports))
    running: list[Broker] = []
    try:
        for index, own in enumerate(ports):
            values = {
                "NODE": str(index + 1),
                "VOTERS": voters,
                "LISTENERS": _listeners(own, listeners, proxied and proxied[0]),
                "ADVERTISED": _listeners(own, listeners, proxied and proxied[1]),
                "CONTROLLER": str(own["CONTROLLER"]),
                "DATA": str(home / f"data-{index + 1}"),
                "INSYNC": str(min(2, brokers)),
                "HOME": str(home),
            }
            running.append(_prepare(home, values, own, secure=secure))
        for broker in running:
            broker.launch()
        for broker in running:
            broker.wait_ready()
        yield Kafka(running, certificates)
    finally:
        # In order they would wait for each other's hand-over.
        for broker in running:
            broker.kill()


def _listeners(own: Mapping[str, int], names: Sequence[str], proxied: int | None) -> str:
    """Listeners as Kafka's properties want them."""
    found = {name: own[name] for name in names} | ({"PROXIED": proxied} if proxied else {})
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in found.items())


def _prepare(
    home: Path, values: Mapping[str, str], ports: Mapping[str, int], *, secure: bool
) -> Broker:
    """Write a broker's properties and format its data."""
    text = (JAVA / "kafka.properties").read_text() + (SECURE if secure else "")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    properties = home / f"broker-{values['NODE']}.properties"
    properties.write_text(text)
    jars = fetch("kafka")
    tool = [*_java(jars, 128), "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID]
    scram = [f"SCRAM-SHA-{n}=[name={USER},password={PASSWORD}]" for n in (256, 512)]
    users = [word for each in scram for word in ("--add-scram", each)] if secure else []
    run([*tool, "-c", str(properties), *users])
    # It doesn't end when its input does, as our launchers: the kernel ends it when pytest does.
    command = [need("setpriv"), "--pdeathsig=KILL", *_java(jars, 384)]
    return Broker(
        [*command, "kafka.Kafka", str(properties)],
        ports=ports,
        log=home / f"broker-{values['NODE']}.log",
    )


def _state(thread: Path) -> str:
    """The letter of a thread's state (proc(5)); X when it has ended."""
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _java(jars: Path, heap_mib: int) -> list[str]:
    """Java for a broker or a tool of it. Start-up counts more than peak speed."""
    return [
        need("java"),
        f"-Xmx{heap_mib}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        f"{jars}/*",
    ]


def _write_certificates(home: Path) -> Certificates:
    """An authority, the server's certificate and key in one file, a client's in two."""
    authority = trustme.CA()
    ca_file, cert_file, key_file = (home / name for name in ("ca.crt", "client.crt", "client.key"))
    authority.cert_pem.write_to_path(str(ca_file))
    server = authority.issue_cert("127.0.0.1", "localhost")
    chain = b"".join(each.bytes() for each in server.cert_chain_pems)
    # Kafka reads keys as PKCS 8 only.
    key = load_pem_private_key(server.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (home / "server.pem").write_bytes(pem + chain)
    client = authority.issue_cert("agent@logagent.example")
    client.private_key_pem.write_to_path(str(key_file))
    client.cert_chain_pems[0].write_to_path(str(cert_file))
    return Certificates(ca_file, cert_file, key_file)
