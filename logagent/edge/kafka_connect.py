"""Connecting to a Kafka broker: TCP, TLS, versions, SASL; by aiokafka's connection.

Knows how to say who we are. Must not know what is asked on a connection afterwards.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka.abc import AbstractTokenProvider  # type: ignore[import-untyped]
from aiokafka.client import log as _library_log  # type: ignore[import-untyped]
from aiokafka.conn import (  # type: ignore[import-untyped]
    AIOKafkaConnection,
    OAuthAuthenticator,
)
from aiokafka.errors import SaslAuthenticationFailed  # type: ignore[import-untyped]

if TYPE_CHECKING:
    import ssl

CONNECT_S: Final = 10.0
"""TCP, TLS, versions and SASL of one connection."""
IDLE_S: Final = 540.0
"""Brokers close connections that idled 600 s (connections.max.idle.ms)."""

# What it says goes to stderr as it is; the same is in our faults and codes.
_library_log.addHandler(logging.NullHandler())
_library_log.propagate = False


class Login(NamedTuple):
    """Who we are: user and password, or for OAUTHBEARER what reads the token (each connection asks
    again)."""

    mechanism: str
    username: str = ""
    password: str = ""
    token: Callable[[], str] | None = None

    def __repr__(self) -> str:
        return f"Login({self.mechanism})"


class Security(NamedTuple):
    """How to connect. client_id: what brokers call us in their logs and quotas."""

    client_id: str = "logagent"
    context: "ssl.SSLContext | None" = None
    login: Login | None = None

    @property
    def protocol(self) -> str:
        """Kafka's name for it."""
        return ("SASL_" if self.login else "") + ("SSL" if self.context else "PLAINTEXT")


async def connect(
    host: str, port: int, security: Security, *, request_timeout_s: float
) -> AIOKafkaConnection:
    """A new connection, logged in. Raises what aiokafka, OpenSSL and sockets do."""
    login = security.login or Login("PLAIN")
    made = _Connection(
        host,
        port,
        client_id=security.client_id,
        request_timeout_ms=int(request_timeout_s * 1000),
        ssl_context=security.context,
        security_protocol=security.protocol,
        max_idle_ms=int(IDLE_S * 1000),
        sasl_mechanism=login.mechanism,
        sasl_plain_username=login.username,
        sasl_plain_password=login.password,
        sasl_oauth_token_provider=_Token(login.token) if login.token else None,
    )
    async with asyncio.timeout(CONNECT_S):
        await made.connect()
    return made


def abort(connection: AIOKafkaConnection) -> None:
    """Close without waiting for a peer that may be gone."""
    # aiokafka has no public way: its close waits for TLS.
    writer = connection._writer  # noqa: SLF001
    connection.close()
    if writer is not None:
        writer.transport.abort()


class _Connection(AIOKafkaConnection):  # type: ignore[misc]
    """aiokafka's, but for a refused token."""

    def authenticator_oauth(self) -> "_OAuth":
        """What speaks OAUTHBEARER."""
        return _OAuth(sasl_oauth_token_provider=self._sasl_oauth_token_provider)


class _OAuth(OAuthAuthenticator):  # type: ignore[misc]
    """A broker refuses a token in a successful answer that isn't empty (RFC 7628, 3.2.2), which
    aiokafka takes for a welcome."""

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """The next message. Raises SaslAuthenticationFailed, SecretError."""
        if payload:
            said = payload.decode("utf-8", "replace")
            raise SaslAuthenticationFailed(f"the token was refused: {said}")
        following: tuple[bytes, bool] | None = await super().step(payload)
        return following


class _Token(AbstractTokenProvider):  # type: ignore[misc]
    """aiokafka's shape for a function that reads a token."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    async def token(self) -> str:
        """The token as it is now. Raises SecretError."""
        return self._read()
