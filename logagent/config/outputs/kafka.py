"""The options of Kafka, under the names that its own clients use where there is one.

Knows which belong together. Must not know how a record is made or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from logagent.config.names import bad_env, bad_path
from logagent.config.outputs.choosing import Choose, broken_choices, broken_template
from logagent.config.outputs.common import (
    BatchBytes,
    Needed,
    Remote,
    Slots,
    broken_place,
    tls_files,
)
from logagent.config.problems import Path, Rule, enforce
from logagent.config.secrets import Tls

_SERVER: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_PART: Final = re.compile(r"\{[^{}]*\}|%[YmdH]")
_TOPIC: Final = re.compile(r"[a-zA-Z0-9._-]{1,249}")
"""`org.apache.kafka.common.internals.Topic`; `.` and `..` are refused too."""
_USER: Final = ("username", "username_file")
_PASSWORD: Final = ("password_file", "password_env")


class Sasl(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the agent is to the brokers."""

    mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
        Meta(description="How that is shown.", examples=["SCRAM-SHA-512"]),
    ]
    username: Annotated[str, Meta(description="User name.", examples=["logagent"])] = ""
    username_file: Annotated[
        str,
        Meta(
            description="File with the user name, read again when a broker refuses it.",
            examples=["/etc/logagent/secrets/username"],
        ),
    ] = ""
    password_file: Annotated[
        str,
        Meta(
            description="File with the password, read again when a broker refuses it.",
            examples=["/etc/logagent/secrets/password"],
        ),
    ] = ""
    password_env: Annotated[
        str,
        Meta(
            description="Environment variable with the password. It can't change while running.",
            examples=["KAFKA_PASSWORD"],
        ),
    ] = ""
    token_file: Annotated[
        str,
        Meta(
            description="File with the token for OAUTHBEARER, read at each connection.",
            examples=["/var/run/secrets/kafka/token"],
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Refuse what doesn't belong together."""
        enforce(self._broken())

    def _broken(self) -> Iterator[Rule]:
        for one, other in (_USER, _PASSWORD):
            if getattr(self, one) and getattr(self, other):
                yield Rule((other,), f"is given besides {one}; remove one", depends=((one,),))
        user, password = (any(getattr(self, name) for name in way) for way in (_USER, _PASSWORD))
        mechanism = (("mechanism",),)
        if self.mechanism == "OAUTHBEARER":
            if not self.token_file:
                yield Rule(("token_file",), "is missing; OAUTHBEARER needs it", depends=mechanism)
            if user or password:
                yield Rule((), "has a user or a password, but OAUTHBEARER takes only token_file")
        else:
            if self.token_file:
                text = f"is given, but {self.mechanism} takes a user and a password"
                yield Rule(("token_file",), text, depends=mechanism)
            for (one, other), given in ((_USER, user), (_PASSWORD, password)):
                if not given:
                    text = f"is missing; {self.mechanism} needs it or {other}"
                    yield Rule((one,), text, depends=(*mechanism, (other,)))
        for name in ("username_file", "password_file", "token_file"):
            path: str = getattr(self, name)
            if path and (why := bad_path(path)):
                yield Rule((name,), why)
        if self.password_env and (why := bad_env(self.password_env)):
            yield Rule(("password_env",), why)


class KeyField(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key out of the line."""

    field: Annotated[
        str,
        Meta(
            min_length=1,
            description="The field whose text is the key: a top-level name, or a dotted path. A "
            "line without it has its file's.",
            examples=["user.id"],
        ),
    ]


class Kafka(Remote, frozen=True, kw_only=True, tag_field="type", tag="kafka"):
    """Apache Kafka 2.1 and newer, or what speaks its protocol."""

    bootstrap_servers: Annotated[
        tuple[str, ...],
        Meta(
            description="Brokers to ask for the others, as host:port.",
            examples=[["kafka-1.example:9092", "kafka-2.example:9092"]],
            extra={"shown": True},
        ),
    ] = ()
    topic: Annotated[
        str,
        Meta(
            description="The topic; it must be there, and is never created. {namespace}, {pod}, "
            "{container}, {input} and so on are filled in; so are %Y %m %d %H, the event's time in "
            "UTC, and the names in choose.",
            examples=["app-logs"],
            extra={"shown": True},
        ),
    ] = ""
    dead_letter_topic: Annotated[
        str,
        Meta(description="A topic for dead letters, which else are in files.", examples=["dead"]),
    ] = ""
    choose: Annotated[
        dict[str, Choose],
        Meta(
            description="Parts of the topic that lines choose, by the name they have in it: a field"
            " whose value is taken if it is in the list.",
            examples=[{"team": {"field": "team", "allow": ["payments"], "fallback": "other"}}],
        ),
    ] = field(default_factory=dict)
    key: Annotated[
        Literal["file", "none"] | KeyField,
        Meta(
            description="What the partition is chosen by, as Java's client does. file: a file's "
            "lines stay together, in order; none: each batch goes to some partition; {field: NAME}:"
            " the text of a field.",
            examples=[{"field": "user.id"}],
        ),
    ] = "file"
    headers: Annotated[
        dict[str, str],
        Meta(description="Headers of each record.", examples=[{"cluster": "eu-1"}]),
    ] = field(default_factory=dict)
    id_header: Annotated[
        str,
        Meta(description='Header with the event\'s id, the same in each copy of a line. "": none.'),
    ] = "logagent-id"
    file_header: Annotated[
        str,
        Meta(
            description="Header with the path of the file. Without it: none.",
            examples=["logagent-file"],
        ),
    ] = ""
    compression: Annotated[
        Literal["zstd", "lz4", "snappy", "gzip", "none"],
        Meta(
            description="How batches are compressed. zstd makes them smallest, gzip takes the "
            "agent the least CPU."
        ),
    ] = "zstd"
    max_message_bytes: Annotated[
        int,
        Meta(
            ge=10_000,
            le=100_000_000,
            description="The largest batch, compressed: not above max.message.bytes of the topic.",
        ),
    ] = 1_000_000
    security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        Meta(description="Whether connections are encrypted, and whether the agent logs in."),
    ] = "PLAINTEXT"
    sasl: Annotated[
        Sasl | None,
        Meta(
            description="Credentials, with SASL_SSL or SASL_PLAINTEXT.",
            examples=[
                {
                    "mechanism": "SCRAM-SHA-512",
                    "username": "logagent",
                    "password_file": "/etc/logagent/secrets/password",
                }
            ],
        ),
    ] = None
    tls: Annotated[
        Tls | None,
        Meta(
            description="TLS, with SSL or SASL_SSL.",
            examples=[{"ca_file": "/etc/logagent/tls/ca.crt"}],
        ),
    ] = None
    client_id: Annotated[
        str, Meta(min_length=1, description="What brokers call the agent in logs and quotas.")
    ] = "logagent"
    transactional: Annotated[
        bool,
        Meta(
            description="Write each batch in a transaction: consumers that read committed records "
            "see all of it or nothing. Copies of a batch remain possible."
        ),
    ] = False
    batch_bytes: BatchBytes = 2 << 20
    slots: Slots = 1

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def files(self) -> Iterator[Needed]:
        """See `Common.files`."""
        for name in ("username_file", "password_file", "token_file"):
            path: str = getattr(self.sasl, name, "")
            if path:
                yield Needed("secret", path, ("sasl", name))
        yield from tls_files(self.tls)

    def variables(self) -> Iterator[tuple[Path, str]]:
        """See `Common.variables`."""
        if self.sasl is not None and self.sasl.password_env:
            yield ("sasl", "password_env"), self.sasl.password_env

    def _broken(self) -> Iterator[Rule]:
        if not self.bootstrap_servers:
            yield Rule(("bootstrap_servers",), "is missing; name a broker, as host:port")
        for index, server in enumerate(self.bootstrap_servers):
            match = _SERVER.fullmatch(server)
            if match is None or not 1 <= int(match[2]) <= 65535:
                text = "is not host:port such as kafka-1.example:9092"
                yield Rule(("bootstrap_servers", index), text)
        yield from self._broken_topic()
        yield from self._broken_headers()
        protocol = (("security_protocol",),)
        if self.sasl is not None and not self.security_protocol.startswith("SASL_"):
            text = f"is given, but security_protocol is {self.security_protocol}; write SASL_SSL"
            yield Rule(("sasl",), text, depends=protocol)
        if self.sasl is None and self.security_protocol.startswith("SASL_"):
            text = f"is missing; {self.security_protocol} needs it"
            yield Rule(("sasl",), text, depends=protocol)
        if self.tls is not None and not self.security_protocol.endswith("SSL"):
            wanted = "SASL_SSL" if self.sasl else "SSL"
            text = f"is given, but security_protocol is {self.security_protocol}; write {wanted}"
            yield Rule(("tls",), text, depends=protocol)

    def _broken_topic(self) -> Iterator[Rule]:
        plain = _PART.sub("x", self.topic)
        if not self.topic:
            yield Rule(("topic",), "is missing; name a topic")
        elif why := broken_template(self.topic, self.choose):
            yield Rule(("topic",), why, depends=(("choose",),))
        elif not _TOPIC.fullmatch(plain) or plain in {".", ".."}:
            yield Rule(("topic",), "is no topic's name: at most 249 of a-z, A-Z, 0-9, '.', _ and -")
        if self.dead_letter_topic and not _TOPIC.fullmatch(self.dead_letter_topic):
            yield Rule(("dead_letter_topic",), "is no topic's name")
        yield from broken_place("dead_letter_topic", self.dead_letter_topic, self.on_reject)
        yield from broken_choices(self.choose, self.topic)
        for name, choice in self.choose.items():
            for value in (*choice.allow, choice.fallback):
                if not _TOPIC.fullmatch(value):
                    text = f"has {value!r}, which can't be in a topic's name"
                    yield Rule(("choose", name), text)

    def _broken_headers(self) -> Iterator[Rule]:
        if "" in self.headers:
            yield Rule(("headers",), "has one without a name")
        if self.id_header and self.id_header == self.file_header:
            yield Rule(("file_header",), "is the name of id_header too", depends=(("id_header",),))
        for option in ("id_header", "file_header"):
            name: str = getattr(self, option)
            if name and name in self.headers:
                text = f"is the name in {option} too; take another"
                yield Rule(("headers", name), text, depends=((option,),))
