"""`logagent check --connect`: asks each output what it is and whether it would take our lines.

Plain HTTP by urllib: Elasticsearch's own client refuses OpenSearch. Knows what the answers mean.
Must not write anything to a server.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from logagent.cli.check import UNREACHABLE
from logagent.config import Auth, Config, Elasticsearch
from logagent.edge.secrets import Secret, api_key, basic
from logagent.edge.tls import context

TIMEOUT_S: Final = 10.0
_REPLY_BYTES_MAX: Final = 1 << 20


class Version(msgspec.Struct):
    """The part of a server's greeting that says which product it is."""

    number: str = "?"
    distribution: str = "elasticsearch"


class Greeting(msgspec.Struct):
    """What `GET /` answers (both products)."""

    version: Version
    cluster_name: str = "?"


class Named(msgspec.Struct):
    """An index, an alias or a data stream; `attributes` are an index's ("open", "closed" …)."""

    name: str
    attributes: tuple[str, ...] = ()


class Resolved(msgspec.Struct):
    """What `GET /_resolve/index/NAME` answers (both products)."""

    indices: tuple[Named, ...] = ()
    aliases: tuple[Named, ...] = ()
    data_streams: tuple[Named, ...] = ()


class Answer(NamedTuple):
    """A status and a body; status 0 = none came, and `why` says why not."""

    status: int
    body: bytes = b""
    why: str = ""


class Finding(NamedTuple):
    """One line about an output, and whether the output can be used."""

    text: str
    good: bool = True


def connect(config: Config) -> int:
    """Ask all outputs, print what they are; returns the exit status."""
    elastic = {n: o for n, o in config.outputs.items() if isinstance(o, Elasticsearch)}
    good = True
    print("connect")
    with ThreadPoolExecutor(max_workers=8) as pool:
        asked = {name: pool.submit(_ask_all, o) for name, o in elastic.items()}
        for name in config.outputs:
            findings = asked[name].result() if name in asked else [Finding("nothing to ask")]
            for finding in findings:
                print(f"  {name:<12} {finding.text}")
                good = good and finding.good
    return 0 if good else UNREACHABLE


def _ask_all(output: Elasticsearch) -> list[Finding]:
    return list(ask(output))


def ask(output: Elasticsearch) -> Iterator[Finding]:
    """What can be said of an Elasticsearch output, one line for each host and thing."""
    try:
        client = _Client(output)
    except (OSError, ValueError) as error:
        yield Finding(str(error), good=False)
        return
    reached = ""
    for url in output.endpoints():
        finding = _greeting(url, client.get(url + "/"))
        yield finding
        if output.require_data_stream and "OpenSearch" in finding.text:
            yield Finding("OpenSearch doesn't know require_data_stream; remove it", good=False)
        reached = reached or (url if finding.good else "")
    if reached:
        yield _target(output, reached, client)
        if output.pipeline:
            yield _pipeline(output.pipeline, reached, client)


class _Client:
    """One output's way to its servers: no proxy, no redirects, its own trust and credentials."""

    def __init__(self, output: Elasticsearch) -> None:
        self._headers = {"Accept": "application/json"}
        if output.auth is not None:
            self._headers["Authorization"] = _authorization(output.auth)
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _Stay()]
        if any(url.startswith("https:") for url in output.endpoints()):
            tls = output.tls
            made = context(
                (tls and tls.ca_file) or None,
                (tls and tls.cert_file) or None,
                (tls and tls.key_file) or None,
                verify=tls is None or tls.verify,
            )
            handlers.append(urllib.request.HTTPSHandler(context=made))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, url: str) -> Answer:
        """GET, bounded in time for each step and in size."""
        # The configuration has checked that it is http or https.
        request = urllib.request.Request(url, headers=self._headers)  # noqa: S310
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as reply:
                return Answer(reply.status, reply.read(_REPLY_BYTES_MAX))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(_REPLY_BYTES_MAX))
        except urllib.error.URLError as error:
            return Answer(0, why=_reason(error.reason))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(0, why=_reason(error))


