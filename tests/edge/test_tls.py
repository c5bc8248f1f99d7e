"""TLS: who is trusted, by what name, and what is said when nobody is."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import trustme

from logagent.edge.http import HttpSink
from logagent.edge.tls import context
from tests.edge.servers import OK, Peer, polite, serving
from tests.edge.sinks import BIG, SMALL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from logagent.core.chunk import Reply, Request


class Files(NamedTuple):
    """An authority's certificate, and a client's certificate and key it has signed."""

    ca: str
    cert: str
    key: str


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Whom the server's certificate comes from."""
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> Files:
    """What a client needs, as files."""
    client = authority.issue_cert("agent@example.com")
    found = Files(*(str(tmp_path / name) for name in Files._fields))
    authority.cert_pem.write_to_path(found.ca)
    client.cert_chain_pems[0].write_to_path(found.cert)
    client.private_key_pem.write_to_path(found.key)
    return found


def server_side(authority: trustme.CA, *names: str, demand: bool = False) -> ssl.SSLContext:
    """A server's context for these names; `demand` asks clients for a certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(made)
    if demand:
        authority.configure_trust(made)
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def ask(
    side: ssl.SSLContext,
    client: Callable[[], ssl.SSLContext],
    *,
    name: str = "127.0.0.1",
    script: Callable[[Peer], Awaitable[None]] = polite,
    request: Request = SMALL,
) -> list[Reply]:
    """Two exchanges in a row with a server of that context, reached under that name."""

    async def main() -> list[Reply]:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's, not ours
        async with serving(script, side) as served:
            sink = HttpSink([f"https://{name}:{served.port}"], "/x", headers={}, tls=client)
            replies = [await sink.send(request) for _ in range(2)]
            await sink.close()
            return replies

    return asyncio.run(main())


def test_a_trusted_server_is_spoken_to(authority: trustme.CA, files: Files) -> None:
    """The right authority and an address in the certificate: replies come, large bodies too."""
    for request in (SMALL, BIG):
        replies = ask(
            server_side(authority, "127.0.0.1"), lambda: context(files.ca), request=request
        )
        assert [(reply.status, reply.fault) for reply in replies] == [(200, "")] * 2


def test_a_wrong_name_is_refused(authority: trustme.CA, files: Files) -> None:
    """A certificate for another name, and for another address, is refused before a byte is sent."""
    for names, url in ((("es-1.example.com",), "localhost"), (("localhost",), "127.0.0.1")):
        replies = ask(server_side(authority, *names), lambda: context(files.ca), name=url)
        assert replies[0].fault.startswith("tls: ")
        assert "mismatch" in replies[0].fault
        assert not replies[0].sent


def test_an_unknown_authority_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    """A certificate of somebody else's authority is refused; with verify=False it isn't."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other"))
    side = server_side(authority, "127.0.0.1")
    replies = ask(side, lambda: context(str(tmp_path / "other")))
    assert replies[0].fault.startswith("tls: ")
    assert "certificate" in replies[0].fault
    assert not replies[0].sent
    trusting = ask(side, lambda: context(verify=False))
    assert trusting[0].status == 200


def test_a_client_certificate_is_shown(authority: trustme.CA, files: Files) -> None:
    """A server that demands a certificate gets ours; without one its alert is what is said."""
    side = server_side(authority, "127.0.0.1", demand=True)
    replies = ask(side, lambda: context(files.ca, files.cert, files.key))
    assert [reply.status for reply in replies] == [200, 200]


def test_a_missing_client_certificate_is_said(authority: trustme.CA, files: Files) -> None:
    """The alert of a server that demands a certificate comes after the handshake, and is told."""
    side = server_side(authority, "127.0.0.1", demand=True)

    def refuse(listener: socket.socket) -> None:
        # Not asyncio: its servers drop the alert of a failed handshake.
        plain, _ = listener.accept()
        with plain, contextlib.suppress(ssl.SSLError):
            side.wrap_socket(plain, server_side=True)

    async def main(listener: socket.socket) -> None:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        sink = HttpSink([url], "/x", headers={}, tls=lambda: context(files.ca))
        refusing = asyncio.create_task(asyncio.to_thread(refuse, listener))
        reply = await sink.send(SMALL)
        assert reply.fault.startswith("tls: ")
        assert "certificate required" in reply.fault
        await refusing
        await sink.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        asyncio.run(main(listener))


