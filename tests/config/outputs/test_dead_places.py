"""Places for dead letters on the server: names that can be, and policies that use them."""

from __future__ import annotations

import pytest

from logagent.config import Elasticsearch, Kafka
from tests.config.conftest import Complain, Load

INPUTS = "inputs: {app: {paths: [/var/log/app/*.log]}}\n"
SEARCH = f"""\
{INPUTS}outputs:
  out:
    type: elasticsearch
    hosts: [http://es:9200]
    index: a
"""
BUS = f"""\
{INPUTS}outputs:
  out:
    type: kafka
    bootstrap_servers: [kafka:9092]
    topic: a
"""


def test_places(load_text: Load) -> None:
    """An index, with dates if it has any, and a topic."""
    search = load_text(f"{SEARCH}    dead_letter_index: dead-%Y.%m\n").outputs["out"]
    assert isinstance(search, Elasticsearch)
    assert search.dead_letter_index == "dead-%Y.%m"
    bus = load_text(f"{BUS}    dead_letter_topic: dead\n").outputs["out"]
    assert isinstance(bus, Kafka)
    assert bus.dead_letter_topic == "dead"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SEARCH}    dead_letter_index: Dead\n", "index: has capital letters; write dead"),
        (f"{SEARCH}    dead_letter_index: d-{{pod}}\n", "index: is filled in with dates only"),
        (f"{BUS}    dead_letter_topic: a b\n", "topic: is no topic's name"),
    ],
)
def test_bad_names(problems: Complain, text: str, expected: str) -> None:
    """What can't be there is said before anything runs."""
    assert f"outputs.out.dead_letter_{expected}" in str(problems(text))


@pytest.mark.parametrize("policy", ["drop", "block"])
@pytest.mark.parametrize("place", ["index", "topic"])
def test_a_place_that_nothing_uses(problems: Complain, place: str, policy: str) -> None:
    """With another policy no letter is ever written."""
    base = SEARCH if place == "index" else BUS
    text = f"{base}    dead_letter_{place}: dead\n    on_reject: {policy}\n"
    expected = f"dead_letter_{place}: needs on_reject: dead_letter, but that is {policy}"
    assert expected in str(problems(text))
