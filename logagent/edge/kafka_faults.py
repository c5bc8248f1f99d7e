"""What goes wrong on the way to a Kafka broker, in a few words; and the codes of what came back.

Knows exceptions of sockets, TLS and aiokafka, and the error codes of Kafka's protocol
(https://kafka.apache.org/protocol#protocol_error_codes). Must not know what a code means for rows:
the codec does; here it matters only whether a batch may have been appended.
"""

import asyncio
import socket
from typing import Final

# aiokafka has no type marker: what is taken from it is Any to mypy.
from aiokafka.errors import (  # type: ignore[import-untyped]
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    ProducerFenced,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    kafka_errors,
)

from logagent.edge.secrets import SecretError

UNKNOWN: Final = -2
"""Not a code of the protocol: the batch may have been appended, no answer says so."""
NOT_SENT: Final = -3
"""Not a code of the protocol: no byte of the batch left, or its transaction was aborted."""

OK: Final = 0
SERVER_ERROR: Final = -1
UNKNOWN_TOPIC: Final = 3
NO_LEADER: Final = 5
NOT_LEADER: Final = 6
UNAUTHORIZED_TOPIC: Final = 29
EPOCH: Final = 47

DONE: Final = frozenset({OK, 46})
"""46 DUPLICATE_SEQUENCE_NUMBER: an earlier try of this batch was appended, if there was one."""

WAIT: Final = frozenset({UNKNOWN_TOPIC, NO_LEADER, 8, 9, 19, 72, 74, 75, NOT_SENT})
"""Not appended, and a matter of the leader: it moves, or lacks replicas; the next metadata tell."""

MAYBE: Final = frozenset({NOT_LEADER, 7, 13, 20, 56, UNKNOWN})
"""Perhaps appended: REQUEST_TIMED_OUT, NETWORK_EXCEPTION, NOT_ENOUGH_REPLICAS_AFTER_APPEND,
KAFKA_STORAGE_ERROR, no answer; NOT_LEADER_OR_FOLLOWER, which a leader also answers that is deposed
while it waits for its replicas (Kafka's DelayedProduce). Trying again with the same sequence number
is safe, anything else isn't."""

BROKEN: Final = frozenset({SERVER_ERROR, 45, EPOCH, 48, 49, 59, 90, 120})
"""The broker and this producer don't agree on its id, epoch or sequence any more, or the broker
broke down in the middle. Only a new producer helps."""

FENCED: Final = frozenset({EPOCH, 90})
"""With a transactional id: a producer that was started later has it."""

_SASL: Final = (
    AuthenticationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
_RANKS: Final = ("secret", "sasl", "tls", "dns", "reset", "connect", "refused", "connect time-out")


def fault_of(error: BaseException, where: str) -> str:
    """The fault for a connection to `where` that couldn't be made: kind, place, and what to do."""
    cause = error.__cause__
    if isinstance(error, KafkaConnectionError) and cause is not None:
        error = cause
    match error:
        case SecretError():
            return f"secret: {error}"
        case _ if isinstance(error, _SASL):
            return f"sasl: {where}: {_said(error)}"
        case TimeoutError() | asyncio.TimeoutError():
            return f"connect time-out: {where}"
        case socket.gaierror():
            return f"dns: {where}: {error.strerror}"
        case UnicodeError():
            return f"dns: {where}: the name can't be encoded"
        case OSError():
            return _os_fault(error, where)
        case ValueError() | AssertionError():
            # aiokafka's SCRAM and PLAIN: a server that can't prove that it knows the password.
            return f"sasl: {where}: {error}"
        case _ if isinstance(error, KafkaConnectionError | EOFError):
            return f"reset: {where} hung up before it answered: check security_protocol"
        case _:
            return f"connect: {where}: {_said(error)}"


def worst(faults: list[str]) -> str:
    """The fault that a person should read first, of several brokers'."""
    return min(faults, key=lambda fault: (_RANKS.index(fault.partition(":")[0]), fault))


def code_of(error: BaseException) -> int:
    """The protocol's code in an exception of aiokafka, SERVER_ERROR when it has none."""
    if isinstance(error, ProducerFenced):
        return EPOCH
    for each in (error, error.__cause__):
        number = getattr(each, "errno", None)
        if isinstance(each, KafkaError) and isinstance(number, int):
            return number
    return SERVER_ERROR


def code_text(code: int) -> str:
    """A code with its name, if aiokafka has one for it."""
    if code == UNKNOWN:
        return "no answer in time"
    known = kafka_errors.get(code)
    return f"{known.message} ({code})" if known is not None else f"code {code}"


def _os_fault(error: OSError, where: str) -> str:
    """For a failed connect or handshake."""
    verify = getattr(error, "verify_message", None)  # of ssl.SSLCertVerificationError
    if isinstance(verify, str):
        return f"tls: {where}: {verify}"
    reason = getattr(error, "reason", None)  # of ssl.SSLError
    if isinstance(reason, str):
        return f"tls: {where}: " + reason.replace("_", " ").lower()
    # A name with several addresses gives one error with all of theirs in its text.
    if isinstance(error, ConnectionRefusedError) or "Errno 111" in str(error):
        return f"refused: {where}"
    if isinstance(error, ConnectionError):
        return f"reset: {where} hung up before it answered: check security_protocol"
    return f"connect: {where}: {error.strerror or error}"


def _said(error: BaseException) -> str:
    """What a broker said, without aiokafka's own words in front of it."""
    words = [word for word in error.args if isinstance(word, str) and word]
    return words[0] if words else str(getattr(error, "message", "") or type(error).__name__)
