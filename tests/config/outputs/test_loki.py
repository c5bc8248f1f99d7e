"""The options of Loki."""

from __future__ import annotations

import pytest

from logagent.config import Loki
from logagent.config.outputs.choosing import Choose
from logagent.config.outputs.loki import DEFAULT_LABELS, LABELS_MAX
from logagent.config.problems import BrokenRules

HOSTS = ("https://loki.example",)
LEVEL = Choose(field="level", allow=("error",), fallback="other")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"hosts": ()}, "name a server"),
        ({"path": "loki"}, "start it with /"),
        ({"path": "/a b"}, "as %XX"),
        ({"path": "/a#b"}, "as %XX"),
        ({"labels": {"a-b": "x"}}, "is not a label's name"),
        ({"labels": {"__a": "x"}}, "is not a label's name"),
        ({"labels": {"a": ""}}, "is empty"),
        ({"labels": {"a": "%Y"}}, "has no dates"),
        ({"labels": {"a": "{team}"}}, "see choose for a field"),
        ({"labels": {f"a{n}": "x" for n in range(LABELS_MAX + 1)}}, "has 16 labels"),
        ({"choose": {"level": LEVEL}}, "is not used"),
        ({"labels": {"a": "{pod}"}, "choose": {"pod": LEVEL}}, "fills in itself"),
        ({"tenant": "a\r\nb: c"}, "no header can have"),
        ({"tenant": "a", "headers": {"X-Scope-OrgID": "b"}}, "remove one"),
    ],
)
def test_nonsense_is_refused(options: dict[str, object], why: str) -> None:
    """What can't work says why."""
    with pytest.raises(BrokenRules, match=why):
        Loki(**{"hosts": HOSTS, **options})  # type: ignore[arg-type]


def test_sense_is_taken() -> None:
    """Labels of the agent's names and of a choice, or those that stand for none."""
    assert Loki(hosts=HOSTS).every_label() == DEFAULT_LABELS
    labels = {"app": "{container|none}", "level": "{level}"}
    output = Loki(
        hosts=HOSTS,
        labels=labels,
        choose={"level": LEVEL},
        tenant="a",
        path="/insert/loki/api/v1/push?disable_message_parsing=1",
    )
    assert output.every_label() == labels
