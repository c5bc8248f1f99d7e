"""`check --connect` asks each output in its own way, and its status sums up the answers."""

from __future__ import annotations

import pytest

from logagent.cli.connect import connect
from logagent.config import Config, Elasticsearch, Input, Output, Stdout
from tests.cli.asking.serving import serving

ELASTIC = b'{"cluster_name": "logs", "version": {"number": "8.19.0", "build_flavor": "default"}}'


def config(**outputs: Output) -> Config:
    """A configuration with these outputs."""
    return Config(inputs={"app": Input(paths=("/var/log/app/*.log",))}, outputs=outputs)


def test_the_exit_status_tells_whether_all_can_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    """0 or 69; an output that is no server has nothing to be asked."""
    with serving({"/": (200, ELASTIC)}) as one, serving({"/": (500, b"")}) as other:
        good = Elasticsearch(hosts=(one.url,), index="app")
        bad = Elasticsearch(hosts=(other.url,), index="app")
        assert connect(config(a=good, b=Stdout())) == 0
        assert f"  a            {one.url}: Elasticsearch 8.19.0" in capsys.readouterr().out
        assert connect(config(a=good, b=bad)) == 69
