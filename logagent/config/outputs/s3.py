"""The options of Amazon S3 and what speaks its protocol.

Knows which belong together. Must not know how an object is made or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta

from logagent.config.outputs.choosing import broken_template
from logagent.config.outputs.common import Needed, OverHttp, aws_files
from logagent.config.problems import Rule, enforce
from logagent.config.secrets import Aws

_BUCKET: Final = re.compile(r"(?!xn--|\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")
"""User Guide, "General purpose bucket naming rules"."""
_SIGNING: Final = frozenset({"x-amz-content-sha256", "x-amz-date", "x-amz-security-token"})


class S3(OverHttp, frozen=True, kw_only=True, tag_field="type", tag="s3"):
    """Objects in Amazon S3, or in what speaks its protocol. Each batch is an object."""

    bucket: Annotated[
        str, Meta(description="The bucket.", examples=["team-logs"], extra={"shown": True})
    ] = ""
    aws: Annotated[
        Aws | None,
        Meta(
            description="Region and credentials.",
            examples=[{"region": "eu-central-1"}],
            extra={"shown": True},
        ),
    ] = None
    hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="URLs of the store, several for failover. Without it: AWS's own, in the "
            "region.",
            examples=[["https://minio-1.example:9000"]],
        ),
    ] = ()
    addressing: Annotated[
        Literal["auto", "path", "virtual"],
        Meta(
            description="Where the bucket's name stands. path: in the path; virtual: in the host "
            "name; auto: in the path for hosts and for names with dots, else in the host name.",
        ),
    ] = "auto"
    key: Annotated[
        str,
        Meta(
            description="First part of an object's key; a hash of the content and .ndjson.gz "
            "follow. {namespace}, {pod}, {container}, {input} and so on are those of the object's "
            "first line, %Y %m %d %H its time in UTC.",
            examples=["logs/{namespace}/dt=%Y-%m-%d/{pod}-"],
        ),
    ] = "{namespace}/{pod}/%Y/%m/%d/%H/"
    batch_bytes: Annotated[
        int,
        Meta(
            ge=262144,
            le=64 << 20,
            description="Size at which an object is written, before compression. The memory "
            "budget may make it smaller.",
        ),
    ] = 32 << 20
    linger_s: Annotated[
        float,
        Meta(ge=0, le=300, description="How long an object waits for more lines."),
    ] = 60.0

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    @property
    def in_path(self) -> bool:
        """Whether the bucket stands in the path."""
        # With a dot in its name a bucket's host name matches no wildcard certificate.
        auto = bool(self.hosts) or "." in self.bucket
        return self.addressing == "path" or (self.addressing == "auto" and auto)

    def endpoints(self) -> tuple[str, ...]:
        """The URLs of the bucket, without a slash at the end."""
        assert self.aws is not None, "checked when loaded"
        china = ".cn" if self.aws.region.startswith("cn-") else ""
        amazon = f"https://s3.{self.aws.region}.amazonaws.com{china}"
        stores = tuple(url.rstrip("/") for url in self.hosts or (amazon,))
        if self.in_path:
            return tuple(f"{url}/{self.bucket}" for url in stores)
        return tuple(url.replace("://", f"://{self.bucket}.", 1) for url in stores)

    def files(self) -> Iterator[Needed]:
        """See `Common.files`."""
        yield from super().files()
        yield from aws_files(self.aws)

    def _broken(self) -> Iterator[Rule]:
        if not self.bucket:
            yield Rule(("bucket",), "is missing; name a bucket")
        elif not _BUCKET.fullmatch(self.bucket) or ".." in self.bucket:
            yield Rule(("bucket",), "is not a bucket's name: 3 to 63 of a-z, 0-9, '.' and '-'")
        if self.aws is None:
            yield Rule(("aws",), "is missing; write aws: {region: NAME}")
        if self.auth is not None:
            yield Rule(("auth",), "isn't what such a store asks for; name key files under aws")
        if not self.key or self.key.startswith("/"):
            yield Rule(("key",), "is not a key; write for instance {namespace}/{pod}/%Y/%m/%d/%H/")
        if why := broken_template(self.key, {}):
            yield Rule(("key",), why)
        if {"", ".", ".."} & set(self.key.split("/")[:-1]):
            yield Rule(("key",), "has an empty part, . or .. between slashes")
        for name in self.headers:
            if name.lower() in _SIGNING:
                yield Rule(("headers", name), "is written by the agent itself; remove it")
        yield from self.broken_reach()
