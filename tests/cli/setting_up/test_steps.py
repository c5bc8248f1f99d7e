"""Step by step: what is made, what is compared, what is left alone, what is told."""

from __future__ import annotations

import asyncio

import pytest

from logagent.cli.setting_up.steps import Step, set_up
from logagent.cli.setting_up.wanted import PRIORITY, Object, Product, wanted
from logagent.config import DataStream, Elasticsearch
from tests.cli.setting_up.model import Model

STREAM = Elasticsearch(hosts=("http://es",), data_stream=DataStream(dataset="shop"))
TEMPLATE = "/_index_template/logagent-out"
BOTH: list[Product] = ["elasticsearch", "opensearch"]
POLICY = {
    "elasticsearch": "/_ilm/policy/logagent-out",
    "opensearch": "/_plugins/_ism/policies/logagent-out",
}


def run(
    model: Model, output: Elasticsearch = STREAM, *, keep: str = "", dry: bool = False
) -> list[Step]:
    """All steps of one run."""
    want = wanted("out", output, "ecs", model.product, keep)

    async def steps() -> list[Step]:
        return [step async for step in set_up(model, want, model.product, dry=dry)]

    return asyncio.run(steps())


def texts(steps: list[Step]) -> list[str]:
    """What they say."""
    return [step.text for step in steps]


def setting(model: Model, name: str) -> object:
    """A setting of the template that was made."""
    template = model.things[TEMPLATE]["template"]
    assert isinstance(template, dict)
    settings = template["settings"]
    assert isinstance(settings, dict)
    return settings.get(name)


@pytest.mark.parametrize("product", BOTH)
def test_made_once_and_left_as_it_is(product: Product) -> None:
    """Policy, template, data stream; the second run only asks."""
    model = Model(product)
    assert texts(run(model)) == [
        "lifecycle policy logagent-out: made",
        "index template logagent-out: made",
        "data stream logs-shop-default: made",
    ]
    named = "logagent-out" if product == "elasticsearch" else None
    assert setting(model, "index.lifecycle.name") == named
    assert set(model.things) == {POLICY[product], TEMPLATE}
    model.asked.clear()
    again = run(model)
    assert texts(again) == [
        "lifecycle policy logagent-out: nothing to change",
        "index template logagent-out: nothing to change",
        "data stream logs-shop-default is there",
    ]
    assert not any(step.change or not step.good for step in again)
    assert not any(line.startswith("PUT") for line in model.asked)


@pytest.mark.parametrize("product", BOTH)
def test_a_dry_run_changes_nothing(product: Product) -> None:
    """It shows the bodies of what it would make."""
    model = Model(product)
    steps = run(model, keep="30d", dry=True)
    assert [step.text.rpartition(": ")[2] for step in steps] == ["would make it"] * 3
    assert all(step.change for step in steps)
    assert '"30d"' in "".join(steps[0].detail)
    assert '"logs-shop-default"' in "".join(steps[1].detail)
    assert not model.things
    assert not any(line.startswith("PUT") for line in model.asked)


@pytest.mark.parametrize("product", BOTH)
def test_a_deletion_comes_and_goes(product: Product) -> None:
    """Both are changes of the policy alone, with what differs; each is made once."""
    model = Model(product)
    run(model)
    added = run(model, keep="30d")[0]
    assert added.text == "lifecycle policy logagent-out: changed"
    assert any("-> 30d" in line for line in added.detail)
    assert not run(model, keep="30d")[0].change
    removed = run(model)[0]
    assert removed.text == "lifecycle policy logagent-out: changed"
    assert any("-> nothing" in line for line in removed.detail)
    assert not run(model)[0].change


def test_a_change_of_the_template_is_for_the_next_backing_index() -> None:
    """What somebody added, changed and took away by hand comes back, and is shown."""
    model = Model()
    run(model)
    theirs: Object = {**model.things[TEMPLATE], "priority": 300}
    template = theirs["template"]
    assert isinstance(template, dict)
    theirs["template"] = {**template, "settings": {"index.codec": "best_compression"}}
    model.things[TEMPLATE] = theirs
    steps = run(model)[1:]
    assert steps[0].text == "index template logagent-out: changed"
    assert f"priority: 300 -> {PRIORITY}" in steps[0].detail
    assert "template.settings.index.codec: best_compression -> nothing" in steps[0].detail
    assert "template.settings.index.mapping.ignore_malformed: nothing -> true" in steps[0].detail
    assert steps[1].text.endswith("its next backing index will be as the template says now")


