"""Variables are replaced in values, after parsing: they can't change the structure."""

from __future__ import annotations

from logagent.config import Elasticsearch
from tests.config.conftest import GOOD, Complain, Load


def test_variables_defaults_and_escapes(load_text: Load) -> None:
    """A variable, its default, an empty one and a dollar sign each become what they say."""
    text = GOOD + 'metadata: {fields: {a: "${A}-x", b: "${B:-b}", c: "${E:-c}", d: "$${A} $1"}}\n'
    config = load_text(text, env={"A": "1", "E": ""})
    assert config.metadata.fields == {"a": "1-x", "b": "b", "c": "c", "d": "${A} $1"}


def test_a_value_that_is_only_a_variable_takes_the_options_type(load_text: Load) -> None:
    """Numbers, switches and texts alike; a text of digits stays text where text belongs."""
    text = GOOD.replace("index: app", "index: ${I}\n    slots: ${N}\n    ids: ${IDS:-true}")
    text += "    linger_s: ${L}\n"
    config = load_text(text, env={"I": "123", "N": "4", "L": "0.5"})
    search = config.outputs["search"]
    assert isinstance(search, Elasticsearch)
    assert (search.index, search.slots, search.ids, search.linger_s) == ("123", 4, True, 0.5)


def test_a_variable_cannot_bring_structure(load_text: Load) -> None:
    """YAML inside a variable is text."""
    config = load_text(GOOD + 'metadata: {fields: {a: "${A}"}}\n', env={"A": "{x: 1}\nb: 2"})
    assert config.metadata.fields == {"a": "{x: 1}\nb: 2"}


def test_the_value_of_a_variable_is_never_shown(problems: Complain) -> None:
    """It may be a secret in the wrong place."""

    def check(old: str, new: str, expected: str) -> None:
        found = problems(GOOD.replace(old, new), env={"S": "hunter2"})
        assert found == [expected]
        assert "hunter2" not in "".join(found)

    check(
        "index: app",
        "index: app\n    slots: ${S}",
        "a.yaml:9: $.outputs.search.slots: must be an integer, which the value of the variable S"
        " is not",
    )
    check(
        "index: app",
        "index: app\n    slots: x${S}",
        "a.yaml:9: $.outputs.search.slots: must be an integer (1 to 64), found text",
    )
    check(
        "index: app",
        "index: app\n    auth: ${S}",
        "a.yaml:9: $.outputs.search.auth: must be a map, found text",
    )
    check(
        '["/var/log/app/*.log"]',
        "${S}",
        'a.yaml:3: $.inputs.app.paths: must be a list, which a variable can\'t be; write ["${S}"]',
    )


def test_what_is_no_variable_is_a_problem(problems: Complain) -> None:
    """`${` that starts no variable, and one that isn't set, are told with the way out."""
    assert problems(GOOD + 'metadata: {fields: {a: "${1}"}}\n') == [
        "a.yaml:9: $.metadata.fields.a: has ${ that starts no variable; write $${ if it is text"
    ]
    assert problems(GOOD.replace("es.example", "${ES}")) == [
        (
            "a.yaml:7: $.outputs.search.hosts[0]: needs the variable ES, which is not set; "
            "set it, or give a default: ${ES:-…}"
        )
    ]
