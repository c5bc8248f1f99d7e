"""Secrets from files or the environment, and the Authorization values made of them.

Knows no sink. Never puts a secret into an error, a repr or a log.
"""

import base64
import os
from collections.abc import Callable, Mapping
from typing import Final

SECRET_BYTES_MAX: Final = 64 << 10
"""Kubernetes allows 1 MiB; the largest token that servers take in a header has some KiB."""


class SecretError(ValueError):
    """A secret can't be had; the text says where from and why, and nothing of its content."""


class Secret:
    """Where one secret comes from: a file, read at each call of `read`, or a variable (which never
    changes while a process lives)."""

    def __init__(
        self,
        *,
        path: str | None = None,
        env: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        assert (path is None) != (env is None), "exactly one source"
        self._path = path
        self._env = env
        self._environ = environ

    def __repr__(self) -> str:
        return f"Secret({self._path or self._env})"

    def read(self) -> str:
        """The secret as it is now. Raises SecretError."""
        if self._path is not None:
            return read_secret(self._path)
        assert self._env is not None
        value = self._environ.get(self._env)
        if not value:
            raise SecretError(f"reading secret from ${self._env}: it is not set, or empty")
        return value


def read_secret(path: str) -> str:
    """The content of a secret file without its last newline, if there is one. Raises SecretError:
    unreadable, empty, over 64 KiB, or not UTF-8."""
    try:
        # O_NONBLOCK: a FIFO in its place must not stop us.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            data = file.read(SECRET_BYTES_MAX + 1)
    except OSError as error:
        raise SecretError(f"reading secret {path}: {error.strerror}") from error
    if len(data) > SECRET_BYTES_MAX:
        raise SecretError(f"reading secret {path}: it has more than {SECRET_BYTES_MAX} bytes")
    for newline in (b"\r\n", b"\n"):
        if data.endswith(newline):
            data = data[: -len(newline)]
            break
    if not data:
        raise SecretError(f"reading secret {path}: it is empty")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(f"reading secret {path}: it is not UTF-8") from None  # quotes content


def api_key(secret: Secret) -> Callable[[], str]:
    """The Authorization of an Elasticsearch API key, given as "id:key" or already encoded."""

    def read() -> str:
        value = secret.read()
        return "ApiKey " + _sendable(_base64(value) if ":" in value else value, secret)

    return read


def basic(user: Secret | str, password: Secret) -> Callable[[], str]:
    """The Authorization of a user and a password (RFC 7617, UTF-8). Raises SecretError when called,
    also for a colon in the user's name."""

    def read() -> str:
        name = user if isinstance(user, str) else user.read()
        if ":" in name:
            raise SecretError(f"reading user from {user!r}: a user's name must not hold a colon")
        return "Basic " + _base64(f"{name}:{password.read()}")

    return read


def bearer(secret: Secret) -> Callable[[], str]:
    """The Authorization of a token."""
    return lambda: "Bearer " + _sendable(secret.read(), secret)


def splunk(secret: Secret) -> Callable[[], str]:
    """The Authorization of an HTTP Event Collector's token."""
    return lambda: "Splunk " + _sendable(secret.read(), secret)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def _sendable(value: str, secret: Secret) -> str:
    """A value that may stand in a header. Raises SecretError."""
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise SecretError(
            f"reading secret {secret!r}: it has line breaks, spaces around it or other characters "
            "that can't be sent in a header"
        )
    return value
