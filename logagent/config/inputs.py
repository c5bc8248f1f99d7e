"""The options of an input: which files, in what form, from where, within which limits.

Knows one input at a time; relations between inputs and outputs are in model.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from logagent.config.fields import Fields, field_rules
from logagent.config.globs import bad_exclude, bad_glob, root_of
from logagent.config.problems import Rule, enforce

Paths = tuple[str, ...]


class TimestampField(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the event's time from a field of the JSON line."""

    field: Annotated[
        str,
        Meta(min_length=1, description="Name of the field; its value becomes @timestamp."),
    ]


class Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files to follow."""

    paths: Annotated[
        Paths,
        Meta(
            min_length=1,
            description="Absolute globs of the files: * and ? stay within a name, ** is any "
            "directories (3 deep), [ab] a set, {a,b} a choice. Files that appear later are found.",
            examples=[["/var/log/app/**/*.log"]],
        ),
    ]
    exclude: Annotated[
        Paths,
        Meta(
            description="Globs of files to leave alone: absolute, or *.tmp for any directory. "
            "Your list replaces the default.",
            examples=[["*.gz", "*.tmp"]],
        ),
    ] = ("*.gz",)
    container: Annotated[
        str,
        Meta(
            description="Name of the container whose files these are, for the documents' metadata.",
            examples=["app"],
        ),
    ] = ""
    format: Annotated[
        Literal["auto", "text", "json"],
        Meta(
            description="What a line is. auto: a line that starts with { is JSON, any other text. "
            "A line that isn't JSON though it should be is sent as text, marked and counted.",
        ),
    ] = "auto"
    timestamp: Annotated[
        Literal["auto", "none"] | TimestampField,
        Meta(
            description="Where @timestamp comes from. auto: the line's own @timestamp, timestamp, "
            "time or ts, else the time of reading. none: only @timestamp is looked at. Or name the "
            "field; a line's own @timestamp comes first in any case.",
            examples=[{"field": "when"}],
        ),
    ] = "auto"
    start_at: Annotated[
        Literal["beginning", "end"],
        Meta(description="Where to start in a file that is there at the first start of the agent."),
    ] = "beginning"
    ignore_older_s: Annotated[
        float,
        Meta(ge=0, description="Leave files alone that were last written longer ago. 0 = never."),
    ] = 0.0
    chunk_bytes: Annotated[
        int,
        Meta(ge=4096, le=4 << 20, description="How much is read of a file at once, at most."),
    ] = 262144
    line_bytes_max: Annotated[
        int,
        Meta(
            ge=64,
            le=4 << 20,
            description="Longest line, at most chunk_bytes. A longer one is cut there and marked; "
            "what was cut off is counted.",
        ),
    ] = 131072
    symlinks: Annotated[
        Literal["beneath", "deny", "follow"],
        Meta(
            description="Symbolic links: beneath = only those that stay inside the glob's fixed "
            "directory; follow lets the app choose what is read.",
        ),
    ] = "beneath"
    rotate_wait_s: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="How long a renamed or deleted file must be quiet before it is closed.",
        ),
    ] = 10.0
    files_max: Annotated[
        int,
        Meta(ge=1, le=100000, description="How many files are held open at once, at most."),
    ] = 1024
    fields: Annotated[
        Fields,
        Meta(
            description="Your own fields for this input's documents; they win over metadata.fields."
            " Dots in a name nest.",
            examples=[{"service.name": "checkout"}],
        ),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def roots(self) -> tuple[str, ...]:
        """The fixed directories that the globs start from, each once."""
        return tuple(dict.fromkeys(map(root_of, self.paths)))

    def _broken(self) -> Iterator[Rule]:
        for index, glob in enumerate(self.paths):
            if why := bad_glob(glob):
                yield Rule(("paths", index), why)
        for index, glob in enumerate(self.exclude):
            if why := bad_exclude(glob):
                yield Rule(("exclude", index), why)
        if self.line_bytes_max > self.chunk_bytes:
            yield Rule(
                ("line_bytes_max",),
                f"{self.line_bytes_max} is more than chunk_bytes ({self.chunk_bytes}); a line "
                "must fit into a chunk",
                depends=(("chunk_bytes",),),
            )
        if self.format == "text" and isinstance(self.timestamp, TimestampField):
            yield Rule(
                ("timestamp",),
                "names a field, but lines of format: text have none; use format: json or auto",
                depends=(("format",),),
            )
        yield from field_rules(self.fields)