@pytest.mark.parametrize("product", BOTH)
def test_what_others_made_is_left_alone(product: Product) -> None:
    """A policy and a template of the same names."""
    model = Model(product)
    run(model)
    model.things[TEMPLATE] = {"index_patterns": ["x"]}
    model.things[POLICY[product]] = {"policy": {"description": "mine", "phases": {}}}
    before = dict(model.things)
    steps = run(model)
    assert [step.good for step in steps] == [False, False]
    assert all("logagent didn't make it; it is left alone" in step.text for step in steps)
    assert model.things == before


def test_a_server_without_lifecycles_gets_the_rest() -> None:
    """It is no fault, unless somebody counts on old lines being deleted."""
    model = Model(lifecycle=False)
    steps = run(model)
    assert steps[0].text.endswith("has no lifecycle management; nothing is ever deleted")
    assert all(step.good for step in steps)
    assert setting(model, "index.lifecycle.name") is None
    assert not run(model, keep="1d")[0].good


def test_types_and_settings_that_a_server_lacks_are_replaced_and_told() -> None:
    """Each by what comes nearest; the same template again is no change."""
    unknown = "index.mapping.total_fields.ignore_dynamic_beyond_limit"
    model = Model("opensearch", types=frozenset({"flat_object"}), settings=frozenset({unknown}))
    said = texts(run(model))
    assert set(said[1:-2]) == {
        "this server has no fields of type flattened: flat_object is used",
        "this server has no fields of type match_only_text: text is used",
        "this server has no fields of type constant_keyword: keyword is used",
        f"this server has no setting {unknown}: it is left out",
    }
    assert setting(model, unknown) is None
    made = repr(model.things[TEMPLATE])
    assert "'shadowed': {'type': 'flat_object'}" in made
    assert "flattened" not in made
    assert not any(step.change for step in run(model))


@pytest.mark.parametrize(
    ("begin", "status", "said"),
    [
        ("POST /_index_template", 403, "may not do this (403); they need the privilege manage_ind"),
        ("POST /_index_template", 400, "the server says 400: in"),
        ("GET /_index_template", 401, "the server refuses the credentials (401)"),
        ("PUT /_index_template", 500, "the server says 500: in"),
        ("GET /_ilm", 403, "they need the privilege manage_ilm"),
        ("PUT /_ilm", 403, "they need the privilege manage_ilm"),
        ("GET /_resolve", 403, "they need the privilege create_index on the data stream"),
        ("PUT /_data_stream", 403, "they need the privilege create_index on the data stream"),
        ("GET /_ilm", 0, "lifecycle policy logagent-out: "),
    ],
)
def test_refusals_are_sentences(begin: str, status: int, said: str) -> None:
    """Each with what is missing; what can't be made isn't named as made."""
    model = Model()
    model.refuse[begin] = status
    bad = [step for step in run(model) if not step.good]
    assert len(bad) == 1
    assert said in bad[0].text
    assert not bad[0].change


def test_an_index_in_the_data_stream_s_place_is_told() -> None:
    """The data stream can't be made until it is gone."""
    model = Model()
    model.names["indices"].append("logs-shop-default")
    last = run(model)[-1]
    assert last == Step(
        "logs-shop-default is there, but as an index: move its documents and delete it", good=False
    )


def test_a_plain_index_gets_a_template_and_a_policy_only_to_delete() -> None:
    """There is nothing to roll over, and nothing to make before the first line."""
    model = Model()
    dated = Elasticsearch(hosts=("http://es",), index="app-%Y.%m.%d")
    assert texts(run(model, dated)) == ["index template logagent-out: made"]
    assert model.things[TEMPLATE]["index_patterns"] == ["app-*"]
    assert "data_stream" not in model.things[TEMPLATE]
    assert run(model, dated, keep="7d")[0].text == "lifecycle policy logagent-out: made"
    assert "rollover" not in repr(model.things[POLICY["elasticsearch"]])
