"""The options of Splunk's HTTP Event Collector.

Knows which belong together. Must not know how an event is made or sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, field

from logagent.config.names import bad_env, bad_path
from logagent.config.outputs.choosing import Choose, broken_choices, broken_template
from logagent.config.outputs.common import BatchBytes, Needed, OverHttp
from logagent.config.problems import Path, Rule, enforce

CHANNEL: Final = "x-splunk-request-channel"


class SplunkHec(OverHttp, frozen=True, kw_only=True, tag_field="type", tag="splunk_hec"):
    """Splunk's HTTP Event Collector, or what takes its events."""

    token_file: Annotated[
        str,
        Meta(
            description="File with the collector's token. Read again when the server refuses it.",
            examples=["/etc/logagent/secrets/token"],
            extra={"shown": True},
        ),
    ] = ""
    token_env: Annotated[
        str,
        Meta(
            description="Environment variable with the token. It can't change while running.",
            examples=["HEC_TOKEN"],
        ),
    ] = ""
    index: Annotated[
        str,
        Meta(
            description="Index to write to, with names of the agent; the token must allow it. "
            "Without it: the token's own.",
            examples=["app-{namespace}"],
        ),
    ] = ""
    choose: Annotated[
        dict[str, Choose],
        Meta(
            description="Parts of the index's name that lines choose: {team} is one of the values "
            "that choose.team allows.",
            examples=[{"team": {"field": "team", "allow": ["payments"], "fallback": "other"}}],
        ),
    ] = field(default_factory=dict)
    host: Annotated[
        str,
        Meta(
            description="An event's host, with names of the agent. Without it: the pod, else the "
            "node.",
            examples=["{node}"],
        ),
    ] = ""
    source: Annotated[
        str,
        Meta(
            description="An event's source, with names of the agent. Without it: the file.",
            examples=["{namespace}/{pod}/{container|app}"],
        ),
    ] = ""
    sourcetype: Annotated[
        str, Meta(min_length=1, description="An event's source type: how Splunk reads it.")
    ] = "_json"
    fields: Annotated[
        dict[str, str],
        Meta(
            description="Indexed fields to give each event, beside what is in it.",
            examples=[{"cluster": "prod-1"}],
        ),
    ] = field(default_factory=dict)
    ids: Annotated[
        bool,
        Meta(
            description="Give each event an indexed field logagent_id, made of file and offset: "
            "what was sent twice can be told by it.",
        ),
    ] = False
    acks: Annotated[
        Literal["auto", "required", "never"],
        Meta(
            description="Indexer acknowledgement. auto: wait for it wherever the token has it; "
            "required: send nothing with a token that hasn't; never: lines are done when the "
            "collector has received them, though it may still lose them.",
        ),
    ] = "auto"
    ack_poll_s: Annotated[
        float, Meta(ge=0.1, le=60, description="How often to ask what is indexed.")
    ] = 1.0
    ack_timeout_s: Annotated[
        float,
        Meta(ge=1, le=3600, description="How long to wait for it before sending again."),
    ] = 300.0
    on_config_error: Annotated[
        Literal["hold", "reject"],
        Meta(
            description="What happens when the token may not write to the index. hold: wait until "
            "it may, or index is changed; reject: as on_reject says.",
        ),
    ] = "hold"
    slots: Annotated[
        int,
        Meta(
            ge=1,
            le=64,
            description="Requests under way at once, at most, those included that wait for their "
            "acknowledgement. 1 keeps each file's order.",
        ),
    ] = 8
    batch_bytes: BatchBytes = 4 << 20

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def files(self) -> Iterator[Needed]:
        """See `Common.files`."""
        yield from super().files()
        if self.token_file:
            yield Needed("secret", self.token_file, ("token_file",))

    def variables(self) -> Iterator[tuple[Path, str]]:
        """See `Common.variables`."""
        yield from super().variables()
        if self.token_env:
            yield ("token_env",), self.token_env

    def _broken(self) -> Iterator[Rule]:
        yield from self.broken_http()
        yield from self._broken_token()
        for name in self.headers:
            if name.lower() == CHANNEL:
                yield Rule(("headers", name), "is written by the agent itself; remove it")
        for name in self.fields:
            if name == "logagent_id":
                yield Rule(("fields", name), "is the name of the event's id; take another")
            if not name or name.startswith("_"):
                yield Rule(
                    ("fields", name), "is no name for a field: it is empty, or starts with _"
                )
        if why := broken_template(self.index, self.choose, dates=False):
            yield Rule(("index",), why, depends=(("choose",),))
        for name in ("host", "source"):
            if why := broken_template(getattr(self, name), {}, dates=False):
                yield Rule((name,), why)
        yield from broken_choices(self.choose, self.index)
        if self.acks == "never" and self.ack_timeout_s != 300.0:
            yield Rule(
                ("ack_timeout_s",),
                "is given, but acks is never; remove one",
                depends=(("acks",),),
            )

    def _broken_token(self) -> Iterator[Rule]:
        given = (("token_file",), ("token_env",), ("auth",))
        if self.token_file and self.token_env:
            yield Rule(("token_env",), "is given besides token_file; remove one", depends=given)
        if (self.token_file or self.token_env) and self.auth is not None:
            yield Rule(("auth",), "is given besides the token; remove one", depends=given)
        if not (self.token_file or self.token_env or self.auth is not None):
            yield Rule(
                ("token_file",), "is missing; name a file with the collector's token", depends=given
            )
        if self.token_file and (why := bad_path(self.token_file)):
            yield Rule(("token_file",), why)
        if self.token_env and (why := bad_env(self.token_env)):
            yield Rule(("token_env",), why)
