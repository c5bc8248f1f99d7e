"""A server that answers questions as a test wants, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from tests.fakes import serving as server
from tests.fakes.serving import Handler


class Asked(NamedTuple):
    """One request. `headers` by lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Served(NamedTuple):
    """A running server: where it is, and what it was asked so far."""

    url: str
    asked: list[Asked]


@contextmanager
def serving(answers: Mapping[str, tuple[int, bytes]]) -> Iterator[Served]:
    """Serve answers by "METHOD /path" or, for any method, "/path"; 404 else.

    If there is a "key" among them, 401 to whoever doesn't bring its text as Authorization. A 302
    leads to /elsewhere.
    """
    asked: list[Asked] = []

    class Answers(Handler):
        protocol_version = "HTTP/1.0"  # urllib asks once a connection

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked.append(Asked(self.command, self.path, headers, body))
            by_path = answers.get(self.path, (404, b"{}"))
            status, reply = answers.get(f"{self.command} {self.path}", by_path)
            key = answers.get("key")
            if key and headers.get("authorization") != key[1].decode():
                status, reply = 401, b"{}"
            self.send_response(status)
            self.send_header("Content-Length", str(len(reply)))
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = handle_one

    with server.serving(Answers) as port:
        yield Served(f"http://127.0.0.1:{port}", asked)
