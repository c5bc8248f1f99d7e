"""What the strict collector of `hec.py` takes and refuses: pure, one event at a time.

The pages are Splunk's "Getting Data In" at help.splunk.com: FORMAT "Format events for HTTP Event
Collector", CODES "Troubleshoot HTTP Event Collector", section "Possible error codes", ACK "About
HTTP Event Collector Indexer Acknowledgment", REST "HTTP Event Collector REST API endpoints".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, NamedTuple

CODES: Final = {  # CODES
    0: (200, "Success"),
    1: (403, "Token disabled"),
    2: (401, "Token is required"),
    3: (401, "Invalid authorization"),
    4: (403, "Invalid token"),
    5: (400, "No data"),
    6: (400, "Invalid data format"),
    7: (400, "Incorrect index"),
    9: (503, "Server is busy"),
    10: (400, "Data channel is missing"),
    11: (400, "Invalid data channel"),
    12: (400, "Event field is required"),
    13: (400, "Event field cannot be blank"),
    14: (400, "ACK is disabled"),
    15: (400, "Error in handling indexed fields"),
    17: (200, "HEC is healthy"),
    18: (503, "HEC is unhealthy, queues are full"),
}
KEYS: Final = {"time", "host", "source", "sourcetype", "index", "fields", "event"}  # FORMAT
TEXTS: Final = ("host", "source", "sourcetype", "index")

Event = dict[str, object]


class Token(NamedTuple):
    """What an administrator sets for a token. indexes: those it may name; empty = any."""

    acks: bool = False
    disabled: bool = False
    indexes: frozenset[str] = frozenset()


class Refused(Exception):
    """A code other than success, and which event is to blame."""

    def __init__(self, code: int, event: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.event = event


def check_event(token: Token, event: object, number: int) -> Event:
    """An event that the collector takes from this token. Raises Refused for any other."""
    if not isinstance(event, dict) or not event.keys() <= KEYS:
        raise Refused(6, number)
    if "event" not in event:
        raise Refused(12, number)
    if event["event"] in ("", None):
        raise Refused(13, number)
    time = event.get("time", 0)
    if isinstance(time, bool) or not isinstance(time, (int, float)) or time < 0:
        raise Refused(6, number)  # FORMAT: epoch time, <sec>.<ms>
    if not all(isinstance(event.get(key, ""), str) for key in TEXTS):
        raise Refused(6, number)
    fields = event.get("fields", {})
    if not isinstance(fields, dict) or not all(flat(value) for value in fields.values()):
        raise Refused(15, number)  # FORMAT: fields must be flat
    if token.indexes and event.get("index", next(iter(token.indexes))) not in token.indexes:
        raise Refused(7, number)
    return event


def flat(value: object) -> bool:
    """Whether an indexed field can have this value: a string, or several."""
    many = value if isinstance(value, list) else [value]
    return all(isinstance(each, str) for each in many)


def parse(body: bytes) -> Iterator[object]:
    """FORMAT: objects one after the other, with or without white space. Raises Refused."""
    decoder, at, number = json.JSONDecoder(), 0, 0
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused(6, 0) from None
    while (at := at + len(text[at:]) - len(text[at:].lstrip(" \r\n\t"))) < len(text):
        try:
            event, at = decoder.raw_decode(text, at)
        except ValueError:
            raise Refused(6, number) from None
        yield event
        number += 1
