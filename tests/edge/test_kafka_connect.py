"""Who we are to a broker: what is shown of it, and a token that is refused."""

from __future__ import annotations

import asyncio
import logging
import ssl

import pytest
from aiokafka.errors import SaslAuthenticationFailed  # type: ignore[import-untyped]

from logagent.edge.kafka_connect import Login, Security, _Connection, _Token, connect
from logagent.edge.secrets import SecretError
from tests.edge.kafka_mock import mock_kafka


def test_a_password_is_not_shown() -> None:
    """Neither a login nor what it stands in tells its secret."""
    login = Login("PLAIN", "user", "hunter2", lambda: "hunter3")
    assert "hunter" not in f"{login!r} {Security('id', None, login)!r} {login}"


def test_protocols() -> None:
    """Kafka's name for each way to connect."""
    context, login = ssl.create_default_context(), Login("PLAIN")
    names = [
        Security("id", *both).protocol
        for both in ((None, None), (context, None), (None, login), (context, login))
    ]
    assert names == ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]


def test_tokens() -> None:
    """The first message brings the token; an answer that isn't empty is a refusal."""

    async def main() -> None:
        made = _Connection(
            "127.0.0.1",
            1,
            sasl_mechanism="OAUTHBEARER",
            sasl_oauth_token_provider=_Token(lambda: "abc"),
        )
        speaker = made.authenticator_oauth()
        assert await speaker.step(None) == (b"n,,\x01auth=Bearer abc\x01\x01", True)
        assert await speaker.step(b"") is None
        with pytest.raises(SaslAuthenticationFailed, match=r"the token was refused: .*invalid"):
            await speaker.step(b'{"status":"invalid_token"}')

    asyncio.run(main())


def test_a_token_that_cannot_be_read() -> None:
    """It is a SecretError, not something about the broker."""

    def read() -> str:
        raise SecretError("reading secret /token: it is empty")

    async def main() -> None:
        with pytest.raises(SecretError):
            await _Token(read).token()

    asyncio.run(main())


def test_the_library_says_nothing() -> None:
    """What aiokafka logs doesn't get between the agent's own lines."""

    async def main(server: str) -> None:
        host, port = server.split(":")
        made = await connect(host, int(port), Security(), request_timeout_s=1)
        made.close()

    with mock_kafka() as mock:
        asyncio.run(main(mock.servers[0]))
    heard: list[logging.LogRecord] = []

    class Ear(logging.Handler):
        """What would write to stderr."""

        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    ear = Ear()
    logging.getLogger().addHandler(ear)
    try:
        logging.getLogger("aiokafka.conn").error("something")
        logging.getLogger("aiokafka").warning("something")
    finally:
        logging.getLogger().removeHandler(ear)
    assert heard == []
