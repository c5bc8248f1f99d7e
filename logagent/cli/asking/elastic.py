"""What Elasticsearch or OpenSearch says of itself, and of an output's index and pipeline.

Plain HTTP: Elasticsearch's own client refuses OpenSearch. Knows what the answers mean. Must not
write anything to a server.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from logagent.cli.asking import Finding
from logagent.cli.asking.client import Answer, Client
from logagent.config import Elasticsearch
from logagent.config.outputs.choosing import DATES, wildcard
from logagent.ends.elastic import SERVICE


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


def ask(output: Elasticsearch) -> Iterator[Finding]:
    """What can be said of an Elasticsearch output, one line for each host and thing."""
    try:
        client = client_of(output)
    except (OSError, ValueError) as error:
        yield Finding(str(error), good=False)
        return
    reached = ""
    for url in output.endpoints():
        answer = client.get(url + "/")
        finding = greeting(url, answer)
        yield finding
        if output.require_data_stream and is_opensearch(answer):
            yield Finding("OpenSearch doesn't know require_data_stream; remove it", good=False)
        reached = reached or (url if finding.good else "")
    if reached:
        yield _target(output, reached, client)
        if output.pipeline:
            yield _pipeline(output.pipeline, reached, client)


def client_of(output: Elasticsearch) -> Client:
    """A client with the output's credentials. Raises as `Client` does."""
    if output.aws is None:
        return Client(output)
    # Imported here: what signs costs 12 MiB.
    from logagent.ends.overhttp import signer

    return Client(output, sign=signer(output.aws, SERVICE))


def greeting(url: str, answer: Answer) -> Finding:
    """What a server says of itself, by its answer to `GET /`."""
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
    hello = _hello(answer)
    if hello is None:
        return Finding(f"{url}: is neither Elasticsearch nor OpenSearch", good=False)
    product = "OpenSearch" if is_opensearch(answer) else "Elasticsearch"
    return Finding(f"{url}: {product} {hello.version.number}, cluster {hello.cluster_name}")


def is_opensearch(answer: Answer) -> bool:
    """Whether an answer to `GET /` is OpenSearch's."""
    hello = _hello(answer)
    return hello is not None and hello.version.distribution == "opensearch"


def _hello(answer: Answer) -> Greeting | None:
    try:
        return msgspec.json.decode(answer.body, type=Greeting)
    except msgspec.DecodeError:
        return None


def _target(output: Elasticsearch, url: str, client: Client) -> Finding:
    now = datetime.now(UTC)
    name = wildcard(output.target(), {code: now.strftime(code) for code in DATES})
    if output.data_stream:
        kind = "data stream"
        absent = "is not there yet; an index template has to make it, else it becomes an index"
    else:
        kind = "index"
        absent = "is not there yet; the first line makes it"
    # Both products answer it without an extra module, and it says of a name what it stands for.
    answer = client.get(f"{url}/_resolve/index/{quote(name, safe='*')}")
    match answer.status:
        case 200:
            try:
                found = msgspec.json.decode(answer.body, type=Resolved)
            except msgspec.DecodeError:
                return Finding(f"{kind} {name}: the server's answer makes no sense", good=False)
            if "*" in name:
                return _matching(kind, name, found)
            return _resolved(output, name, found) or Finding(f"{kind} {name} {absent}")
        case 404:
            return Finding(f"{kind} {name} {absent}")
        case 401 | 403:
            return Finding(f"{kind} {name}: the credentials may not ask ({answer.status})")
        case 0:
            return Finding(f"{kind} {name}: {answer.why}", good=False)
        case status if not output.target_in_path:
            return Finding(f"{kind} {name}: this server isn't able to say ({status})")
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


def _matching(kind: str, pattern: str, found: Resolved) -> Finding:
    """How many there are of names that are made while running."""
    count = len(found.data_streams if kind == "data stream" else found.indices)
    if count == 1:
        return Finding(f"{kind} {pattern}: one such name is there")
    return Finding(
        f"{kind} {pattern}: {count or 'no'} such names are there{'' if count else ' yet'}"
    )


def _pipeline(name: str, url: str, client: Client) -> Finding:
    answer = client.get(f"{url}/_ingest/pipeline/{quote(name, safe='')}")
    if answer.status == 404:
        return Finding(f"ingest pipeline {name} is not there: every line is refused", good=False)
    if answer.status == 200:
        return Finding(f"ingest pipeline {name} is there")
    return Finding(f"ingest pipeline {name}: can't be asked for ({answer.status or answer.why})")
