"""The ends of an Elasticsearch output: its options decide path, action, name and signature."""

from __future__ import annotations

import pytest

from logagent.build import problems
from logagent.config import Config, DataStream, Elasticsearch, Input
from logagent.config.outputs.choosing import Choose
from logagent.core.chunk import Origin
from logagent.ends import codec_of
from logagent.ends.elastic import codec, name

HOSTS = ("http://x",)
TEAM = {"team": Choose(field="labels.team", allow=("a", "b"), fallback="other")}


def origin(**names: str) -> Origin:
    """A file of an agent that knows these names."""
    return Origin("app", "/var/log/app/app.log", 1, names)


def test_the_target_is_in_the_path_or_in_the_rows() -> None:
    """A constant name in the path unless an option says otherwise; any other in the rows."""
    plain = Elasticsearch(hosts=HOSTS, index="app", compression="none")
    rows = Elasticsearch(hosts=HOSTS, index="app", target_in_path=False)
    stream = DataStream(dataset="{container}", namespace="{namespace|none}")
    filled = Elasticsearch(hosts=HOSTS, data_stream=stream, require_data_stream=True)
    assert codec(plain).path.startswith("/app/_bulk?")
    assert codec(plain).frame(origin()).head == b'{"create":{}}\n'
    assert codec(rows).path.startswith("/_bulk?")
    assert codec(rows).frame(origin()).head == b'{"create":{"_index":"app"}}\n'
    assert codec(filled).path.endswith("&require_data_stream=true")
    head = codec(filled).frame(origin(container="Check-Out")).head
    assert head == b'{"create":{"_index":"logs-check_out-none"}}\n'


def test_parts_of_a_data_stream_follow_their_own_rules() -> None:
    """A choice reaches the part that names it."""
    stream = DataStream(dataset="{team}", namespace="x-{team}")
    made = name(Elasticsearch(hosts=HOSTS, data_stream=stream, choose=TEAM))
    assert made.every({}) == {"logs-a-x-a", "logs-b-x-b", "logs-other-x-other"}


@pytest.mark.parametrize("text", ["app-{namespace}", "app-{namespace}-%Y", "{team}-{namespace}"])
def test_a_name_that_is_not_known_is_a_problem_at_the_start(text: str) -> None:
    """One line that says whose, why, and what to write."""
    choose = TEAM if "team" in text else {}
    output = Elasticsearch(hosts=HOSTS, index=text, choose=choose)
    config = Config(inputs={"app": Input(paths=("/l/*",))}, outputs={"out": output})
    assert problems(config, {"POD_NAMESPACE": "shop"}, codec_of) == []
    (found,) = problems(config, {}, codec_of)
    assert found.startswith(f"input app to output out: {text!r}: this agent doesn't know its names")
    assert "the variable POD_NAMESPACE" in found
