"""What the tests of the configuration share: writing files and loading them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from logagent.config import Config, ConfigError, load

GOOD = """\
inputs:
  app:
    paths: ["/var/log/app/*.log"]
outputs:
  search:
    type: elasticsearch
    hosts: ["https://es.example:9200"]
    index: app
"""

Load = Callable[..., Config]
Complain = Callable[..., list[str]]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Load the configuration that some texts make together, in files a.yaml, b.yaml and so on."""

    def load_them(*texts: str, env: Mapping[str, str] | None = None) -> Config:
        return load(_write(tmp_path, texts), env or {})

    return load_them


@pytest.fixture
def problems(tmp_path: Path) -> Complain:
    """The problems of a configuration, one line each, without the files' directory."""

    def problems_of(*texts: str, env: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as raised:
            load(_write(tmp_path, texts), env or {})
        lines = str(raised.value).replace(f"{tmp_path}/", "").split("\n")
        assert len(lines) == len(raised.value.problems), "a problem is one line"
        return lines

    return problems_of


def _write(directory: Path, texts: tuple[str, ...]) -> list[str]:
    paths = [directory / f"{chr(ord('a') + number)}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return [str(path) for path in paths]
