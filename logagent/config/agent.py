"""The options of the agent as a whole, and of the metadata that goes into each document.

Knows bounds and defaults. Must not know inputs or outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from logagent.config.fields import Fields, field_rules
from logagent.config.names import bad_address, bad_path, split_address
from logagent.config.problems import Rule, enforce

MEMORY_BYTES_MIN: Final = 32 << 20
"""The process alone takes about 27 MiB; less than this leaves nothing to work with."""


class Agent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The process: its state, its port, its limits, its own log."""

    state_dir: Annotated[
        str,
        Meta(
            description="Where checkpoints and dead letters are kept. On a volume of its own that "
            "outlives the container, never on the log volume.",
        ),
    ] = "/var/lib/logagent"
    # The kubelet and Prometheus reach it on the pod's address, hence all interfaces.
    admin: Annotated[
        str,
        Meta(
            description="Address of the admin port (/metrics, /livez, /readyz). Port 0 is any "
            'free port, "" turns it off.',
            examples=["127.0.0.1:9598", "[::]:9598"],
        ),
    ] = "0.0.0.0:9598"
    grace_s: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="Time for reading to the end and delivering after SIGTERM. Keep it a few "
            "seconds below the pod's terminationGracePeriodSeconds.",
        ),
    ] = 25.0
    memory_bytes: Annotated[
        int,
        Meta(
            ge=0,
            le=1 << 40,
            description="Memory to stay below, at least 32 MiB. 0 is automatic: half of the "
            "container's limit, or 64 MiB where there is none.",
        ),
    ] = 0
    commit_interval_s: Annotated[
        float,
        Meta(gt=0, le=60, description="How often settled positions are written to the checkpoint."),
    ] = 1.0
    scan_interval_s: Annotated[
        float,
        Meta(gt=0, le=60, description="How often the inputs' directories are listed."),
    ] = 1.0
    poll_interval_s: Annotated[
        float,
        Meta(
            gt=0,
            le=10,
            description="How often a file is looked at for new lines; idle ones up to 5 × less.",
        ),
    ] = 0.1
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="What the agent says about itself on stderr."),
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "console"],
        Meta(description="auto is console on a terminal, else json (one object a line)."),
    ] = "auto"

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        enforce(self._broken())

    def address(self) -> tuple[str, int] | None:
        """Host and port to listen on; None when the admin port is off."""
        return split_address(self.admin) if self.admin else None

    def _broken(self) -> Iterator[Rule]:
        if why := bad_path(self.state_dir):
            yield Rule(("state_dir",), why)
        if self.admin and (why := bad_address(self.admin)):
            yield Rule(("admin",), why)
        if 0 < self.memory_bytes < MEMORY_BYTES_MIN:
            yield Rule(
                ("memory_bytes",),
                f"is below {MEMORY_BYTES_MIN}, which the process itself needs; raise it, or write "
                "0 for automatic",
            )


class Metadata(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written into each document besides the event."""

    schema: Annotated[
        Literal["ecs", "otel", "none"],
        Meta(
            description="Names of the pod's fields: ecs (kubernetes.* as Beats write it), otel "
            "(k8s.*), or none of them.",
        ),
    ] = "ecs"
    fields: Annotated[
        Fields,
        Meta(
            description="Your own fields for all inputs, any JSON values. Dots in a name nest. In "
            "a JSON line the app's own value of the same name wins.",
            examples=[{"team": "payments", "service.version": "1.4.2"}],
        ),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse fields that could not be indexed."""
        enforce(field_rules(self.fields))
