"""What the HTTP Event Collector answers, and what it means: its codes, as data.

Knows the form of a reply and of the answer to a question for acknowledgements. What comes from
something in between is judged as for other outputs (`refusal`). Must not raise, whatever it gets.

Source: Splunk, "Getting Data In", at help.splunk.com: "Troubleshoot HTTP Event Collector", section
"Possible error codes" (codes 0 to 27, their statuses and texts), and "About HTTP Event Collector
Indexer Acknowledgment" (`ackId`, `acks`). `invalid-event-number` isn't in that table: replies have
it with codes 6, 7, 12, 13 and 15, counted from 0.

Whether events in front of the invalid one were taken isn't documented either. At least once means
that all others are sent again: those in front may be there twice.
"""

import re
from collections.abc import Collection
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from logagent.codecs.outcomes import Why
from logagent.codecs.refusal import REASON_MAX, UNREADABLE, judge_refusal, why_fault
from logagent.codecs.statuses import is_page
from logagent.core.chunk import Rejection, Reply, Request, Verdict

ACK_LATE: Final = "ack time-out"
"""The fault of a request that was taken and never acknowledged."""
NO_ACKS: Final = "no indexer acknowledgement"
"""The fault of one that wasn't sent, as the token has no acknowledgement and must have it."""

Fate = Literal["done", "again", "credentials", "hold", "reject", "misplaced"]
"""reject: the event that the reply names is never taken. misplaced: it names an event whose index
the token may not write to: as the user has it."""
OnConfigError = Literal["hold", "reject"]


class Code(NamedTuple):
    """One row of the documentation's table, and what follows from it."""

    status: int
    text: str
    fate: Fate
    why: Why = ""


CODES: Final[dict[int, Code]] = {
    0: Code(200, "Success", "done"),
    1: Code(403, "Token disabled", "credentials", "credentials"),
    2: Code(401, "Token is required", "credentials", "credentials"),
    3: Code(401, "Invalid authorization", "credentials", "credentials"),
    4: Code(403, "Invalid token", "credentials", "credentials"),
    # We never send an empty body: something in between took it away.
    5: Code(400, "No data", "hold", "configuration"),
    6: Code(400, "Invalid data format", "reject", "malformed"),
    7: Code(400, "Incorrect index", "misplaced", "configuration"),
    8: Code(500, "Internal server error", "again", "server_error"),
    9: Code(503, "Server is busy", "again", "busy"),
    # We always send a channel: something in between took the header away.
    10: Code(400, "Data channel is missing", "hold", "configuration"),
    11: Code(400, "Invalid data channel", "hold", "configuration"),
    12: Code(400, "Event field is required", "reject", "malformed"),
    13: Code(400, "Event field cannot be blank", "reject", "malformed"),
    14: Code(400, "ACK is disabled", "hold", "configuration"),
    # Ours are the same for every event: rejecting would go on to the last one.
    15: Code(400, "Error in handling indexed fields", "hold", "configuration"),
    16: Code(400, "Query string authorization is not enabled", "hold", "configuration"),
    # Health's answers say nothing about events.
    17: Code(200, "HEC is healthy", "again", "ambiguous"),
    18: Code(503, "HEC is unhealthy, queues are full", "again", "unavailable"),
    19: Code(503, "HEC is unhealthy, ack service unavailable", "again", "unavailable"),
    20: Code(
        503,
        "HEC is unhealthy, queues are full, ack service unavailable",
        "again",
        "unavailable",
    ),
    21: Code(400, "Invalid token", "credentials", "credentials"),
    22: Code(400, "Token disabled", "credentials", "credentials"),
    23: Code(503, "Server is shutting down", "again", "unavailable"),
    # Warnings beside a 200: the events are taken.
    24: Code(200, "HEC queue is approaching its capacity limit", "done"),
    25: Code(200, "HEC ACK is approaching its capacity limit", "done"),
    26: Code(429, "HEC queue is at capacity and cannot process any more requests", "again", "busy"),
    27: Code(
        429,
        "HEC ACK channel is at capacity and cannot process any more requests",
        "again",
        "busy",
    ),
}


