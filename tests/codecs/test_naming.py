"""Names made of parts: legal whatever is filled in, and never anything that wasn't listed."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.naming import (
    DATASET,
    HOUR,
    INDEX,
    NAMESPACE,
    TOPIC,
    Choice,
    Joined,
    Legal,
    Template,
)

TEAM = Choice("labels.team", ("a", "Pay/Ments"), "other")
LEGAL = st.sampled_from([INDEX, DATASET, NAMESPACE, TOPIC])
ANY = st.text(max_size=300)
SHORT = st.text(st.characters(min_codepoint=1), max_size=12)


def plain_fill(text: str, legal: Legal, names: dict[str, str], hour: str) -> str:
    """The name as the documentation says it, a character at a time."""
    out, rest = "", text
    while rest:
        if rest[0] == "{":
            inner, rest = rest[1:].split("}", 1)
            name, bar, default = inner.partition("|")
            value = names.get(name) or (default if bar else "")
            value = value.lower() if legal.lower else value
            for character in value:
                fits = character.isascii() and re.match(f"[{legal.characters}]", character)
                out += character if fits else "_"
        elif rest[0] == "%":
            out += {"Y": hour[:4], "m": hour[5:7], "d": hour[8:10], "H": hour[11:13]}[rest[1]]
            rest = rest[2:]
        else:
            out, rest = out + rest[0], rest[1:]
    while out and out[0] in legal.starts:
        out = out[1:]
    return out[: legal.length]


PIECES = st.lists(
    st.sampled_from(["app", "x.", "%Y", "%m", "%d", "%H", "{pod}", "{namespace|none}", "{team}"]),
    min_size=1,
    max_size=6,
).map("".join)


@given(PIECES, LEGAL, ANY, SHORT, SHORT)
def test_a_filled_name_is_what_the_rules_say(
    text: str, legal: Legal, pod: str, namespace: str, team: str
) -> None:
    """Any values, by any rules of names: cleaned, its start stripped, cut."""
    names = {"pod": pod, "namespace": namespace, "team": team}
    made = Template(text, legal, {"team": TEAM}).fill(names, HOUR)
    assert made == plain_fill(text, legal, names, HOUR)
    assert made == "" or legal.is_name(made) or made in {".", ".."}


@given(PIECES, LEGAL, SHORT, st.lists(SHORT, min_size=1, max_size=3), SHORT)
def test_what_check_lets_pass_is_always_legal(
    text: str, legal: Legal, pod: str, allow: list[str], fallback: str
) -> None:
    """Whatever the agent knows and the choices are: an error at the start, or only legal names."""
    choice = Choice("team", tuple(allow), fallback)
    template = Template(text, legal, {"team": choice})
    names = {"pod": pod}
    if template.unknown(names):
        with pytest.raises(
            ValueError, match=r"doesn't know its pod .the variable POD_NAME says it.; write"
        ):
            template.check(names)
        return
    if all(legal.is_name(name) for name in template.every(names)):
        template.check(names)
        return
    with pytest.raises(ValueError, match="is no legal name"):
        template.check(names)


@given(st.lists(st.one_of(st.none(), st.sampled_from(["a", "Pay/Ments", "evil", ""])), min_size=1))
def test_no_line_makes_up_a_name(values: list[str | None]) -> None:
    """Rows get names out of the finite set, each by its own value and hour."""
    template = Template("app-{team}-{pod}-%H", INDEX, {"team": TEAM})
    hours = [f"2026-11-24T{n % 24:02}" for n in range(len(values))]
    column = [TEAM.of(value) for value in values]
    made = template.fill_each({"pod": "p"}, hours, {"team": column})
    part = {"a": "a", "Pay/Ments": "pay_ments"}
    expected = [
        f"app-{part.get(v or '', 'other')}-p-{h[-2:]}" for v, h in zip(values, hours, strict=True)
    ]
    assert made == expected
    assert set(made) <= set().union(*(template.every({"pod": "p"}, hour) for hour in hours))
    undated = Template("app-{team}", INDEX, {"team": TEAM})
    assert undated.fill_each({}, HOUR, {"team": column}) == [
        f"app-{part.get(v or '', 'other')}" for v in values
    ]


def test_what_is_known_of_a_template() -> None:
    """The agent's names, whether it has dates, whether it is the same for a file."""
    template = Template("{team}-{pod}-{namespace|x}-%Y", INDEX, {"team": TEAM, "unused": TEAM})
    assert template.names == {"pod", "namespace"}
    assert template.choices == {"team": TEAM}
    assert (template.dated, template.constant) == (True, False)
    assert Template("a-{pod}", INDEX).constant
    assert not Template("a-{team}", INDEX, {"team": TEAM}).constant
    assert template.unknown({}) == ["pod"]
    assert template.unknown({"pod": "p"}) == []
    assert template.unknown({"pod": ""}) == ["pod"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not legal"),
        ("{}", "neither"),
        ("a{", "neither"),
        ("a}", "neither"),
        ("{Pod}", "neither"),
        ("{a|b|c}", "neither"),
        ("%y", "neither"),
        ("a%", "neither"),
        ("%%", "neither"),
        ("_a", "not legal"),
        ("A", "not legal"),
        ("a" * 256, "not legal"),
        ("{team|x}", "has its own fallback"),
    ],
)
def test_a_template_that_can_not_be_is_refused(text: str, why: str) -> None:
    """Braces and signs that mean nothing, letters that no name has, a fallback too many."""
    with pytest.raises(ValueError, match=why) as caught:
        Template(text, INDEX, {"team": TEAM})
    assert repr(text) in str(caught.value)


