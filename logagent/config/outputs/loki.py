"""The options of Grafana Loki's push API.

Knows which belong together. Must not know how an entry is made or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from logagent.config.outputs.choosing import Choose, broken_choices, broken_template
from logagent.config.outputs.common import OverHttp
from logagent.config.problems import Rule, enforce

DEFAULT_LABELS: Final[dict[str, str]] = {
    "app": "{input}",
    "namespace": "{namespace|none}",
    "pod": "{pod|none}",
}
"""One stream for each input of a pod."""
LABELS_MAX: Final = 15
"""Loki's own limit (`max_label_names_per_series`)."""
_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


class Loki(OverHttp, frozen=True, kw_only=True, tag_field="type", tag="loki"):
    """Grafana Loki, or what takes its push API."""

    path: Annotated[str, Meta(description="Path of the push API below each host.")] = (
        "/loki/api/v1/push"
    )
    tenant: Annotated[
        str,
        Meta(
            description="Tenant to write for: the header X-Scope-OrgID. Without it: none is sent.",
            examples=["team-a"],
        ),
    ] = ""
    labels: Annotated[
        dict[str, str],
        Meta(
            description="Labels of the streams, with names of the agent; a stream for each "
            "combination, so few. Without it: app (the input's name), namespace and pod.",
            examples=[{"app": "{container|app}", "namespace": "{namespace}"}],
        ),
    ] = msgspec.field(default_factory=dict)
    choose: Annotated[
        dict[str, Choose],
        Meta(
            description="Parts of labels that lines choose: {level} is one of the values that "
            "choose.level allows.",
            examples=[{"level": {"field": "level", "allow": ["error"], "fallback": "other"}}],
        ),
    ] = msgspec.field(default_factory=dict)
    line: Annotated[
        Literal["document", "message"],
        Meta(
            description="What Loki keeps as the line. document: the whole document, as JSON; "
            "message: its message alone, all other fields are lost.",
        ),
    ] = "document"
    ids: Annotated[
        bool,
        Meta(
            description="Give each line structured metadata logagent_id, made of file and offset. "
            "Loki must allow structured metadata (3.0 and newer do).",
        ),
    ] = False

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def every_label(self) -> dict[str, str]:
        """The labels, or those that stand for none."""
        return self.labels or DEFAULT_LABELS

    def _broken(self) -> Iterator[Rule]:
        yield from self.broken_http()
        if not self.path.startswith("/"):
            yield Rule(("path",), "is not a path; start it with /")
        if not re.fullmatch(r"[!-~]*", self.path) or "#" in self.path:
            yield Rule(("path",), "has characters that a request can't have; write them as %XX")
        for name, text in self.labels.items():
            if not _LABEL.fullmatch(name):
                yield Rule(("labels", name), "is not a label's name; it has letters, digits and _")
            if why := broken_template(text, self.choose, dates=False):
                yield Rule(("labels", name), why)
            if not text:
                yield Rule(("labels", name), "is empty; Loki knows no empty label")
        if len(self.labels) > LABELS_MAX:
            yield Rule(("labels",), f"has {len(self.labels)} labels; Loki takes {LABELS_MAX}")
        yield from broken_choices(self.choose, *self.labels.values())
        if self.tenant and not self.tenant.isprintable():
            yield Rule(("tenant",), "has characters that no header can have")
        if self.tenant and any(name.lower() == "x-scope-orgid" for name in self.headers):
            yield Rule(
                ("tenant",),
                "is given besides the header X-Scope-OrgID; remove one",
                depends=(("headers",),),
            )
