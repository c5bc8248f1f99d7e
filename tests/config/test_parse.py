"""YAML and JSON are read strictly: what is refused is refused with a line, never obeyed."""

from __future__ import annotations

import pytest

from logagent.config.parse import parse


def refused(text: str, file: str = "f.yaml") -> str:
    """The only problem of a text."""
    tree = parse(file, text.encode())
    assert len(tree.problems) == 1
    return str(tree.problems[0])


def test_values_come_with_the_lines_they_were_written_in() -> None:
    """Each key and list item has its line."""
    tree = parse("f.yaml", b"a:\n  b: 1\n  c:\n    - x\n    - 2.5\n")
    assert tree.value == {"a": {"b": 1, "c": ["x", 2.5]}}
    assert tree.lines[("a", "c", 1)] == 5
    assert not tree.problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: *x\n", "f.yaml:2: has the alias *x; aliases are refused"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: $.a: is given a second time; the first is in line 1"),
        ("a: !!python/name:os.system x\n", "f.yaml:1: has the tag"),
        ("a: !!set {x}\n", "f.yaml:1: has the tag"),
        ("<<: {a: 1}\n", "f.yaml:1: has a merge key"),
        ("1: x\n", 'f.yaml:1: has the key "1", which is not text; put it in quotes'),
        ("[a]: x\n", "f.yaml:1: has a key that is a map, a list or an alias"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: has a second document"),
        ("a: !!int x\n", 'f.yaml:1: "x" is not a number'),
        ("a:\n\tb: 1\n", "f.yaml:2: YAML syntax at line 2, column 1: found character"),
        ("a: *.log\n", "put a value that starts with * in quotes"),
        ("a: b: c\n", "f.yaml:1: YAML syntax at line 1, column 5: mapping values are not allowed"),
        ("a: 'x\n", "YAML syntax at line"),
        ("a: \x01\n", "YAML syntax"),
        ("[" * 5000, "f.yaml:1: is nested more than 32 deep"),
    ],
)
def test_what_is_refused_is_told_with_its_line(text: str, expected: str) -> None:
    """Aliases, duplicates, tags, merge keys, depth and bad syntax each have their own words."""
    assert expected in refused(text)


def test_yaml_that_means_something_else_stays_text() -> None:
    """Dates, times and `host:port` numbers aren't turned into what nobody wrote."""
    tree = parse("f.yaml", b"a: 2026-11-24\nb: 12:30:45\nc: no\nd: ~\ne: 33_554_432\n")
    assert tree.value == {
        "a": "2026-11-24",
        "b": "12:30:45",
        "c": False,
        "d": None,
        "e": 33554432,
    }


def test_bytes_that_are_no_text_or_too_many_are_refused() -> None:
    """A file is UTF-8 and at most 1 MiB."""
    assert "is not UTF-8 at byte 3" in str(parse("f.yaml", b"a: \xff").problems[0])
    assert "is larger than 1048576 bytes" in str(
        parse("f.yaml", b" " * (1 << 20) + b"x").problems[0]
    )
    assert parse("f.yaml", b"").value is None
    assert parse("f.yaml", b"\xef\xbb\xbfa: 1").value == {"a": 1}


def test_json_is_read_as_strictly() -> None:
    """Duplicate keys, bad syntax and depth are refused in JSON too; tabs are fine there."""
    assert parse("f.json", b'{\t"a": [1, null]}').value == {"a": [1, None]}
    assert refused('{"a": 1, "a": 2}', "f.json") == 'f.json: has the key "a" twice'
    assert "f.json:2: JSON syntax at line 2, column 1" in refused('{"a":\n}', "f.json")
    assert "deep" in refused("[" * 100_000, "f.json")
    assert "nested more than 32 deep" in refused("[" * 40 + "]" * 40, "f.json")
