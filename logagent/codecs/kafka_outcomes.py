"""What Kafka's error codes mean for the rows of a request: the outcome table, as data.

Knows the protocol's codes and two of ours. Must not know how they came. Source: Kafka's protocol
guide, "Error Codes", and what its own clients do about each.
"""

import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from logagent.codecs.outcomes import Why
from logagent.core.chunk import Rejection, Reply, Request, Verdict

UNKNOWN: Final = -2
"""Ours: no answer came, and the row may be there."""
NOT_SENT: Final = -3
"""Ours: no byte of the row went out, or its transaction was aborted."""

Fate = Literal["delivered", "duplicate", "retry", "refused", "credentials", "hold"]
"""refused: of the rows of a batch, one or some are the reason, and the code doesn't say which: they
go on in halves, and a row that is alone is rejected."""


class Meaning(NamedTuple):
    """What a code means for its row. name: the protocol's. why: of a retry, or a rejection's kind
    ("" = the name)."""

    name: str
    fate: Fate
    why: Why = ""


CODE_MEANINGS: Final[Mapping[int, Meaning]] = {
    0: Meaning("NONE", "delivered"),
    46: Meaning("DUPLICATE_SEQUENCE_NUMBER", "duplicate"),
    # Another try is all that is needed: a leader moves, a disk fails over, a quota refills.
    UNKNOWN: Meaning("NO_ANSWER", "retry", "ambiguous"),
    NOT_SENT: Meaning("NOT_SENT", "retry", "unavailable"),
    5: Meaning("LEADER_NOT_AVAILABLE", "retry", "unavailable"),
    6: Meaning("NOT_LEADER_OR_FOLLOWER", "retry", "unavailable"),
    7: Meaning("REQUEST_TIMED_OUT", "retry", "ambiguous"),
    8: Meaning("BROKER_NOT_AVAILABLE", "retry", "unavailable"),
    9: Meaning("REPLICA_NOT_AVAILABLE", "retry", "unavailable"),
    13: Meaning("NETWORK_EXCEPTION", "retry", "ambiguous"),
    14: Meaning("COORDINATOR_LOAD_IN_PROGRESS", "retry", "unavailable"),
    15: Meaning("COORDINATOR_NOT_AVAILABLE", "retry", "unavailable"),
    16: Meaning("NOT_COORDINATOR", "retry", "unavailable"),
    19: Meaning("NOT_ENOUGH_REPLICAS", "retry", "unavailable"),
    # Appended, but not as often as it must be: without idempotence the next try is a duplicate.
    20: Meaning("NOT_ENOUGH_REPLICAS_AFTER_APPEND", "retry", "ambiguous"),
    51: Meaning("CONCURRENT_TRANSACTIONS", "retry", "unavailable"),
    56: Meaning("KAFKA_STORAGE_ERROR", "retry", "unavailable"),
    72: Meaning("LISTENER_NOT_FOUND", "retry", "unavailable"),
    74: Meaning("FENCED_LEADER_EPOCH", "retry", "unavailable"),
    75: Meaning("UNKNOWN_LEADER_EPOCH", "retry", "unavailable"),
    89: Meaning("THROTTLING_QUOTA_EXCEEDED", "retry", "busy"),
    # May pass, may not.
    -1: Meaning("UNKNOWN_SERVER_ERROR", "retry", "server_error"),
    2: Meaning("CORRUPT_MESSAGE", "retry", "server_error"),
    # The producer's numbering is out of step: the next try is another producer's.
    45: Meaning("OUT_OF_ORDER_SEQUENCE_NUMBER", "retry", "unavailable"),
    48: Meaning("INVALID_TXN_STATE", "retry", "unavailable"),
    49: Meaning("INVALID_PRODUCER_ID_MAPPING", "retry", "unavailable"),
    59: Meaning("UNKNOWN_PRODUCER_ID", "retry", "unavailable"),
    120: Meaning("TRANSACTION_ABORTABLE", "retry", "unavailable"),
    # A row is to blame.
    10: Meaning("MESSAGE_TOO_LARGE", "refused", "too_large"),
    18: Meaning("RECORD_LIST_TOO_LARGE", "refused", "too_large"),
    32: Meaning("INVALID_TIMESTAMP", "refused"),
    43: Meaning("UNSUPPORTED_FOR_MESSAGE_FORMAT", "refused"),
    44: Meaning("POLICY_VIOLATION", "refused"),
    87: Meaning("INVALID_RECORD", "refused"),
    # Somebody must give a right, or correct a file that is then read again.
    29: Meaning("TOPIC_AUTHORIZATION_FAILED", "credentials", "credentials"),
    31: Meaning("CLUSTER_AUTHORIZATION_FAILED", "credentials", "credentials"),
    53: Meaning("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "credentials", "credentials"),
    58: Meaning("SASL_AUTHENTICATION_FAILED", "credentials", "credentials"),
    # Somebody must change the configuration, here or there. No topic is ever created by us.
    3: Meaning("UNKNOWN_TOPIC_OR_PARTITION", "hold", "configuration"),
    17: Meaning("INVALID_TOPIC_EXCEPTION", "hold", "configuration"),
    33: Meaning("UNSUPPORTED_SASL_MECHANISM", "hold", "configuration"),
    34: Meaning("ILLEGAL_SASL_STATE", "hold", "configuration"),
    35: Meaning("UNSUPPORTED_VERSION", "hold", "configuration"),
    76: Meaning("UNSUPPORTED_COMPRESSION_TYPE", "hold", "configuration"),
    # Another agent has our transactional id: this one must not go on.
    47: Meaning("INVALID_PRODUCER_EPOCH", "hold", "configuration"),
    90: Meaning("PRODUCER_FENCED", "hold", "configuration"),
}

_BUMPED: Final = Meaning("INVALID_PRODUCER_EPOCH", "retry", "unavailable")
"""47 without transactions: nobody else can have our producer id; a new one goes on."""

PROMPTNESS: Final[tuple[Why, ...]] = (
    "ambiguous",
    "unavailable",
    "busy",
    "server_error",
    "too_large",
    "malformed",
    "credentials",
    "configuration",
)
"""When rows wait for different reasons, the one nearest to the front names the retry."""

_FAULTS: Final[tuple[tuple[str, Literal["credentials", "hold"], Why], ...]] = (
    ("secret", "credentials", "credentials"),
    ("sasl", "credentials", "credentials"),
    ("tls", "hold", "tls"),
    ("fenced", "hold", "configuration"),
)
"""How a fault begins that only a person ends."""


def meaning_of(code: int, *, transactional: bool) -> Meaning:
    """What a code means; one that isn't known may pass."""
    if code == 47 and not transactional:
        return _BUMPED
    return CODE_MEANINGS.get(code) or Meaning(f"CODE_{code}", "retry", "server_error")


def judge_codes(request: Request, reply: Reply, *, transactional: bool) -> Verdict:
    """What `reply` means for the rows of `request`. Never raises, whatever the bytes are."""
    if reply.status == 200 and reply.body == bytes(2 * request.rows):
        return Verdict("done", delivered=request.rows)
    if reply.fault:
        return _judge_fault(reply)
    if reply.status != 200 or len(reply.body) != 2 * request.rows:
        return Verdict("again", why="ambiguous")
    codes = array("h", reply.body)
    if sys.byteorder == "big":
        codes.byteswap()
    return _judge_rows_slow(codes, transactional=transactional)


def _judge_fault(reply: Reply) -> Verdict:
    for start, step, why in _FAULTS:
        if reply.fault.startswith(start):
            return Verdict(step, why=why)
    return Verdict("again", why="ambiguous" if reply.sent else "unreachable")


def _judge_rows_slow(codes: Sequence[int], *, transactional: bool) -> Verdict:
    """The verdict when not all rows are acknowledged."""
    meanings = {code: meaning_of(code, transactional=transactional) for code in set(codes)}
    fates = {meaning.fate for meaning in meanings.values()}
    done = {"delivered", "duplicate"}
    first = min(
        (m for m in meanings.values() if m.fate not in done),
        key=lambda m: PROMPTNESS.index(m.why or "malformed"),
        default=Meaning("", "delivered"),
    )
    if not fates & done:
        if "refused" in fates and len(codes) > 1:
            # Also when others only wait: the rows to blame must not wait for those.
            why: Why = "too_large" if {10, 18} & meanings.keys() else "malformed"
            return Verdict("halve", why=why, detail=first.name)
        if "refused" in fates:
            kind = first.why or first.name.lower()
            return Verdict("done", rejected=(Rejection(0, codes[0], kind, first.name),))
        if "credentials" in fates and fates <= {"credentials", "hold"}:
            return Verdict("credentials", why="credentials", detail=first.name)
        if fates == {"hold"}:
            return Verdict("hold", why=first.why, detail=first.name)
    open_codes = {code for code, meaning in meanings.items() if meaning.fate not in done}
    retry = tuple(row for row, code in enumerate(codes) if code in open_codes)
    duplicates = codes.count(46)
    return Verdict(
        "retry" if retry else "done",
        delivered=len(codes) - len(retry) - duplicates,
        duplicates=duplicates,
        retry=retry,
        why=first.why or ("malformed" if retry else ""),
        detail=first.name,
    )