class Answer(Struct):
    """A reply's body. event: the invalid one, counted from 0, -1 = none is named."""

    code: int
    text: str = ""
    ack: int | None = msgspec.field(default=None, name="ackId")
    event: int = msgspec.field(default=-1, name="invalid-event-number")


class _Acks(Struct):
    acks: dict[str, bool]


_ANSWER: Final = msgspec.json.Decoder(Answer)
_ACKS: Final = msgspec.json.Decoder(_Acks)
_ID: Final = re.compile(r"[0-9]{1,19}")


def judge_hec(
    request: Request, reply: Reply, *, needs_ack: bool, on_config_error: OnConfigError
) -> Verdict:
    """What `reply` means for the rows of `request`."""
    if reply.fault == ACK_LATE:
        # Not "ambiguous": that would be tried in halves, which helps against no late indexer.
        return Verdict("again", why="unavailable", detail="no_ack")
    if reply.fault == NO_ACKS:
        return Verdict("hold", why="configuration", detail="no_ack")
    if reply.fault:
        why = why_fault(reply)
        return Verdict("hold" if why == "tls" else "again", why=why)
    answer = read_answer(reply.body)
    code = CODES.get(answer.code) if answer is not None else None
    if answer is None or code is None or (code.fate == "done" and reply.status != 200):
        # Not the collector's word, or a success that its status contradicts.
        if reply.status == 200 and is_page(reply.body):
            # Something in between, in front of whatever is there: halves don't help.
            return Verdict("hold", why="configuration")
        if reply.status == 200:
            return Verdict("again", why="ambiguous")
        return judge_refusal(request, reply)
    detail = f"code_{answer.code}"
    match code.fate:
        case "done" if needs_ack and answer.ack is None:
            return Verdict("hold", why="configuration", detail="no_ack_id")
        case "done":
            return Verdict("done", delivered=request.rows)
        case "misplaced" if on_config_error == "hold":
            return Verdict("hold", why=code.why, detail=detail)
        case "misplaced" | "reject":
            return _reject(request, reply.status, answer, code)
        case step:
            return Verdict(step, why=code.why, detail=detail)


def read_answer(body: bytes) -> Answer | None:
    """A reply's body; None if it isn't one of the collector's."""
    try:
        return _ANSWER.decode(body)
    except UNREADABLE:
        return None


def ack_id(reply: Reply) -> int | None:
    """The id to ask for before the request counts as done; None when none was given."""
    answer = read_answer(reply.body) if reply.status == 200 else None
    code = CODES.get(answer.code) if answer is not None else None
    return answer.ack if answer is not None and code is not None and code.fate == "done" else None


def ack_question(ids: Collection[int]) -> bytes:
    """The body that asks which of these are indexed."""
    return msgspec.json.encode({"acks": sorted(ids)})


def acked(reply: Reply) -> frozenset[int]:
    """Which ids are indexed, by the answer to `ack_question`. false is "not yet" or "not known"."""
    if reply.status != 200:
        return frozenset()
    try:
        acks = _ACKS.decode(reply.body).acks
    except UNREADABLE:
        return frozenset()
    return frozenset(int(text) for text, done in acks.items() if done and _ID.fullmatch(text))


def _reject(request: Request, status: int, answer: Answer, code: Code) -> Verdict:
    """Reject the event that the reply names, and send all others again; find it by halves when it
    names none."""
    known = 0 <= answer.event < request.rows
    if not known and request.rows > 1:
        return Verdict("halve", why="malformed", detail=f"code_{answer.code}")
    row = answer.event if known else 0
    kind = f"code_{answer.code}"
    rejection = Rejection(row, status, kind, (answer.text or code.text)[:REASON_MAX])
    others: tuple[int, ...] = (*range(row), *range(row + 1, request.rows))
    return Verdict(
        "retry" if others else "done",
        rejected=(rejection,),
        retry=others,
        why="malformed" if others else "",
        detail=kind if others else "",
    )
