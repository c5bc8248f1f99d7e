"""The options of an output: where to, how it is packed, what happens to what is refused.

A closed union on `type`. Knows one output at a time; relations to inputs are in model.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from logagent.config import names
from logagent.config.problems import Rule, enforce
from logagent.config.secrets import Auth, Tls


class Common(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every output has."""

    inputs: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Ids of the inputs whose lines go here. Without it: all inputs.",
            examples=[["app"]],
        ),
    ] = ()
    batch_bytes: Annotated[
        int,
        Meta(
            ge=262144,
            le=64 << 20,
            description="Size at which a batch is sent, before compression. The memory budget may "
            "make it smaller.",
        ),
    ] = 8 << 20
    linger_s: Annotated[
        float,
        Meta(ge=0, le=60, description="How long a batch waits for more lines."),
    ] = 1.0


class DataStream(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data stream; its name is type-dataset-namespace."""

    type: Annotated[Literal["logs"], Meta(description="First part of the name.")] = "logs"
    dataset: Annotated[
        str, Meta(description="What the lines are, for instance the app's name.")
    ] = "generic"
    namespace: Annotated[str, Meta(description="Whose they are, for instance the environment.")] = (
        "default"
    )

    def __post_init__(self) -> None:
        """Refuse names that the server refuses."""
        enforce(self._broken())

    def name(self) -> str:
        """The data stream's name."""
        return f"{self.type}-{self.dataset}-{self.namespace}"

    def _broken(self) -> Iterator[Rule]:
        if why := names.bad_stream_part(self.dataset, dash=False):
            yield Rule(("dataset",), why)
        if why := names.bad_stream_part(self.namespace, dash=True):
            yield Rule(("namespace",), why)


class Elasticsearch(Common, frozen=True, kw_only=True, tag_field="type", tag="elasticsearch"):
    """Elasticsearch 7.17 and newer, or OpenSearch."""

    hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="URLs of the servers, several for failover; a path is kept as a prefix.",
            examples=[["https://es-1.example:9200", "https://es-2.example:9200/prefix"]],
            extra={"shown": True},
        ),
    ] = ()
    cloud_id: Annotated[
        str,
        Meta(
            description="Elastic Cloud id, instead of hosts.",
            examples=["prod:ZXUuZXhhbXBsZS5jb20kYWJjJGRlZg=="],
        ),
    ] = ""
    index: Annotated[
        str,
        Meta(
            description="Name of the index, instead of data_stream. %Y %m %d %H are the event's "
            "time in UTC.",
            examples=["checkout-%Y.%m.%d"],
        ),
    ] = ""
    data_stream: Annotated[
        DataStream | None,
        Meta(
            description="The data stream to write to, instead of index.",
            examples=[{"dataset": "checkout", "namespace": "prod"}],
            extra={"shown": True},
        ),
    ] = None
    auth: Annotated[
        Auth | None,
        Meta(
            description="Credentials: an API key, or user name and password.",
            examples=[{"api_key_file": "/etc/logagent/secrets/api_key"}],
        ),
    ] = None
    tls: Annotated[
        Tls | None,
        Meta(
            description="TLS for https hosts.",
            examples=[{"ca_file": "/etc/logagent/tls/ca.crt"}],
        ),
    ] = None
    compression: Annotated[
        Literal["gzip", "none"], Meta(description="How request bodies are compressed.")
    ] = "gzip"
    ids: Annotated[
        bool,
        Meta(
            description="Give each document an id made of file and offset, so that a line that is "
            "sent twice is stored once. Costs the server a look-up a line.",
        ),
    ] = False
    pipeline: Annotated[
        str, Meta(description="Ingest pipeline to send through.", examples=["parse-nginx"])
    ] = ""
    require_data_stream: Annotated[
        bool,
        Meta(
            description="Have the server refuse to create a plain index where a data stream is "
            "missing. Elasticsearch 8.13 and newer, not OpenSearch.",
        ),
    ] = False
    slots: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            description="Requests under way at once, at most. 1 keeps each file's order.",
        ),
    ] = 2
    timeout_s: Annotated[
        float, Meta(ge=1, le=600, description="How long one request may take.")
    ] = 60.0
    retry_max_s: Annotated[
        float,
        Meta(ge=0.1, le=3600, description="Longest pause between attempts; they never end."),
    ] = 30.0
    on_reject: Annotated[
        Literal["wrap", "dead_letter", "drop", "block"],
        Meta(
            description="What becomes of a line that the server refuses for good. wrap: sent again "
            "as plain text, then a dead letter; dead_letter: to a file under state_dir; drop: "
            "counted; block: wait until the server takes it.",
        ),
    ] = "wrap"
    dead_letter_bytes_max: Annotated[
        int,
        Meta(ge=0, description="How much the dead letters of this output may take on disk."),
    ] = 64 << 20

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def endpoints(self) -> tuple[str, ...]:
        """The URLs to send to, whether given as hosts or as a cloud id; no slash at the end."""
        urls = (names.cloud_host(self.cloud_id),) if self.cloud_id else self.hosts
        return tuple(url.rstrip("/") for url in urls)

    def _broken(self) -> Iterator[Rule]:
        either = (("hosts",), ("cloud_id",))
        if self.hosts and self.cloud_id:
            yield Rule(("cloud_id",), "is given besides hosts; remove one", depends=either)
        if not self.hosts and not self.cloud_id:
            yield Rule(("hosts",), "is missing; name a server, or give cloud_id", depends=either)
        for index, url in enumerate(self.hosts):
            if why := names.bad_url(url):
                yield Rule(("hosts", index), why)
        if self.cloud_id and not names.cloud_host(self.cloud_id):
            yield Rule(("cloud_id",), "is not a cloud id; copy it from the deployment's page")
        yield from self._broken_target()
        plain = [index for index, url in enumerate(self.hosts) if url.startswith("http://")]
        if self.tls is not None and plain:
            yield Rule(
                ("tls",),
                f"is given, but hosts[{plain[0]}] is not https; write https:// or remove tls",
                depends=(("hosts",),),
            )

    def _broken_target(self) -> Iterator[Rule]:
        either = (("index",), ("data_stream",))
        if self.index and self.data_stream is not None:
            yield Rule(("index",), "is given besides data_stream; remove one", depends=either)
        if not self.index and self.data_stream is None:
            yield Rule(
                ("index",),
                "is missing; write index: NAME, or data_stream: {dataset: NAME}",
                depends=either,
            )
        if self.index and (why := names.bad_index(self.index)):
            yield Rule(("index",), why)
        if self.index and self.require_data_stream:
            yield Rule(
                ("require_data_stream",),
                "needs data_stream, but index is given; remove one",
                depends=either,
            )
        if self.pipeline and ("/" in self.pipeline or not self.pipeline.isprintable()):
            yield Rule(("pipeline",), "is not the name of an ingest pipeline")


class File(Common, frozen=True, kw_only=True, tag_field="type", tag="file"):
    """A file of JSON lines."""

    path: Annotated[
        str,
        Meta(
            description="The file; lines are appended, and durable before the cursor moves.",
            examples=["/var/spool/logagent/out.ndjson"],
        ),
    ]

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        if why := names.bad_path(self.path):
            enforce([Rule(("path",), why)])
        if self.path.endswith("/"):
            enforce([Rule(("path",), "names a directory; name a file in it")])


class Stdout(Common, frozen=True, kw_only=True, tag_field="type", tag="stdout"):
    """JSON lines on standard output."""


Output = Elasticsearch | File | Stdout
