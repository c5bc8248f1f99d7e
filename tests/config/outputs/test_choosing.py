"""Names with parts to fill in: what is wrong with them is found when the options are read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.build import NAMES
from logagent.codecs.naming import INDEX, SOURCES, Choice, Template
from logagent.config import names
from logagent.config.outputs.choosing import (
    AGENT_NAMES,
    Choose,
    broken_choices,
    broken_template,
    wildcard,
)

TEAM = {"team": Choose(field="team", allow=("a",), fallback="b")}


def test_the_agent_knows_the_names_that_options_may_use() -> None:
    """Those of the environment, and those of inputs."""
    assert {*NAMES.values(), "input", "container"} == set(AGENT_NAMES)
    told = {name: source.rpartition(" ")[2] for name, source in SOURCES.items()}
    assert told == {
        **{name: variable for variable, name in NAMES.items()},
        "container": "container",
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a-{namespace|x}-{team}-%Y", ""),
        ("a{", "has a { that isn't part of {name}"),
        ("{Pod}", "has a { that isn't part of {name}"),
        ("%y", "has a % that is none of %Y, %m, %d, %H"),
        ("{team|x}", "has {team|x}, but choose.team has its own fallback; write {team}"),
        ("{namspace}", "has {namspace}, which is none of input, container, pod,"),
    ],
)
def test_templates(text: str, why: str) -> None:
    """Each with what to change."""
    found = broken_template(text, TEAM)
    assert found[: len(why)] == why
    assert bool(found) == bool(why)


def test_some_names_have_no_dates() -> None:
    """A data stream's parts, for instance."""
    assert broken_template("a%Y", {}, dates=False) == "has %Y in it, but this name has no dates"


@given(
    st.lists(
        st.sampled_from(
            ["a", "-", ".", "_", "A", "%Y", "%", "{pod}", "{pod|x}", "{", "}", "{team}"]
        ),
        max_size=6,
    ).map("".join)
)
def test_options_and_codec_agree_about_names(text: str) -> None:
    """What passes here builds, and what doesn't would not."""
    why = broken_template(text, TEAM) or names.bad_index(text)
    if not text or (why and "which is none of" not in why):
        with pytest.raises(ValueError, match=re.escape(repr(text))):
            Template(text, INDEX, {"team": Choice("team", ("a",), "b")})
    elif not why:
        Template(text, INDEX, {"team": Choice("team", ("a",), "b")})


def test_choices() -> None:
    """A name that isn't one, one of the agent's, one that nobody uses, too many."""
    one = Choose(field="f", allow=("a",), fallback="b")
    found = broken_choices({"Team": one, "pod": one, "team": one, "used": one}, "x-{used}")
    assert [(rule.path, rule.text) for rule in found] == [
        (("choose", "Team"), "is not a name; it has a-z, 0-9 and _"),
        (("choose", "pod"), "is a name that the agent fills in itself; take another"),
        (("choose", "team"), "is not used; write {team} where it belongs"),
    ]
    many = Choose(field="f", allow=tuple(f"v{n}" for n in range(40)), fallback="v0")
    (rule,) = broken_choices({"a": many, "b": many}, "{a}{b}")
    assert rule.text == "makes 1600 names; at most 1000 are allowed"
    assert not list(broken_choices({"a": many}, "{a}"))


def test_wildcards() -> None:
    """The pattern of all names that can come of one."""
    assert wildcard("app") == "app"
    assert wildcard("app-{namespace|x}-%Y.%m.%d") == "app-*"
    assert wildcard("logs-{container}-prod") == "logs-*-prod"
    date = {"%Y": "2026", "%m": "11", "%d": "24", "%H": "10"}
    assert wildcard("a-{pod}-%Y.%m", date) == "a-*-2026.11"
