"""The committed reference is what the options say, it loads, and it shows all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from logagent.config import Agent, Config, Elasticsearch, Metadata, load
from logagent.config.reference import reference
from logagent.config.shape import Shape, options, shape_of

CONFIG = Path(__file__).parents[2] / "config"


def test_the_committed_reference_is_current() -> None:
    """`make generate` was run after the last change of an option."""
    assert (CONFIG / "reference.yaml").read_text() == reference()


def test_the_reference_loads_with_the_defaults_it_shows() -> None:
    """Each value in it that is no example is the option's default."""
    config = load([str(CONFIG / "reference.yaml")], {})
    assert config.agent == Agent()
    assert config.metadata == Metadata()
    search = config.outputs["elasticsearch"]
    assert isinstance(search, Elasticsearch)
    assert search.data_stream is not None
    assert search == Elasticsearch(hosts=search.hosts, data_stream=search.data_stream)
    assert list(config.outputs) == [
        "elasticsearch",
        "kafka",
        "splunk_hec",
        "loki",
        "otlp_http",
        "http",
        "s3",
        "file",
        "stdout",
    ]


def test_every_option_is_described_and_shown() -> None:
    """Also those of nested maps, which are comments."""
    lines = [line.strip(" #") for line in reference().split("\n")]

    def check(shape: Shape) -> None:
        for struct in shape.structs.values():
            for option in options(struct).values():
                assert option.shape.description.endswith("."), option.name
                shown = any(line.startswith(f"{option.name}:") for line in lines)
                assert shown or option.name == "field", option.name
                check(option.shape)
        if shape.value is not None:
            check(shape_of(shape.value))

    check(shape_of(Config))


@pytest.mark.parametrize("name", ["example.yaml", "quickstart.yaml"])
def test_the_examples_load(name: str) -> None:
    """Without any environment."""
    config = load([str(CONFIG / name)], {})
    assert config.inputs["app"].roots() == ("/var/log/app",)


def test_no_line_of_the_reference_is_longer_than_a_screen() -> None:
    """100 columns, as everywhere."""
    assert max(map(len, reference().split("\n"))) <= 100
