"""The HTTP sink against servers that behave, misbehave and vanish."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from logagent.edge.http import RETRY_AFTER_MAX_S, HttpSink, retry_after
from logagent.edge.secrets import SecretError
from tests.edge import exchanges
from tests.edge.servers import OK, Peer, polite, serving
from tests.edge.sinks import SMALL, make_sink

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


@pytest.mark.parametrize("scenario", exchanges.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_exchange(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    """Each exchange ends as its docstring says, on asyncio's loop."""
    asyncio.run(scenario())


@pytest.mark.slow
def test_exchanges_on_uvloop() -> None:
    """All exchanges end the same way on uvloop."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.edge.exchanges"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_secret_is_a_fault_until_it_is_there() -> None:
    """`auth` is asked again at each call while it raises, then not until `refresh`."""
    asked = 0

    def auth() -> str:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise SecretError("reading secret /x: No such file or directory")
        return f"ApiKey {asked}"

    async def main() -> None:
        async with serving(polite) as served:
            sink = make_sink([served.url], auth=auth)
            reply = await sink.send(SMALL)
            assert reply.fault == "secret: reading secret /x: No such file or directory"
            assert not reply.sent
            assert sink.states()[0].failures == 0, "not the host's fault"
            for _ in range(3):
                assert (await sink.send(SMALL)).status == 200
            assert asked == 2
            await sink.refresh()
            assert (await sink.send(SMALL)).status == 200
            assert asked == 3
            await sink.close()

    asyncio.run(main())


def test_close_lets_an_exchange_end() -> None:
    """A sink closed in mid-exchange still gets the reply and keeps no connection."""
    heard = asyncio.Event()
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.hear()
        heard.set()
        await go.wait()
        await peer.say(OK)
        await peer.reader.read()

    async def main() -> None:
        async with serving(script) as served:
            sink = make_sink([served.url])
            task = asyncio.create_task(sink.send(SMALL))
            await heard.wait()
            await sink.close()
            go.set()
            assert (await task).status == 200
            assert sink._nodes[0].idle == []

    asyncio.run(main())


def test_idle_connections_are_swept() -> None:
    """A connection that idled too long is closed by the timer; a younger one stays."""

    async def main() -> None:
        async with serving(polite) as one, serving(polite) as two:
            sink = make_sink([one.url, two.url])
            await sink.send(SMALL)
            await sink.send(SMALL)
            sink._nodes[0].idle[0].idle_since -= 61.0
            sink._sweep()
            assert [len(node.idle) for node in sink._nodes] == [0, 1]
            await sink.close()

    asyncio.run(main())


def test_retry_after() -> None:
    """Seconds and dates are understood, nonsense is 0, and nobody is sent away for ever."""

    def check(text: str, expected: float) -> None:
        assert retry_after(text, 1_000_000.0) == expected

    check("120", 120.0)
    check(" 0 ", 0.0)
    check("9" * 400, RETRY_AFTER_MAX_S)
    check(formatdate(1_000_090, usegmt=True), 90.0)
    check(formatdate(999_000, usegmt=True), 0.0)
    check("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MAX_S)
    for nonsense in ("", "-5", "soon", "1.5", "٣", "Fri, 99 Xyz"):
        check(nonsense, 0.0)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("es-1:9200", "must start with"),
        ("ftp://es-1", "must start with"),
        ("https://user:pass@es-1", "credentials"),
        ("https://", "expected scheme"),
        ("https://es-1/?a=1", "expected scheme"),
        ("https://es-1:99999", "port"),
        ("https://es-1/a b", "printable"),
    ],
)
def test_bad_hosts(url: str, why: str) -> None:
    """A host that can't work is refused at once, and credentials in it aren't repeated."""
    with pytest.raises(ValueError, match=why) as caught:
        HttpSink([url], "/_bulk", headers={})
    assert "pass@" not in str(caught.value)
