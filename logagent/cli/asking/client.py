"""One output's way to its servers, for a few questions: plain HTTP by urllib.

Knows the options that all outputs over HTTP share. Must not know what an answer means. No proxy,
no redirects, nothing repeated: what is wrong on the way is the answer.
"""

from __future__ import annotations

import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from logagent.cli.asking import Finding
from logagent.config import OverHttp
from logagent.ends.trust import authorization_of, context_of

TIMEOUT_S: Final = 10.0
_REPLY_BYTES_MAX: Final = 1 << 20

Sign = Callable[[str, str, bytes, Mapping[str, str]], Mapping[str, str]]
"""Headers that prove who asks, made of a request's method, URL, body and other headers."""


class Answer(NamedTuple):
    """A status and a body; status 0 = none came, and `why` says why not."""

    status: int
    body: bytes = b""
    why: str = ""


class Client:
    """Asks an output's servers with its own trust, credentials and headers.

    authorization: the header's value, in place of what the option `auth` says ("" = none). sign:
    makes headers for each request, in place of both. Raises SecretError for a secret, OSError or
    ValueError for a certificate that can't be had.
    """

    def __init__(
        self, output: OverHttp, authorization: str | None = None, *, sign: Sign | None = None
    ) -> None:
        self._headers = {"Accept": "application/json", **output.headers}
        self._sign = sign
        if authorization is None and output.auth is not None and sign is None:
            authorization = authorization_of(output.auth, os.environ)()
        if authorization:
            self._headers["Authorization"] = authorization
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _Stay()]
        if any(url.startswith("https:") for url in output.endpoints()):
            handlers.append(urllib.request.HTTPSHandler(context=context_of(output.tls)))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, url: str) -> Answer:
        """GET, bounded in time for each step and in size."""
        return self.send("GET", url)

    def send(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Any request, bounded as `get` is. headers: besides those of all requests."""
        every = {**self._headers, **(headers or {})}
        try:
            every |= self._sign(method, url, body, every) if self._sign is not None else {}
        except ValueError as error:  # a secret that can't be had
            return Answer(0, why=str(error))
        # The configuration has checked that it is http or https.
        request = urllib.request.Request(  # noqa: S310
            url, data=body or None, headers=every, method=method
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as reply:
                return Answer(reply.status, reply.read(_REPLY_BYTES_MAX))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _rest(error))
        except urllib.error.URLError as error:
            return Answer(0, why=_reason(error.reason))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(0, why=_reason(error))


def each_host(
    output: OverHttp,
    question: Callable[[Client, str], Answer],
    finding: Callable[[str, Answer], Finding],
) -> Iterator[Finding]:
    """Ask each host of an output the same question, and say what its answer means. Without secrets
    or certificates nobody is asked, and that is the finding."""
    try:
        client = Client(output)
    except (OSError, ValueError) as error:
        yield Finding(str(error), good=False)
        return
    for url in output.endpoints():
        yield finding(url, question(client, url))


class _Stay(urllib.request.HTTPRedirectHandler):
    """Credentials are for the host that the user named; a redirect is an answer like any other."""

    def redirect_request(self, *_args: object, **_more: object) -> None:
        """Follow nothing."""


def _rest(error: urllib.error.HTTPError) -> bytes:
    """The body of a refusal; its status says enough when the body breaks off."""
    try:
        return error.read(_REPLY_BYTES_MAX)
    except (OSError, http.client.HTTPException):
        return b""


def _reason(error: object) -> str:
    """Why nothing came, in words, without a Python type's name."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate isn't trusted: {error.verify_message}; see tls.ca_file"
    if isinstance(error, ssl.SSLError):
        reason = error.reason or str(error)
        wants = "ALERT" in reason and "CERTIFICATE" in reason
        return f"TLS: {reason}{'; it wants a client certificate, see tls' if wants else ''}"
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_S:g} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or "no answer"
