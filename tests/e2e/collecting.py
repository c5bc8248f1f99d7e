"""A server that takes whatever the agent sends by HTTP and counts the numbered lines in it.

Knows the reply that each kind of output wants to hear, and the numbers that the demo's writer puts
into its lines. Strict servers and real ones stand in `servers/`; this one is for faults in between.
"""

from __future__ import annotations

import gzip
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from tests.fakes.serving import Handler, serving

NUMBER: Final = re.compile(rb"seq=(\d+) writer=")


class Answer(NamedTuple):
    """What is said to a request that is taken."""

    status: int
    body: bytes


ANSWERS: Final = {
    "splunk_hec": Answer(200, b'{"text":"Success","code":0}'),
    "loki": Answer(204, b""),
    "otlp_http": Answer(200, b"{}"),
    "http": Answer(200, b""),
    "s3": Answer(200, b""),
}


class Collector:
    """Counts of lines by number, for each kind. token: the only one that is let in, if any."""

    def __init__(self, token: str = "") -> None:
        self.port = 0
        self.token = token
        self.refused = 0
        """How many requests had another token."""
        self._counts: dict[str, Counter[int]] = {kind: Counter() for kind in ANSWERS}
        self._lock = threading.Lock()

    def take(self, kind: str, body: bytes) -> Answer:
        """Count the lines of a request."""
        numbers = [int(number) for number in NUMBER.findall(body)]
        with self._lock:
            self._counts[kind].update(numbers)
        return ANSWERS[kind]

    def distinct(self, kind: str) -> int:
        """How many different lines arrived."""
        with self._lock:
            return len(self._counts[kind])

    def doubled(self, kind: str) -> int:
        """How many lines arrived more than once."""
        with self._lock:
            return sum(count > 1 for count in self._counts[kind].values())


@contextmanager
def collecting(token: str = "") -> Iterator[Collector]:
    """A running collector; see Collector."""
    collector = Collector(token)

    class Takes(Handler):
        """The first part of a path is the kind."""

        def do_POST(self) -> None:
            """Take a request."""
            length = int(self.headers["content-length"] or -1)
            body = self.rfile.read(max(length, 0))
            if len(body) != length:  # a proxy has cut it short
                self.close_connection = True
                return
            if self.headers.get("content-encoding") == "gzip" or body[:2] == b"\x1f\x8b":
                body = gzip.decompress(body)
            answer = Answer(401, b"")
            wanted = f"Bearer {collector.token}"
            if not collector.token or self.headers["authorization"] == wanted:
                answer = collector.take(self.path.split("/")[1], body)
            else:
                collector.refused += 1
            self.send_response(answer.status)
            if answer.status != 204:
                self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_PUT = do_POST

    with serving(Takes) as collector.port:
        yield collector
