"""What the tests against search servers share: targets, configurations, and what has arrived.

Knows both servers' API and the shape of our documents. How an agent is run is in search_support.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from tests.e2e.search_support import run_agent
from tests.e2e.servers import Rest

Kind = Literal["data stream", "index"]
UNUSABLE: Final = 69
"""The status of `check --connect` when an output can't be used."""
QUIET: Final = {"admin": ""}
"""Without an admin port: what runs to its end needs none."""
PAGE: Final = 10_000
"""Most documents that a server gives at once, and as many values as its small heap bears."""

CORPUS: Final[Mapping[str, object]] = {
    "@timestamp": {"type": "date"},
    "message": {"type": "text"},
    "level": {"type": "keyword"},
    "logger": {"type": "keyword"},
    "trace_id": {"type": "keyword"},
    "writer": {"type": "keyword"},
    "status": {"type": "short"},
    "duration_ms": {"type": "float"},
    "seq": {"type": "long"},
}
"""Mappings for the lines of `demo.lines`, as a team would make them."""


class Target(NamedTuple):
    """Where documents go on a server: a data stream or a plain index."""

    kind: Kind
    name: str

    @property
    def options(self) -> dict[str, object]:
        """What an output says to get there."""
        if self.kind == "index":
            return {"index": self.name}
        _, dataset, namespace = self.name.split("-")
        return {"data_stream": {"dataset": dataset, "namespace": namespace}}


def make_target(
    rest: Rest, kind: Kind, name: str, properties: Mapping[str, object] | None = None
) -> Target:
    """A place of its own with these field mappings. The data stream comes with its first line."""
    inner = {
        "settings": {
            "number_of_replicas": 0,
            "refresh_interval": "60s",
            "translog.durability": "async",  # an fsync a request is the disk's time, not ours
        },
        "mappings": {"properties": dict(properties or {})},
    }
    if kind == "index":
        rest.must("PUT", f"/{name}", inner)
        return Target(kind, name)
    # Above whatever other tests say about all of logs-*-*.
    template = {"data_stream": {}, "priority": 600, "template": inner}
    rest.must("PUT", f"/_index_template/{name}", {"index_patterns": [f"logs-{name}-*"], **template})
    return Target(kind, f"logs-{name}-test")


def search_config(
    paths: Sequence[str], hosts: Sequence[str], output: Mapping[str, object], **more: object
) -> dict[str, object]:
    """One input, one output to a search server; `more` are whole sections beside them.

    Back-off is short, so that what heals is seen to heal.
    """
    search = {"type": "elasticsearch", "hosts": list(hosts), "retry_max_s": 0.5, **output}
    return {
        "metadata": {"schema": "none"},
        "inputs": {"app": {"paths": list(paths)}},
        "outputs": {"search": search},
        **more,
    }


def deliver_all(config: Mapping[str, object], folder: Path) -> list[dict[str, object]]:
    """Run the agent over what is there; it must leave nothing. What it said, decoded."""
    done = run_agent({**config, "agent": QUIET}, folder)
    assert done.returncode == 0, done.stderr
    return said(done.stderr)


def connect(
    folder: Path, hosts: list[str], output: Mapping[str, object], *, status: int
) -> list[str]:
    """What `check --connect` finds out about an output, line by line."""
    (folder / "logs").mkdir(exist_ok=True)
    config = search_config([f"{folder}/logs/*.log"], hosts, output, agent=QUIET)
    done = run_agent(config, folder, ["--connect"], verb="check")
    assert done.stderr == ""
    assert done.returncode == status, done.stdout
    head, _, found = done.stdout.partition("\nconnect\n")
    assert head.startswith("The configuration is good.")
    return [line.removeprefix("  search").strip() for line in found.splitlines()]


def said(log: str) -> list[dict[str, object]]:
    """The agent's log, line by line; a line that isn't JSON fails the test."""
    return [json.loads(line) for line in log.splitlines()]


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a log file at once, so that no agent sees a half of it."""
    new = path.with_name(f".{path.name}.new")
    new.write_text("".join(f"{line}\n" for line in lines))
    new.rename(path)


def numbers(rest: Rest, index: str, field: str = "seq") -> Counter[int]:
    """How often each number is there, by the field inside the documents, never by their ids."""
    rest.refresh(index)
    found: Counter[int] = Counter()
    composite: dict[str, object] = {"size": PAGE, "sources": [{"n": {"terms": {"field": field}}}]}
    while True:
        body = {"size": 0, "aggs": {"all": {"composite": composite}}}
        buckets = rest.search(index, body).at("aggregations", "all", "buckets")
        assert isinstance(buckets, list)
        found.update({int(bucket["key"]["n"]): bucket["doc_count"] for bucket in buckets})
        if len(buckets) < PAGE:
            return found
        composite["after"] = buckets[-1]["key"]


def documents(
    rest: Rest, index: str, query: Mapping[str, object] | None = None
) -> list[dict[str, object]]:
    """All documents that a query finds, at most a page of them."""
    rest.refresh(index)
    body = {"size": PAGE, "query": query or {"match_all": {}}}
    hits = rest.search(index, body).at("hits", "hits")
    assert isinstance(hits, list)
    return [hit["_source"] for hit in hits]


def letters(folder: Path, output: str = "search") -> list[dict[str, object]]:
    """The dead letters of an output of an agent that ran in `folder`."""
    segments = sorted((folder / "state" / "dead" / output).glob("*.ndjson"))
    return [json.loads(line) for path in segments for line in path.read_text().splitlines()]
