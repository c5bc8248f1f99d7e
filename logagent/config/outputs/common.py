"""What several outputs have: the options of a batch, of a server that can refuse, of HTTP.

Knows no kind of output. Each kind inherits from one of these and says what differs. Must not read a
file that an option names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

from logagent.config import names
from logagent.config.problems import Path, Rule
from logagent.config.secrets import Auth, Aws, Tls

FileKind = Literal["secret", "ca", "cert", "key"]


class Needed(NamedTuple):
    """A file that an output can't work without, and the option (below the output) that names it."""

    kind: FileKind
    path: str
    option: Path


BatchBytes = Annotated[
    int,
    Meta(
        ge=262144,
        le=64 << 20,
        description="Size at which a batch is sent, before compression. The memory budget may "
        "make it smaller.",
    ),
]
"""The option `batch_bytes`, for outputs with a default of their own."""

Slots = Annotated[
    int,
    Meta(
        ge=1,
        le=64,
        description="Requests under way at once, at most. 1 keeps each file's order.",
    ),
]
"""The option `slots`, likewise."""


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
    batch_bytes: BatchBytes = 8 << 20
    linger_s: Annotated[
        float,
        Meta(ge=0, le=300, description="How long a batch waits for more lines."),
    ] = 1.0

    def files(self) -> Iterator[Needed]:
        """The secrets and certificates that the options name."""
        yield from ()

    def variables(self) -> Iterator[tuple[Path, str]]:
        """Options that name an environment variable, and the variable."""
        yield from ()


class Remote(Common, frozen=True, kw_only=True):
    """What every output over a network has."""

    slots: Slots = 2
    timeout_s: Annotated[
        float, Meta(ge=1, le=600, description="How long one request may take.")
    ] = 60.0
    retry_max_s: Annotated[
        float,
        Meta(ge=0.1, le=3600, description="Longest pause between attempts; they never end."),
    ] = 30.0
    on_reject: Annotated[
        Literal["dead_letter", "drop", "block"],
        Meta(
            description="What becomes of a line that the server refuses for good. dead_letter: to "
            "a file under state_dir; drop: counted; block: wait until the server takes it.",
        ),
    ] = "dead_letter"
    dead_letter_bytes_max: Annotated[
        int,
        Meta(
            ge=0,
            description="How much the dead letters of this output may take on disk. The oldest go "
            "first; how many is said and counted.",
        ),
    ] = 64 << 20


class OverHttp(Remote, frozen=True, kw_only=True):
    """What every output over HTTP has."""

    hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="URLs of the servers, several for failover; a path is kept as a prefix.",
            examples=[["https://logs-1.example", "https://logs-2.example:8443/prefix"]],
            extra={"shown": True},
        ),
    ] = ()
    auth: Annotated[
        Auth | None,
        Meta(
            description="Credentials: a bearer token, or user name and password.",
            examples=[{"token_file": "/etc/logagent/secrets/token"}],
        ),
    ] = None
    tls: Annotated[
        Tls | None,
        Meta(
            description="TLS for https hosts.",
            examples=[{"ca_file": "/etc/logagent/tls/ca.crt"}],
        ),
    ] = None
    headers: Annotated[
        dict[str, str],
        Meta(
            description="Headers to add to each request. Secrets don't belong here.",
            examples=[{"x-scope-orgid": "team-a"}],
        ),
    ] = {}
    compression: Annotated[
        Literal["gzip", "none"], Meta(description="How request bodies are compressed.")
    ] = "gzip"

    def endpoints(self) -> tuple[str, ...]:
        """The URLs to send to, without a slash at the end."""
        return tuple(url.rstrip("/") for url in self.hosts)

    def files(self) -> Iterator[Needed]:
        """See `Common.files`."""
        yield from auth_files(self.auth)
        yield from tls_files(self.tls)

    def variables(self) -> Iterator[tuple[Path, str]]:
        """See `Common.variables`."""
        for option in ("api_key_env", "password_env", "token_env"):
            if self.auth is not None and (variable := getattr(self.auth, option)):
                yield ("auth", option), variable

    def broken_http(self) -> Iterator[Rule]:
        """What is wrong with hosts, tls and headers."""
        if not self.hosts:
            yield Rule(("hosts",), "is missing; name a server")
        yield from self.broken_reach()

    def broken_reach(self) -> Iterator[Rule]:
        """The same for an output that has servers of its own."""
        yield from broken_urls(self.hosts, self.tls)
        yield from broken_headers(self.headers)


def broken_place(option: str, place: str, on_reject: str) -> Iterator[Rule]:
    """What is wrong with a place for dead letters on the server, as far as that isn't its name."""
    if place and on_reject not in ("wrap", "dead_letter"):
        text = f"needs on_reject: dead_letter, but that is {on_reject}; remove one"
        yield Rule((option,), text, depends=(("on_reject",),))


def broken_urls(hosts: Sequence[str], tls: Tls | None) -> Iterator[Rule]:
    """What is wrong with servers' URLs."""
    for index, url in enumerate(hosts):
        if why := names.bad_url(url):
            yield Rule(("hosts", index), why)
    plain = [index for index, url in enumerate(hosts) if url.startswith("http://")]
    if tls is not None and plain:
        yield Rule(
            ("tls",),
            f"is given, but hosts[{plain[0]}] is not https; write https:// or remove tls",
            depends=(("hosts",),),
        )


def broken_headers(headers: dict[str, str]) -> Iterator[Rule]:
    """What is wrong with headers to add."""
    for name, value in headers.items():
        if why := names.bad_header(name, value):
            yield Rule(("headers", name), why)


def auth_files(auth: Auth | None) -> Iterator[Needed]:
    """The secret files of credentials."""
    for name in ("api_key_file", "username_file", "password_file", "token_file"):
        path: str = getattr(auth, name, "")
        if path:
            yield Needed("secret", path, ("auth", name))


def tls_files(tls: Tls | None) -> Iterator[Needed]:
    """The certificates of TLS options."""
    kinds: dict[str, FileKind] = {"ca_file": "ca", "cert_file": "cert", "key_file": "key"}
    for name, kind in kinds.items():
        path: str = getattr(tls, name, "")
        if path:
            yield Needed(kind, path, ("tls", name))


def aws_files(aws: Aws | None) -> Iterator[Needed]:
    """The secret files of AWS credentials."""
    for name in ("access_key_file", "secret_key_file", "session_token_file"):
        path: str = getattr(aws, name, "")
        if path:
            yield Needed("secret", path, ("aws", name))
