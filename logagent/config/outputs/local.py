"""The options of the outputs that stay on this machine: a file, standard output.

Knows which belong together. Must not look whether a path is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta

from logagent.config import names
from logagent.config.outputs.common import Common
from logagent.config.problems import Rule, enforce

ROTATE_BYTES_MIN: Final = 1 << 20
"""Below, files would be renamed more than they are written. A batch isn't cut, so a file may hold
one batch whatever its size."""


class File(Common, frozen=True, kw_only=True, tag_field="type", tag="file"):
    """A file of JSON lines."""

    path: Annotated[
        str,
        Meta(
            description="The file; lines are appended. Its directory is made when it isn't there.",
            examples=["/var/spool/logagent/out.ndjson"],
        ),
    ]
    rotate_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="Size at which the file becomes path.1, that one path.2 and so on. "
            "0: never; whoever rotates it instead may rename it at any time.",
            examples=[1 << 30],
        ),
    ] = 0
    keep: Annotated[
        int,
        Meta(ge=1, le=1000, description="How many rotated files stay; the oldest is deleted."),
    ] = 5
    fsync: Annotated[
        Literal["batch", "never"],
        Meta(
            description="batch: lines are on the disk before the cursor passes them. never: the "
            "kernel decides, and when the machine itself stops, lines of the last seconds are "
            "lost that count as delivered.",
        ),
    ] = "batch"

    def paths(self) -> Iterator[str]:
        """All files that it writes or renames to."""
        yield self.path
        if self.rotate_bytes:
            yield from (f"{self.path}.{number}" for number in range(1, self.keep + 1))

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        if 0 < self.rotate_bytes < ROTATE_BYTES_MIN:
            enforce([Rule(("rotate_bytes",), f"is less than {ROTATE_BYTES_MIN} and not 0")])
        if why := names.bad_path(self.path):
            enforce([Rule(("path",), why)])
        if self.path.endswith("/"):
            enforce([Rule(("path",), "names a directory; name a file in it")])


class Stdout(Common, frozen=True, kw_only=True, tag_field="type", tag="stdout"):
    """JSON lines on standard output."""
