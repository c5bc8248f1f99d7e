"""Where rows of tests come from."""

from typing import Final

from logagent.core.chunk import Origin

ORIGIN: Final = Origin("app", "/var/log/app/app.log", 1, {"input": "app"})


def origin(metadata: bytes) -> Origin:
    """An origin with these members in its documents."""
    return Origin("app", "/var/log/app/app.log", 1, {"input": "app"}, metadata)
