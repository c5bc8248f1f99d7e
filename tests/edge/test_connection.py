"""One connection whose peer is a socket in the test's own hands."""

from __future__ import annotations

import asyncio
import socket
import struct

import h11

from logagent.core.chunk import Reply
from logagent.edge.connection import Connection
from logagent.edge.dial import PLAIN_WAITS


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection, ours non-blocking."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.settimeout(0.0)
    return ours, theirs


def reset(sock: socket.socket) -> None:
    """Close with an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def exchange(ours: socket.socket) -> tuple[Reply, bool]:
    """One exchange over it: what came, and whether the connection can be used again."""

    async def main() -> tuple[Reply, bool]:
        loop = asyncio.get_running_loop()
        connection = Connection(ours, loop, would_block=PLAIN_WAITS, retry_after=float)
        head = h11.Request(
            method="POST", target="/", headers=[("host", "x"), ("content-length", "4")]
        )
        reply = await connection.exchange(head, b"body", loop.time() + 10.0)
        alive = connection.alive
        connection.close()
        connection.close()
        return reply, alive

    return asyncio.run(main())


def test_a_reply_beats_the_write_error() -> None:
    """What the peer said before it reset counts, though the very first write fails."""
    ours, theirs = pair()
    theirs.sendall(b"HTTP/1.1 413 Large\r\nretry-after: 3\r\ncontent-length: 3\r\n\r\nbig")
    reset(theirs)
    assert exchange(ours) == (Reply(413, b"big", 3.0, sent=True), False)


def test_a_reset_without_a_reply_is_a_fault() -> None:
    """A peer that reset before a byte left: a fault, and nothing was sent."""
    ours, theirs = pair()
    reset(theirs)
    assert exchange(ours) == (Reply(0, fault="reset", sent=False), False)


def test_half_a_reply_before_a_reset_is_short() -> None:
    """A reply that a reset cuts is not a reply."""
    ours, theirs = pair()
    theirs.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\nhalf")
    reset(theirs)
    assert exchange(ours) == (Reply(0, fault="short reply", sent=False), False)


def test_more_than_a_reply_ends_the_connection() -> None:
    """Bytes behind a reply belong to nothing that was asked: the connection isn't used again."""
    for behind, alive in ((b"", True), (b"HTTP/1.1 200 OK\r\n", False)):
        ours, theirs = pair()
        theirs.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + behind)
        reply, kept = exchange(ours)
        assert (reply.status, reply.body, kept) == (200, b"ok", alive)
        theirs.close()


def test_a_server_that_says_close_is_left() -> None:
    """`connection: close` is obeyed."""
    ours, theirs = pair()
    theirs.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    assert exchange(ours) == (Reply(200, sent=True), False)
    theirs.close()
