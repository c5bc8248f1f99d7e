"""What a configuration needs to be there: the inputs' directories, secrets, certificates.

Knows names only. Must not look whether they are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from logagent.config.model import Config
from logagent.config.outputs import Elasticsearch
from logagent.config.problems import Path
from logagent.config.secrets import Auth, Tls

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
        if isinstance(output, Elasticsearch):
            here: Path = ("outputs", name)
            found += _of_auth(output.auth, (*here, "auth")) if output.auth else ()
            found += _of_tls(output.tls, (*here, "tls")) if output.tls else ()
    return found


def _of_auth(auth: Auth, here: Path) -> Iterator[Need]:
    for name in ("api_key_file", "username_file", "password_file"):
        path: str = getattr(auth, name)
        if path:
            yield Need("secret", path, (*here, name))


def _of_tls(tls: Tls, here: Path) -> Iterator[Need]:
    kinds: dict[str, Kind] = {"ca_file": "ca", "cert_file": "cert", "key_file": "key"}
    for name, kind in kinds.items():
        path: str = getattr(tls, name)
        if path:
            yield Need(kind, path, (*here, name))