def test_dots_are_no_topic() -> None:
    """`.` and `..` mean a directory everywhere."""
    for dots in (".", ".."):
        with pytest.raises(ValueError, match="not legal"):
            Template(dots, TOPIC)
        with pytest.raises(ValueError, match="is no legal name"):
            Template("{pod}", TOPIC).check({"pod": dots})


def test_an_empty_fallback_is_a_text_too() -> None:
    """`{namespace|}` is nothing where the namespace isn't known."""
    template = Template("app{namespace|}", INDEX)
    template.check({})
    assert template.fill({}) == "app"
    with pytest.raises(ValueError, match="'' is left of it"):
        Template("{namespace|}", INDEX).check({})


def test_values_are_not_read_again_as_templates() -> None:
    """What a value has in it is text, also braces and signs."""
    assert Template("a-{pod}", INDEX).fill({"pod": "{node}%Y", "node": "n"}) == "a-_node__y"


@pytest.mark.parametrize("hour", ["", "2026-11-24", "2026-11-24T1x", "2026-11-24T10\n"])
def test_an_hour_can_not_bring_other_text(hour: str) -> None:
    """What isn't an hour never gets into a name."""
    with pytest.raises(AssertionError, match="an hour"):
        Template("a-%Y", INDEX).fill({}, hour)


@given(SHORT, SHORT, st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=5))
def test_a_data_stream_s_name_has_legal_parts(
    container: str, namespace: str, teams: list[str]
) -> None:
    """Three parts, of which the first two have no `-`: they can be told apart again."""
    choice = Choice("team", ("a",), "other")
    parts = (
        Template("logs", INDEX),
        Template("x{container|}.{team}", DATASET, {"team": choice}),
        Template("n{namespace|}", NAMESPACE),
    )
    joined = Joined(*parts)
    names = {"container": container, "namespace": namespace}
    joined.check(names)
    column = [choice.of(team) for team in teams]
    made = joined.fill_each(names, HOUR, {"team": column})
    assert made == [joined.fill({**names, "team": team}) for team in column]
    assert set(made) <= joined.every(names)
    for name in made:
        kind, dataset, rest = name.split("-", 2)
        assert kind == "logs"
        assert DATASET.is_name(dataset)
        assert NAMESPACE.is_name(rest)


def test_what_is_known_of_joined_templates() -> None:
    """All of their names and choices; an error of one is an error of all."""
    joined = Joined(Template("logs", INDEX), Template("{container}", DATASET))
    assert joined.text == "logs-{container}"
    assert joined.names == {"container"}
    assert (joined.dated, joined.constant, joined.choices) == (False, True, {})
    with pytest.raises(ValueError, match="container"):
        joined.check({})
    assert Joined(Template("a-%Y", INDEX), Template("{team}", DATASET, {"team": TEAM})).dated


def test_parts_are_cleaned_as_their_rules_say() -> None:
    """The same value is something else in a dataset, a namespace, a topic."""
    value = "-Check Out/ü-1"
    names = {"pod": value}
    made = {
        legal: Template("{pod}", legal).fill(names) for legal in (DATASET, NAMESPACE, INDEX, TOPIC)
    }
    assert list(made.values()) == [
        "check_out___1",
        "check_out__-1",
        "check_out__-1",
        "-Check_Out__-1",
    ]
    long = {"pod": "a" * 300}
    lengths = [len(Template("{pod}", legal).fill(long)) for legal in (DATASET, INDEX, TOPIC)]
    assert lengths == [100, 255, 249]


def test_each_combination_is_counted_once() -> None:
    """All names of two choices, and of a value that is allowed twice."""
    one, other = Choice("a", ("x", "y", "x"), "x"), Choice("b", ("z",), "w")
    template = Template("{one}-{other}", INDEX, {"one": one, "other": other})
    assert template.every({}) == {f"{a}-{b}" for a, b in product("xy", "zw")}
