"""What a failed connection is called, and the code in an exception."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest
from aiokafka import errors  # type: ignore[import-untyped]

from logagent.edge.kafka_faults import SERVER_ERROR, code_of, code_text, fault_of, worst
from logagent.edge.secrets import SecretError


def caused(error: Exception, cause: BaseException | None) -> Exception:
    """An error with its cause, as `raise … from` makes it."""
    error.__cause__ = cause
    return error


HUNG_UP = "reset: k:9092 hung up before it answered: check security_protocol"


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (SecretError("reading secret /x: it is empty"), "secret: reading secret /x: it is empty"),
        (errors.SaslAuthenticationFailed("Invalid password"), "sasl: k:9092: Invalid password"),
        (errors.UnsupportedSaslMechanismError(), "sasl: k:9092: UNSUPPORTED_SASL_MECHANISM"),
        (ValueError("Server sent wrong signature!"), "sasl: k:9092: Server sent wrong signature!"),
        (TimeoutError(), "connect time-out: k:9092"),
        (
            socket.gaierror(-2, "Name or service not known"),
            "dns: k:9092: Name or service not known",
        ),
        (UnicodeError("label too long"), "dns: k:9092: the name can't be encoded"),
        (ConnectionRefusedError(111, "Connection refused"), "refused: k:9092"),
        (OSError("Multiple exceptions: [Errno 111] …, [Errno 111] …"), "refused: k:9092"),
        (ConnectionResetError(104, "Connection reset by peer"), HUNG_UP),
        (OSError(113, "No route to host"), "connect: k:9092: No route to host"),
        (errors.KafkaConnectionError("Connection closed"), HUNG_UP),
        (asyncio.IncompleteReadError(b"", 4), HUNG_UP),
        (
            caused(errors.KafkaConnectionError("closed"), asyncio.IncompleteReadError(b"", 4)),
            HUNG_UP,
        ),
        (
            caused(
                errors.KafkaConnectionError("closed"), ssl.SSLError(1, "[X: BAD_CERT] bad cert")
            ),
            "connect: k:9092: [X: BAD_CERT] bad cert",
        ),
        (errors.ClusterAuthorizationFailedError(), "connect: k:9092: CLUSTER_AUTHORIZATION_FAILED"),
    ],
)
def test_faults(error: Exception, fault: str) -> None:
    """Each way to fail has a kind, a place and words."""
    assert fault_of(error, "k:9092") == fault


def test_faults_of_tls() -> None:
    """What OpenSSL found is told in its words."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "certificate has expired"
    assert fault_of(error, "k:9092") == "tls: k:9092: certificate has expired"


def test_the_worst_fault() -> None:
    """What a person must do something about comes before what may pass, then by name."""
    faults = ["connect time-out: c:1", "refused: b:1", "sasl: z:1: wrong", "refused: a:1"]
    assert worst(faults) == "sasl: z:1: wrong"
    assert worst([faults[0], faults[1], faults[3]]) == "refused: a:1"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ProducerFenced(), 47),
        (errors.TransactionalIdAuthorizationFailed("id"), 53),
        (caused(errors.KafkaError("wrapped"), errors.InvalidTxnState()), 48),
        (errors.KafkaError("something"), SERVER_ERROR),
        (caused(errors.KafkaError("refused"), ConnectionRefusedError(111, "no")), SERVER_ERROR),
    ],
)
def test_codes_of_exceptions(error: Exception, code: int) -> None:
    """An exception of aiokafka tells its code, or the one it wraps; an errno of the system isn't
    one."""
    assert code_of(error) == code


def test_names_of_codes() -> None:
    """Codes are told by name where aiokafka knows them."""
    assert code_text(31) == "CLUSTER_AUTHORIZATION_FAILED (31)"
    assert code_text(90) == "code 90"
    assert code_text(-2) == "no answer in time"
