"""Globs mean here what they mean to the agent."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from logagent.config import globs
from logagent.core.patterns import compile_exclude, compile_pattern

COMPONENTS = st.sampled_from(
    [
        "a",
        "b.log",
        "*",
        "*.log",
        "?",
        "**",
        "[ab]",
        "[!a]x",
        "{a,b}",
        "{a,b*}.log",
        "a+b",
        "[a",
        "}",
    ]
)
GLOBS = st.lists(COMPONENTS, min_size=1, max_size=4).map(lambda parts: "/var/" + "/".join(parts))
NAMES = st.sampled_from(["a", "b", "b.log", "x.log", "ax", "bx", "a+b", "[a", "}", "a.log"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: "/var/" + "/".join(parts))


@given(glob=GLOBS, path=PATHS)
def test_both_implementations_agree(glob: str, path: str) -> None:
    """The root is the same, and a path matches here exactly if the agent would read it."""
    assume(not globs.bad_exclude(glob))
    pattern = compile_pattern(glob)
    root = globs.root_of(glob)
    assert root == pattern.root
    expected = path.startswith(root + "/") and bool(
        pattern.match.fullmatch(path[len(root) + 1 :].encode())
    )
    assert globs.matches(path, glob) == expected


@given(glob=GLOBS, path=PATHS)
def test_excludes_agree_too(glob: str, path: str) -> None:
    """Absolute excludes, and those that match anywhere."""
    assume(not globs.bad_exclude(glob))
    for exclude in (glob, glob.removeprefix("/var/")):
        expected = bool(compile_exclude(exclude).fullmatch(path.encode()))
        assert globs.matches(path, exclude) == expected


def test_what_is_below() -> None:
    """By whole components, the directory itself included."""
    assert globs.below("/a/b", "/a")
    assert globs.below("/a", "/a")
    assert globs.below("/a/", "/a")
    assert not globs.below("/ab", "/a")
    assert globs.below("/ab", "/")


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("a/*.log", "is not absolute"),
        ("/a/", "names a directory; write /a/*.log"),
        ("/a/../*.log", "has .."),
        ("/**/*.log", "has no fixed directory"),
        ("/*.log", "has no fixed directory"),
        ("/a/**.log", "has ** inside **.log"),
        ("/a/{b", "has a { without its }"),
        ("/a/[b", "has a [ without its ] inside [b"),
        ("/a/[z-a]", "has a [set] that makes no sense"),
    ],
)
def test_bad_globs(glob: str, expected: str) -> None:
    """Each with what to change."""
    assert globs.bad_glob(glob).startswith(expected)


def test_good_globs() -> None:
    """What the agent can read, and excludes without a directory."""
    for good in ("/a/*.log", "/a/b.log", "/a/**/x[0-9].{log,txt}"):
        assert globs.bad_glob(good) == ""
    for good in ("*.gz", "**/*.tmp", "/a/b/*"):
        assert globs.bad_exclude(good) == ""
    assert globs.bad_exclude("") == "is empty"
