"""The options of Elasticsearch and OpenSearch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from logagent.config import names
from logagent.config.outputs.choosing import (
    Choose,
    broken_choices,
    broken_template,
)
from logagent.config.outputs.common import (
    Needed,
    OverHttp,
    aws_files,
    broken_headers,
    broken_place,
    broken_urls,
)
from logagent.config.problems import Rule, enforce
from logagent.config.secrets import Auth, Aws


class DataStream(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data stream; its name is type-dataset-namespace. Parts may be filled in, as in index."""

    type: Annotated[Literal["logs"], Meta(description="First part of the name.")] = "logs"
    dataset: Annotated[
        str,
        Meta(
            description="What the lines are, for instance the app's name.",
            examples=["{container}"],
        ),
    ] = "generic"
    namespace: Annotated[
        str,
        Meta(
            description="Whose they are, for instance the environment.",
            examples=["{namespace|default}"],
        ),
    ] = "default"

    def __post_init__(self) -> None:
        """Refuse names that the server refuses."""
        enforce(self._broken())

    def name(self) -> str:
        """The data stream's name, with its parts as they are written."""
        return f"{self.type}-{self.dataset}-{self.namespace}"

    def _broken(self) -> Iterator[Rule]:
        if why := names.bad_stream_part(self.dataset, dash=False):
            yield Rule(("dataset",), why)
        if why := names.bad_stream_part(self.namespace, dash=True):
            yield Rule(("namespace",), why)


class Elasticsearch(OverHttp, frozen=True, kw_only=True, tag_field="type", tag="elasticsearch"):
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
            "time in UTC; {namespace}, {container}, {pod}, {node}, {input}, {pod_uid} and {pod_ip} "
            "are the agent's, {namespace|text} has a text for where it isn't known; for names that "
            "a line chooses see choose.",
            examples=["checkout-%Y.%m.%d", "app-{namespace}-%Y.%m.%d"],
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
    choose: Annotated[
        dict[str, Choose],
        Meta(
            description="Parts of the name that the lines choose, each out of a list: with team in "
            "it, write {team} in index or data_stream. Costs CPU: each line is read for it.",
            examples=[{"team": {"field": "team", "allow": ["a", "b"], "fallback": "other"}}],
        ),
    ] = field(default_factory=dict)
    auth: Annotated[
        Auth | None,
        Meta(
            description="Credentials: an API key, or user name and password.",
            examples=[{"api_key_file": "/etc/logagent/secrets/api_key"}],
        ),
    ] = None
    aws: Annotated[
        Aws | None,
        Meta(
            description="Sign each request for Amazon OpenSearch Service, instead of auth.",
            examples=[{"region": "eu-central-1"}],
        ),
    ] = None
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
    target_in_path: Annotated[
        bool,
        Meta(
            description="Name the index or data stream in the request's path where all lines have "
            "the same. false: in each row, for servers that know no path but /_bulk, such as "
            "VictoriaLogs.",
        ),
    ] = True
    dead_letter_index: Annotated[
        str,
        Meta(
            description="An index or data stream for dead letters, on the same server, with dates "
            "if it has any: what is refused there too goes to a file under state_dir.",
            examples=["dead-letters-%Y.%m"],
        ),
    ] = ""
    # Wider than what others offer: mypy sees an attribute, msgspec an option of its own.
    on_reject: Annotated[
        Literal["wrap", "dead_letter", "drop", "block"],
        Meta(
            description="What becomes of a line that the server refuses for good. wrap: sent again "
            "as plain text, then a dead letter; dead_letter: to a file under state_dir; drop: "
            "counted; block: wait until the server takes it.",
        ),
    ] = "wrap"  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def endpoints(self) -> tuple[str, ...]:
        """The URLs to send to, whether given as hosts or as a cloud id; no slash at the end."""
        urls = (names.cloud_host(self.cloud_id),) if self.cloud_id else self.hosts
        return tuple(url.rstrip("/") for url in urls)

    def files(self) -> Iterator[Needed]:
        """See `Common.files`."""
        yield from super().files()
        yield from aws_files(self.aws)

    def target(self) -> str:
        """The name of the index or data stream, with its parts as they are written."""
        return self.data_stream.name() if self.data_stream else self.index

    def _broken(self) -> Iterator[Rule]:
        either = (("hosts",), ("cloud_id",))
        if self.hosts and self.cloud_id:
            yield Rule(("cloud_id",), "is given besides hosts; remove one", depends=either)
        if not self.hosts and not self.cloud_id:
            yield Rule(("hosts",), "is missing; name a server, or give cloud_id", depends=either)
        if self.cloud_id and not names.cloud_host(self.cloud_id):
            yield Rule(("cloud_id",), "is not a cloud id; copy it from the deployment's page")
        yield from self._broken_target()
        yield from self._broken_dead()
        yield from self._broken_template()
        if self.aws is not None and self.auth is not None:
            yield Rule(("aws",), "is given besides auth; remove one", depends=(("aws",), ("auth",)))
        if self.aws is not None and self.cloud_id:
            yield Rule(("aws",), "is given, but cloud_id isn't AWS's; name the domain under hosts")
        yield from broken_urls(self.hosts, self.tls)
        yield from broken_headers(self.headers)

    def _broken_dead(self) -> Iterator[Rule]:
        option = ("dead_letter_index",)
        if not self.dead_letter_index:
            return
        if why := names.bad_index(self.dead_letter_index):
            yield Rule(option, why)
        elif "{" in self.dead_letter_index:
            yield Rule(option, "is filled in with dates only; write a name without braces")
        yield from broken_place(*option, self.dead_letter_index, self.on_reject)

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
        if self.index and self.require_data_stream:
            yield Rule(
                ("require_data_stream",),
                "needs data_stream, but index is given; remove one",
                depends=either,
            )
        if self.pipeline and ("/" in self.pipeline or not self.pipeline.isprintable()):
            yield Rule(("pipeline",), "is not the name of an ingest pipeline")

    def _broken_template(self) -> Iterator[Rule]:
        text = self.index
        if text and (why := broken_template(text, self.choose) or names.bad_index(text)):
            yield Rule(("index",), why)
        if self.data_stream is not None:
            for name in ("dataset", "namespace"):
                text = getattr(self.data_stream, name)
                if why := broken_template(text, self.choose, dates=False):
                    yield Rule(("data_stream", name), why)
        yield from broken_choices(self.choose, self.target())
