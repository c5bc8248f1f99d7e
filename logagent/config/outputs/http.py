"""The options of a generic HTTP endpoint.

Knows which belong together. Must not know what a status does to rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from logagent.config.outputs.common import OverHttp
from logagent.config.problems import Rule, enforce

_TYPE: Final = re.compile(r"[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+(?:; ?[ -~]+)?")

_STATUS: Final = re.compile(r"[1-5](?:xx|[0-9]{2})")

Status = int | str
"""A status, or a class of them (5xx). Its form is a rule: a bound's message wouldn't say it."""


class Statuses(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a status means where it isn't what it usually means (409, or 4xx for all of a kind)."""

    delivered: Annotated[
        tuple[Status, ...],
        Meta(description="Every line is there. Usually 2xx.", examples=[[409]]),
    ] = ()
    rejected: Annotated[
        tuple[Status, ...],
        Meta(
            description="The server will take none of these lines; see on_reject.", examples=[[406]]
        ),
    ] = ()
    halve: Annotated[
        tuple[Status, ...],
        Meta(
            description="Too much at once, or a bad line among them: sent in halves, a single "
            "line is rejected. Usually 400, 413 and 422.",
            examples=[[400, 413, 422]],
        ),
    ] = ()
    retry: Annotated[
        tuple[Status, ...],
        Meta(
            description="The same again, after a pause. Usually 408, 425, 429 and 5xx.",
            examples=[[404, "5xx"]],
        ),
    ] = ()
    credentials: Annotated[
        tuple[Status, ...],
        Meta(
            description="The same again with secrets read anew. Usually 401 and 403.",
            examples=[[401, 403, 407]],
        ),
    ] = ()
    hold: Annotated[
        tuple[Status, ...],
        Meta(
            description="Only a person helps: tried again slowly. Usually 3xx and the other 4xx.",
            examples=[["3xx"]],
        ),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def _broken(self) -> Iterator[Rule]:
        seen: dict[str, str] = {}
        for name in self.__struct_fields__:
            statuses: tuple[int | str, ...] = getattr(self, name)
            for index, status in enumerate(statuses):
                if not _STATUS.fullmatch(str(status)):
                    yield Rule((name, index), f"{status} is not a status such as 409 or 5xx")
                other = seen.setdefault(str(status), name)
                if other != name:
                    yield Rule(
                        (name, index),
                        f"{status} is in {other} too; remove one",
                        depends=((other,),),
                    )


class Http(OverHttp, frozen=True, kw_only=True, tag_field="type", tag="http"):
    """Any HTTP endpoint that takes JSON documents."""

    path: Annotated[
        str,
        Meta(
            description="Path (and query) below each host.",
            examples=["/insert/jsonline?_time_field=@timestamp&_msg_field=message"],
        ),
    ] = "/"
    method: Annotated[Literal["POST", "PUT"], Meta(description="The method.")] = "POST"
    body: Annotated[
        Literal["ndjson", "array"],
        Meta(description="ndjson: a document a line; array: one JSON array a request."),
    ] = "ndjson"
    content_type: Annotated[
        str,
        Meta(
            description="The body's type. Without it: application/x-ndjson, or application/json "
            "for an array.",
            examples=["application/stream+json"],
        ),
    ] = ""
    statuses: Annotated[
        Statuses | None,
        Meta(
            description="What the server's statuses mean, where they mean something else than "
            "usual.",
            examples=[{"delivered": [409], "retry": [404]}],
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def _broken(self) -> Iterator[Rule]:
        yield from self.broken_http()
        if not self.path.startswith("/"):
            yield Rule(("path",), "is not a path; start it with /")
        if not re.fullmatch(r"[!-~]*", self.path) or "#" in self.path:
            yield Rule(("path",), "has characters that a request can't have; write them as %XX")
        if self.content_type and not _TYPE.fullmatch(self.content_type):
            yield Rule(("content_type",), "is not a media type such as application/json")
        if self.auth is not None and (self.auth.api_key_file or self.auth.api_key_env):
            yield Rule(
                ("auth",),
                "has an API key, which is Elasticsearch's own way; use token_file or a user",
            )
