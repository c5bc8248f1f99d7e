"""The limit: the least that a forwarder with gzip does. FROZEN: it is never tuned, because every
target is a share of it.

It preads a file in pieces of 256 KiB, cuts nothing, compresses each piece with isal at level 1
(`wbits=29`) and posts it to the same receiver, whose answer it reads. It renders nothing and
remembers nothing. Its pieces end in mid-line, so the receiver, which takes in and inflates each of
them as it does the agent's, answers with a short 400.

There are two, which differ in how they post. `limit` posts with the standard library's client, as
whoever writes such a loop in Python does; the targets are shares of it (they were set where reading
and compressing took 249 ns a line and the limit 374, so a post cost 125 ns a line: about what
http.client takes). `bare` writes the bytes of the request to a socket itself: nothing in Python can
post for less.

    python -m bench.limit {limit,bare} FILE PORT
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from typing import Final

from isal import isal_zlib

PIECE_BYTES: Final = 256 * 1024
HEAD: Final = (
    b"POST /limit/_bulk HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-ndjson\r\n"
    b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
)


def keep_memory() -> None:
    """Set the thresholds of malloc that the agent sets: 32 MiB both."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD
        mallopt(-1, 32 << 20)  # M_TRIM_THRESHOLD


def read_answer(connection: socket.socket) -> None:
    """Read one answer to its end. Raises OSError."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += receive(connection)


def receive(connection: socket.socket) -> bytes:
    """Some bytes. Raises OSError, also when the receiver has closed."""
    data = connection.recv(64 * 1024)
    if not data:
        raise ConnectionResetError("reading an answer: closed by the receiver")
    return data


def pieces(path: str) -> Iterator[bytes]:
    """A file's pieces, compressed. Raises OSError."""
    file = os.open(path, os.O_RDONLY)
    offset = 0
    while piece := os.pread(file, PIECE_BYTES, offset):
        offset += len(piece)
        yield isal_zlib.compress(piece, 1, wbits=29)


def limit(path: str, port: int) -> None:
    """Send a file by http.client. Raises OSError."""
    from http.client import HTTPConnection  # here: the bare loop must not pay for it

    headers = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}
    connection = HTTPConnection("127.0.0.1", port)
    for body in pieces(path):
        connection.request("POST", "/limit/_bulk", body, headers)
        connection.getresponse().read()
    connection.close()


def bare(path: str, port: int) -> None:
    """Send a file by a socket alone. Raises OSError."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for body in pieces(path):
            connection.sendall(HEAD % len(body) + body)
            read_answer(connection)


if __name__ == "__main__":
    keep_memory()
    {"limit": limit, "bare": bare}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
