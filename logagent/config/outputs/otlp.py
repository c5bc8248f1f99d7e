"""The options of OpenTelemetry's protocol over HTTP.

Knows which belong together. Must not know how a record is made or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from logagent.config.outputs.common import OverHttp
from logagent.config.problems import Rule, enforce


class OtlpHttp(OverHttp, frozen=True, kw_only=True, tag_field="type", tag="otlp_http"):
    """An OpenTelemetry Collector, or what takes OTLP logs over HTTP."""

    path: Annotated[str, Meta(description="Path below each host.")] = "/v1/logs"
    ids: Annotated[
        bool,
        Meta(
            description="Give each record the attribute log.record.uid, made of file and offset: "
            "what was sent twice can be told by it.",
        ),
    ] = False

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def _broken(self) -> Iterator[Rule]:
        yield from self.broken_http()
        if not self.path.startswith("/"):
            yield Rule(("path",), "is not a path; start it with /")
        if not re.fullmatch(r"[!-~]*", self.path) or "#" in self.path:
            yield Rule(("path",), "has characters that a request can't have; write them as %XX")
