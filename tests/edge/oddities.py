"""What the sink makes of odd replies and of none: each a coroutine that asserts it."""

from __future__ import annotations

import asyncio

from tests.edge.servers import Peer, free_port, serving
from tests.edge.sinks import BIG, SMALL, make_sink


async def early_reply_wins() -> None:
    """A 413 and a reset before the body was read: the answer counts, not the broken pipe."""

    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        peer.reset()

    async with serving(script) as served:
        sink = make_sink([served.url])
        for _ in range(20):
            reply = await sink.send(BIG)
            assert (reply.status, reply.body, reply.fault) == (413, b"big", ""), reply
        assert served.connections == 20, "never used again"
        await sink.close()


async def early_reply_without_close() -> None:
    """A reply while the body is still on its way ends the exchange and the connection."""

    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n")
        await peer.reader.read()

    async with serving(script) as served:
        sink = make_sink([served.url])
        reply = await sink.send(BIG)
        assert (reply.status, reply.retry_after_s) == (429, 7.0)
        reply = await sink.send(BIG)
        assert (reply.status, served.connections) == (429, 2)
        await sink.close()


async def framings() -> None:
    """Chunked, interim, until-close and split replies are read as HTTP says."""
    chunks = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    replies = [
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks,
            b"abcde",
        ),
        (b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 204 Nothing\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
    ]
    turn = iter(replies)

    async def script(peer: Peer) -> None:
        await peer.hear()
        for byte in next(turn)[0]:
            await peer.say(bytes([byte]))

    async with serving(script) as served:
        sink = make_sink([served.url])
        for _, body in replies:
            reply = await sink.send(SMALL)
            assert (reply.fault, reply.body) == ("", body), reply
        await sink.close()


async def faults_after_sending() -> None:
    """What breaks after a byte was sent says so: the outcome is open."""
    large = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    replies = [
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", "short reply"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab", "short reply"),
        (b"HTTP/1.1 200", "short reply"),
        (b"220 smtp.example.com ESMTP\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, "not HTTP"),
        (large + (b"1000000\r\n" + b"z" * 0x1000000 + b"\r\n") * 5, "reply too large"),
    ]
    turn = iter(replies)

    async def script(peer: Peer) -> None:
        await peer.hear()
        await peer.say(next(turn)[0])

    async with serving(script) as served:
        for _, fault in replies:
            sink = make_sink([served.url])
            reply = await sink.send(SMALL)
            assert (reply.status, reply.fault, reply.sent) == (0, fault, True), (fault, reply.fault)
            await sink.close()


async def faults_before_sending() -> None:
    """What breaks before a byte was sent is unambiguous."""
    for url, fault in [
        (f"http://127.0.0.1:{free_port()}", "refused"),
        ("http://[::1%nowhere]:1", "dns: "),
        (f"http://{'a' * 70}.invalid:1", "dns: "),
    ]:
        sink = make_sink([url])
        reply = await sink.send(SMALL)
        assert reply.fault.startswith(fault), reply
        assert not reply.sent
        await sink.close()


async def drip_ends() -> None:
    """A server that says a byte at a time, for ever, gets no longer than the time-out."""

    async def script(peer: Peer) -> None:
        await peer.hear()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while True:
            await peer.say(b"x")
            await asyncio.sleep(0.02)

    async with serving(script) as served:
        sink = make_sink([served.url], timeout_s=0.3)
        async with asyncio.timeout(5.0):
            reply = await sink.send(SMALL)
        assert (reply.fault, reply.sent) == ("time-out", True)
        await sink.close()


async def black_hole_ends() -> None:
    """A server that reads nothing of a large body and says nothing meets the time-out too."""

    async def script(_: Peer) -> None:
        await asyncio.Event().wait()  # nobody reads: its buffer fills up, then the kernel's

    async with serving(script) as served:
        sink = make_sink([served.url], timeout_s=0.3)
        async with asyncio.timeout(5.0):
            reply = await sink.send(BIG)
        assert (reply.fault, reply.sent) == ("time-out", True)
        await sink.close()
