"""Globs: their root, their depth, and which paths they match."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.core.patterns import DEPTH_MAX, compile_exclude, compile_pattern

ABSOLUTE_PARTS = st.sampled_from(
    ["a", "b", "ab", "*", "a*", "*b", "?", "a?", "**", "[ab]", "[!a]*", "{a,b}", "{a*,b}b", "a.b"]
)
NAMES = st.sampled_from(["a", "b", "ab", "bb", "aab", "a.b", "axb", "c", ""])


def parts_match(parts: list[str], names: list[str]) -> bool:
    """The reference: `**` is any number of directories, else part by part."""
    if not parts:
        return not names
    if parts[0] == "**" and len(parts) > 1:
        return parts_match(parts[1:], names) or (
            bool(names) and names[0] != "" and parts_match(parts, names[1:])
        )
    if parts[0] == "**":  # as the last part: any path
        return bool(names)
    return bool(names) and part_matches(parts[0], names[0]) and parts_match(parts[1:], names[1:])


def part_matches(part: str, name: str) -> bool:
    """The reference within one component, character by character."""
    if not part:
        return not name
    head, rest = part[0], part[1:]
    if head == "*":
        return any(part_matches(rest, name[i:]) for i in range(len(name) + 1))
    if head == "?":
        return bool(name) and part_matches(rest, name[1:])
    if head == "[":
        body, rest = rest.split("]", 1)
        wanted = name[:1] not in body[1:] if body[0] == "!" else name[:1] in body
        return bool(name) and wanted and part_matches(rest, name[1:])
    if head == "{":
        choices, rest = rest.split("}", 1)
        return any(part_matches(choice + rest, name) for choice in choices.split(","))
    return name[:1] == head and part_matches(rest, name[1:])


@given(st.lists(ABSOLUTE_PARTS, min_size=1, max_size=4), st.lists(NAMES, min_size=1, max_size=5))
def test_it_matches_like_the_reference(parts: list[str], names: list[str]) -> None:
    """The regular expression of a glob matches what a recursive matcher matches."""
    pattern = compile_pattern("/r/x*/" + "/".join(parts))
    path = "xy/" + "/".join(names)
    expected = parts_match(["x*", *parts], ["xy", *names])
    assert bool(pattern.match.fullmatch(path.encode())) == expected


def test_a_table_of_globs() -> None:
    """What a user writes means what a shell means by it, and `*` stops at a slash."""

    def check(glob: str, yes: str, no: str = "") -> None:
        pattern = compile_pattern("/r/" + glob)
        assert pattern.root == "/r"
        for path in yes.split():
            assert pattern.match.fullmatch(path.encode()), path
        for path in no.split():
            assert not pattern.match.fullmatch(path.encode()), path

    check("*.log", "a.log .log", "a.logs a/b.log axlog")
    check("app?.log", "app1.log", "app.log app12.log app/.log")
    check("**/*.log", "a.log x/a.log x/y/z/a.log", "a.txt x/a.log/b")
    check("**", "a x/y")
    check("x**", "x xa x/a/b", "a")
    check("*/*.log", "x/a.log", "a.log x/y/a.log")
    check("app-[0-9].log", "app-7.log", "app-x.log app-77.log")
    check("app-[!0-9].log", "app-x.log", "app-7.log")
    check("app-[^0-9].log", "app-x.log", "app-7.log")
    check("*.{log,out}", "a.log b.out", "a.txt a.log,out")
    check("{a,b/c}.log", "a.log b/c.log", "c.log")
    check("*.log,x", "a.log,x", "a.log x")
    check("*}.log", "a}.log", "a.log")
    check("[[]*.log", "[a.log", "a.log")


def test_names_are_bytes() -> None:
    """A name needs neither to be UTF-8 nor to be free of line breaks."""
    match = compile_pattern("/r/*.log").match
    assert match.fullmatch(b"\xff\xfe.log")
    assert match.fullmatch(b"a\nb.log")
    assert compile_pattern("/r/größe*.log").match.fullmatch("größe1.log".encode())


def test_the_root_is_the_longest_part_without_wildcards() -> None:
    """The listing starts there, and goes as deep as a match can be."""

    def check(glob: str, root: str, depth: int) -> None:
        pattern = compile_pattern(glob)
        assert (pattern.root, pattern.depth) == (root, depth)

    check("/var/log/app.log", "/var/log", 0)
    check("/var/log/*.log", "/var/log", 0)
    check("/var/*/app/*.log", "/var", 2)
    check("/var/log/**/*.log", "/var/log", DEPTH_MAX)
    check("/var/log/*/**/*.log", "/var/log", 1 + DEPTH_MAX)
    check("/var/{a,b}/x.log", "/var", 1)
    check("/app.log", "/", 0)


def test_a_root_above_is_shared() -> None:
    """Of several roots the topmost that lies above is taken, else one file would be two."""
    roots = ["/var/log", "/var/log/app", "/var/lo", "/etc"]
    pattern = compile_pattern("/var/log/app/*.log", roots)
    assert (pattern.root, pattern.depth) == ("/var/log", 1)
    assert pattern.match.fullmatch(b"app/a.log")
    assert not pattern.match.fullmatch(b"a.log")
    deep = compile_pattern("/var/log/app/**/*.log", ["/var"])
    assert (deep.root, deep.depth) == ("/var", 2 + DEPTH_MAX)
    assert compile_pattern("/var/log/a.log", ["/"]).root == "/"


def test_what_is_no_glob_of_files() -> None:
    """Relative globs, directories and `..` are refused with the reason."""
    for glob, why in (
        ("app/*.log", "absolute"),
        ("/var/log/", "files"),
        ("/var/../etc/*", "'..'"),
        ("", "absolute"),
    ):
        with pytest.raises(ValueError, match=re.escape(why)):
            compile_pattern(glob)


def test_excludes() -> None:
    """A relative exclude holds at any depth, an absolute one for its path alone."""

    def check(glob: str, path: str, *, excluded: bool) -> None:
        assert bool(compile_exclude(glob).fullmatch(path.encode())) == excluded

    check("*.tmp", "/var/log/a.tmp", excluded=True)
    check("*.tmp", "/var/log/x/y/a.tmp", excluded=True)
    check("*.tmp", "/var/log/a.tmp/b", excluded=False)
    check("**/*.tmp", "/a.tmp", excluded=True)
    check("old/*", "/var/old/a", excluded=True)
    check("old/*", "/var/very-old/a", excluded=False)
    check("/var/log/*.log", "/var/log/a.log", excluded=True)
    check("/var/log/*.log", "/x/var/log/a.log", excluded=False)


def test_a_negated_class_is_no_slash() -> None:
    """A class stands for one character of a name, so none of them matches the separator."""
    assert not compile_pattern("/r/a[!x]b").match.fullmatch(b"a/b")
    assert not compile_pattern("/r/a[+-9]b").match.fullmatch(b"a/b")
    assert compile_pattern("/r/a[+-9]b").match.fullmatch(b"a5b")


def test_a_class_takes_its_characters_as_they_are() -> None:
    """What means something within a class of a regular expression is a plain character here."""
    for char in "[]\\&|~.*?":
        match = compile_pattern(f"/r/a[{char}]b").match
        assert match.fullmatch(f"a{char}b".encode()), char
        assert not match.fullmatch(b"axb"), char