def test_old_protocols_are_refused(authority: trustme.CA, files: Files) -> None:
    """A server that speaks TLS 1.2 is spoken to, and nothing older is offered."""
    side = server_side(authority, "127.0.0.1")
    side.maximum_version = ssl.TLSVersion.TLSv1_2
    made = context(files.ca)
    assert ask(side, lambda: made)[0].status == 200
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_server_without_tls_is_a_fault(files: Files) -> None:
    """A server that answers in plain text gives a fault about TLS, not about HTTP."""

    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def main() -> None:
        async with serving(script) as served:
            url = served.url.replace("http:", "https:")
            sink = HttpSink([url], "/x", headers={}, tls=lambda: context(files.ca))
            reply = await sink.send(SMALL)
            assert reply.fault.startswith("tls: ")
            assert not reply.sent
            await sink.close()

    asyncio.run(main())


def test_an_early_reply_wins_over_tls_too(authority: trustme.CA, files: Files) -> None:
    """A 413 and a reset before the body was read: the answer counts."""

    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        peer.reset()

    side = server_side(authority, "127.0.0.1")
    replies = ask(side, lambda: context(files.ca), script=script, request=BIG)
    assert [(reply.status, reply.body) for reply in replies] == [(413, b"big")] * 2


def test_a_handshake_that_never_ends_is_bounded(files: Files) -> None:
    """A server that accepts and says nothing costs the connect time-out."""

    async def script(_: Peer) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with serving(script) as served:
            url = served.url.replace("http:", "https:")
            make = lambda: context(files.ca)  # noqa: E731
            sink = HttpSink([url], "/x", headers={}, tls=make, connect_timeout_s=0.2)
            reply = await sink.send(SMALL)
            assert (reply.fault, reply.sent) == ("connect time-out", False)
            await sink.close()

    asyncio.run(main())


def test_refresh_reads_the_certificates_again(authority: trustme.CA, files: Files) -> None:
    """A CA file that is wrong is a fault that names it; once mended, `refresh` is enough, and kept
    connections aren't used on."""

    async def main() -> None:
        async with serving(polite, server_side(authority, "127.0.0.1")) as served:
            url = served.url.replace("http:", "https:")
            path = files.key
            sink = HttpSink([url], "/x", headers={}, tls=lambda: context(path))
            reply = await sink.send(SMALL)
            assert reply.fault.startswith(f"tls: loading CA file {files.key}")
            path = files.ca
            assert (await sink.send(SMALL)).status == 200
            await sink.refresh()
            assert (await sink.send(SMALL)).status == 200
            assert served.connections == 2
            await sink.close()

    asyncio.run(main())


def test_refresh_in_mid_exchange_ends_the_connection(authority: trustme.CA, files: Files) -> None:
    """A connection that is busy while certificates change gets its reply and isn't kept."""
    heard = asyncio.Event()
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.hear()
        heard.set()
        await go.wait()
        await peer.say(OK)
        await peer.reader.read()

    async def main() -> None:
        async with serving(script, server_side(authority, "127.0.0.1")) as served:
            url = served.url.replace("http:", "https:")
            sink = HttpSink([url], "/x", headers={}, tls=lambda: context(files.ca))
            task = asyncio.create_task(sink.send(SMALL))
            await heard.wait()
            await sink.refresh()
            go.set()
            assert (await task).status == 200
            assert sink._nodes[0].idle == []
            await sink.close()

    asyncio.run(main())


def test_bad_files_are_named(files: Files, tmp_path: Path) -> None:
    """Each file that is missing or isn't what it should be is named, and what is wrong with it."""
    junk = str(tmp_path / "junk")
    with open(junk, "wb") as file:
        file.write(b"\xff\xfe not a certificate")
    gone = str(tmp_path / "gone")

    def check(why: str, *args: str | None) -> None:
        with pytest.raises((ValueError, OSError), match=why) as caught:
            context(*args)
        assert str(tmp_path) in str(caught.value)

    check("loading CA file .*junk: not PEM", junk)
    check("No such file.*gone", gone)
    check("loading certificate .*junk", files.ca, junk)
    check("No such file.*gone", files.ca, files.cert, gone)
    check("needs|must go with it", files.ca, None, files.key)
    check("loading certificate .*mismatch", files.ca, files.ca, files.key)