class _Stay(urllib.request.HTTPRedirectHandler):
    """Credentials are for the host that the user named; a redirect is an answer like any other."""

    def redirect_request(self, *_args: object, **_more: object) -> None:
        """Follow nothing."""


def _authorization(auth: Auth) -> str:
    """The Authorization header's value. Raises SecretError."""
    if auth.api_key_file or auth.api_key_env:
        return api_key(_secret(auth.api_key_file, auth.api_key_env))()
    user = auth.username or _secret(auth.username_file, "")
    return basic(user, _secret(auth.password_file, auth.password_env))()


def _secret(path: str, variable: str) -> Secret:
    return Secret(path=path) if path else Secret(env=variable)


def _greeting(url: str, answer: Answer) -> Finding:
    match answer.status:
        case 0:
            return Finding(f"{url}: {answer.why}", good=False)
        case 401:
            return Finding(f"{url}: refuses the credentials (401); see auth", good=False)
        case 403:
            # An API key for writing alone may not ask for the version.
            return Finding(f"{url}: reached; the credentials may not ask what it is (403)")
        case 200:
            pass
        case status if 300 <= status < 400:
            return Finding(f"{url}: redirects ({status}); name the server itself", good=False)
        case status:
            return Finding(f"{url}: answers {status}, not what such a server does", good=False)
    try:
        hello = msgspec.json.decode(answer.body, type=Greeting)
    except msgspec.DecodeError:
        return Finding(f"{url}: is neither Elasticsearch nor OpenSearch", good=False)
    product = "OpenSearch" if hello.version.distribution == "opensearch" else "Elasticsearch"
    return Finding(f"{url}: {product} {hello.version.number}, cluster {hello.cluster_name}")


def _target(output: Elasticsearch, url: str, client: _Client) -> Finding:
    if output.data_stream:
        name, kind = output.data_stream.name(), "data stream"
        absent = "is not there yet; an index template has to make it, else it becomes an index"
    else:
        name, kind = datetime.now(UTC).strftime(output.index), "index"
        absent = "is not there yet; the first line makes it"
    # Both products answer it without an extra module, and it says of a name what it stands for.
    answer = client.get(f"{url}/_resolve/index/{quote(name, safe='')}")
    match answer.status:
        case 200:
            try:
                found = msgspec.json.decode(answer.body, type=Resolved)
            except msgspec.DecodeError:
                return Finding(f"{kind} {name}: the server's answer makes no sense", good=False)
            return _resolved(output, name, found) or Finding(f"{kind} {name} {absent}")
        case 404:
            return Finding(f"{kind} {name} {absent}")
        case 401 | 403:
            return Finding(f"{kind} {name}: the credentials may not ask ({answer.status})")
        case 0:
            return Finding(f"{kind} {name}: {answer.why}", good=False)
        case status:
            return Finding(f"{kind} {name}: the server answers {status}", good=False)


def _resolved(output: Elasticsearch, name: str, found: Resolved) -> Finding | None:
    """What a name stands for on the server; None when it stands for nothing (OpenSearch's 404)."""
    if any(index.name == name and "closed" in index.attributes for index in found.indices):
        return Finding(f"index {name} is closed: no line is taken until it is opened", good=False)
    if name in {stream.name for stream in found.data_streams}:
        return Finding(f"data stream {name} is there")
    if name in {index.name for index in found.indices}:
        if output.data_stream is None:
            return Finding(f"index {name} is there")
        refused = "; require_data_stream has it refuse every line"
        needed = output.require_data_stream
        text = f"{name} is there, but as an index, not as a data stream{refused if needed else ''}"
        return Finding(text, good=not needed)
    if name in {alias.name for alias in found.aliases}:
        return Finding(f"alias {name} is there")
    return None


def _pipeline(name: str, url: str, client: _Client) -> Finding:
    answer = client.get(f"{url}/_ingest/pipeline/{quote(name, safe='')}")
    if answer.status == 404:
        return Finding(f"ingest pipeline {name} is not there: every line is refused", good=False)
    if answer.status == 200:
        return Finding(f"ingest pipeline {name} is there")
    return Finding(f"ingest pipeline {name}: can't be asked for ({answer.status or answer.why})")


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
