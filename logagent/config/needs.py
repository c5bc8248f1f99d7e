"""What a configuration needs to be there: the inputs' directories, secrets, certificates.

Knows names only. Must not look whether they are there.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from logagent.config.model import Config
from logagent.config.problems import Path

Kind = Literal["root", "secret", "ca", "cert", "key"]
"""root: a directory that an input's globs start from; the rest are files of an output."""


class Need(NamedTuple):
    """One directory or file, and the option that names it."""

    kind: Kind
    path: str
    option: Path


def needs(config: Config) -> list[Need]:
    """All of them, in the configuration's order, each path once for each owner (the first two
    steps of `option` name the input or output)."""
    found: list[Need] = []
    for name, source in config.inputs.items():
        option: Path = ("inputs", name, "paths")
        found += [Need("root", root, option) for root in source.roots()]
    for name, output in config.outputs.items():
        for needed in output.files():
            found.append(Need(needed.kind, needed.path, ("outputs", name, *needed.option)))
    return found
