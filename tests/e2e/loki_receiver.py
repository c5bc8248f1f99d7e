"""A Loki as strict as the real one, written from its sources: what it stores, drops and says.

Source: see logagent/codecs/loki.py and loki_reply.py. It keeps equal entries once, refuses old ones
and stores the rest of such a request, limits rates by storing a part, and answers for the last
stream of a request only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from tests.fakes.serving import Handler, serving

PUSH: Final = "/loki/api/v1/push"
Stream = tuple[tuple[str, str], ...]


class Loki:
    """What is stored. oldest_ns: entries before it are too far behind; limited: so many streams to
    come are cut short by their rate limit."""

    def __init__(self) -> None:
        self.url = ""
        self.stored: dict[Stream, dict[tuple[int, str], None]] = {}
        self.requests = 0
        self.tenants: set[str | None] = set()
        self.oldest_ns = 0
        self.limited = 0
        self.lock = Lock()

    def lines(self) -> list[str]:
        """All lines of all streams."""
        with self.lock:
            return [line for entries in self.stored.values() for _, line in entries]

    def push(self, body: bytes) -> tuple[int, str]:
        """Store what a body holds; status and text."""
        status, text = 204, ""
        with self.lock:
            self.requests += 1
            for each in json.loads(body)["streams"]:
                labels: Stream = tuple(sorted(each["stream"].items()))
                assert labels, "error at least one label pair is required per stream"
                status, text = self._append(labels, each["values"])
        return status, text

    def _append(self, labels: Stream, values: list[list[str]]) -> tuple[int, str]:
        stream = self.stored.setdefault(labels, {})
        cut = len(values)
        if self.limited and len(values) > 1:
            self.limited -= 1
            cut //= 2
        old = 0
        for ns, line in values[:cut]:
            assert isinstance(ns, str)
            if int(ns) < self.oldest_ns:
                old += 1
            else:
                stream[int(ns), line] = None
        name = "{" + ", ".join(f'{key}="{value}"' for key, value in labels) + "}"
        if cut < len(values):
            return 429, f"Per stream rate limit exceeded (limit: 3MB/sec) for stream '{name}'"
        if old:
            counted = f"total ignored: {old} out of {len(values)} for stream: {name}"
            reason = "entry too far behind, entry timestamp is: X, oldest acceptable: Y"
            return 400, f"entry with timestamp X ignored, reason: '{reason}',\nuser 'u', {counted}"
        return 204, ""


@contextmanager
def loki() -> Iterator[Loki]:
    """A running one."""
    state = Loki()

    class Push(Handler):
        def do_POST(self) -> None:
            body = self.body()
            assert (self.path, self.headers["content-type"]) == (PUSH, "application/json")
            state.tenants.add(self.headers.get("x-scope-orgid"))
            status, text = state.push(body)
            self.send_response(status)
            if status != 204:
                self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

    with serving(Push) as port:
        state.url = f"http://127.0.0.1:{port}"
        yield state
