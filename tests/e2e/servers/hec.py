"""An HTTP Event Collector written from Splunk's documentation, stricter than its look-alikes.

Each rule has its source in a comment, by the names of pages that `hec_rules` lists. Knows nothing
of the agent. Where a page is silent, the rule is the one that costs a careless client most, and
says so.
"""

from __future__ import annotations

import gzip
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.e2e.servers.hec_rules import CODES, Event, Refused, Token, check_event, parse
from tests.fakes.serving import Handler, serving

EVENT_PATHS: Final = {"/services/collector", "/services/collector/event"}  # REST
ACK_PATH: Final = "/services/collector/ack"
HEALTH_PATH: Final = "/services/collector/health"

Indexing = Literal["prompt", "late", "lost"]
"""What happens to events after their receipt: indexed at once; indexed when `index` is called;
gone, as in an indexer that crashes (ACK: "events can be lost before Splunk indexes them")."""


class Batch(NamedTuple):
    """A receipt's events, and whether they are indexed."""

    events: list[Event]
    indexed: bool


class Collector:
    """A collector's state; everything may be changed while it runs."""

    def __init__(self, tokens: dict[str, Token]) -> None:
        self.port = 0
        self.tokens = tokens
        self.indexing: Indexing = "prompt"
        self.busy = False
        self.bytes_max = 1 << 30
        self.poison = ""
        """An event with this text is invalid: it stands for whatever a parser stumbles over."""
        self.indexed: list[Event] = []
        """What a search would find."""
        self.codes: list[int] = []
        """Of all replies to events, in order."""
        self.questions = 0
        self.channels: dict[tuple[str, str], list[Batch]] = {}
        """Receipts by token and channel; an ackId is a place in the list. ACK: ids are per channel,
        and channels are the indexer's own."""
        self._told: set[tuple[str, str, int]] = set()
        self._lock = threading.RLock()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def index(self) -> None:
        """Index what was received and isn't yet."""
        with self._lock:
            for batches in self.channels.values():
                for at, batch in enumerate(batches):
                    if not batch.indexed:
                        self.indexed += batch.events
                        batches[at] = Batch([], indexed=True)

    def open(self) -> int:
        """How many receipts wait to be indexed."""
        with self._lock:
            return sum(not b.indexed for batches in self.channels.values() for b in batches)

    def take(self, headers: dict[str, str], body: bytes) -> dict[str, object]:
        """Receive a request's events. Raises Refused."""
        with self._lock:
            name = self._token(headers)
            channel = self._channel(name, headers.get("x-splunk-request-channel", ""))
            if self.busy:
                raise Refused(9)
            if not body:
                raise Refused(5)
            events: list[Event] = []
            try:
                for number, event in enumerate(parse(body)):
                    events.append(check_event(self.tokens[name], event, number))
                    if self.poison and self.poison in json.dumps(event):
                        events.pop()
                        raise Refused(6, number)
            finally:
                # No page says what becomes of the events in front of an invalid one: here they
                # are taken, so that a client that sends them again makes duplicates, and one that
                # takes the refusal for all of them loses nothing by luck.
                reply = self._receive(name, channel, events)
            return reply

    def granted(self, headers: dict[str, str], query: str, body: bytes) -> dict[str, object]:
        """Answer which ids are indexed. Raises Refused."""
        with self._lock:
            name = self._token(headers)
            if not self.tokens[name].acks:
                raise Refused(14)
            # ACK: the channel is a header or a parameter of the query.
            given = parse_qs(query).get("channel", [""])[0]
            channel = self._channel(name, given or headers.get("x-splunk-request-channel", ""))
            try:
                ids = json.loads(body)["acks"]
            except (ValueError, KeyError, TypeError):
                raise Refused(6) from None
            self.questions += 1
            return {"acks": {str(number): self._tell(name, channel, number) for number in ids}}

    def _tell(self, token: str, channel: str, number: int) -> bool:
        """ACK: true once indexed; the status is deleted when the client has got it."""
        batches = self.channels.get((token, channel), [])
        if not 0 <= number < len(batches) or not batches[number].indexed:
            return False
        if (token, channel, number) in self._told:
            return False
        self._told.add((token, channel, number))
        return True

    def _token(self, headers: dict[str, str]) -> str:
        given = headers.get("authorization", "")
        if not given:
            raise Refused(2)
        scheme, _, name = given.partition(" ")
        if scheme != "Splunk" or not name:  # FORMAT: "Authorization: Splunk <hec_token>"
            raise Refused(3)
        if name not in self.tokens:
            raise Refused(4)
        if self.tokens[name].disabled:
            raise Refused(1)
        return name

    def _channel(self, token: str, given: str) -> str:
        if not given:
            if self.tokens[token].acks:
                raise Refused(10)  # ACK: requests with such a token must have a channel
            return ""
        try:
            return str(uuid.UUID(given))  # FORMAT: a channel is a GUID
        except ValueError:
            raise Refused(11) from None

    def _receive(self, token: str, channel: str, events: list[Event]) -> dict[str, object]:
        done = self.indexing == "prompt"
        if done:
            self.indexed += events
        reply: dict[str, object] = {"text": "Success", "code": 0}
        if self.tokens[token].acks:
            kept = events if self.indexing == "late" else []
            batches = self.channels.setdefault((token, channel), [])
            if self.indexing == "lost":
                # Never indexed, whatever `index` does afterwards: no receipt of it is kept.
                self._told.add((token, channel, len(batches)))
            batches.append(Batch(kept, indexed=done))
            reply["ackId"] = len(batches) - 1
        return reply


@contextmanager
def collecting(tokens: dict[str, Token], port: int = 0) -> Iterator[Collector]:
    """A running collector."""
    collector = Collector(tokens)
    handler = type("Handler", (_Handler,), {"collector": collector})
    with serving(handler, port) as collector.port:
        yield collector


class _Handler(Handler):
    """The end points."""

    collector: Collector

    def do_GET(self) -> None:
        """Health needs no token (REST)."""
        if urlsplit(self.path).path != HEALTH_PATH:
            return self._say(404, {"text": "The requested URL was not found", "code": 404})
        return self._code(18 if self.collector.busy else 17)

    def do_POST(self) -> None:
        """Events, and the question for acknowledgements."""
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = urlsplit(self.path)
        if length > self.collector.bytes_max:
            return self._say(413, {"text": "Content-Length too large", "code": 413})
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            if url.path == ACK_PATH:
                return self._say(200, self.collector.granted(headers, url.query, body))
            if url.path not in EVENT_PATHS:
                return self._say(404, {"text": "The requested URL was not found", "code": 404})
            reply = self.collector.take(headers, body)
            self.collector.codes.append(0)
            return self._say(200, reply)
        except Refused as refused:
            if url.path != ACK_PATH:
                self.collector.codes.append(refused.code)
            return self._code(refused.code, refused.event)

    def _code(self, code: int, event: int | None = None) -> None:
        status, text = CODES[code]
        number = {} if event is None else {"invalid-event-number": event}
        self._say(status, {"text": text, "code": code, **number})

    def _say(self, status: int, reply: dict[str, object]) -> None:
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""
