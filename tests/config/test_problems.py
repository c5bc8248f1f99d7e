"""How problems are worded: one line, safe for a terminal, with the nearest name."""

from __future__ import annotations

from logagent.config.problems import ConfigError, Problem, nearest, quote, show


def test_paths_are_shown_as_they_would_be_written() -> None:
    """Odd keys are quoted, and their control characters escaped."""
    assert show(()) == "$"
    assert show(("outputs", "a-b_1", "hosts", 0)) == "$.outputs.a-b_1.hosts[0]"
    assert show(("fields", "a.b", "x\x1b", "")) == '$.fields["a.b"]["x\\x1b"][""]'


def test_a_problem_is_one_line_of_what_is_known() -> None:
    """File, line, option, text, nearest name: what isn't known is left out."""
    assert str(Problem("f", 3, ("a",), "is bad", "b")) == 'f:3: $.a: is bad; did you mean "b"?'
    assert str(Problem("f", 0, None, "is bad")) == "f: is bad"
    assert str(Problem("", 0, None, "is bad")) == "is bad"
    error = ConfigError([Problem("f", 1, None, "x"), Problem("f", 2, None, "y")])
    assert str(error) == "f:1: x\nf:2: y"


def test_text_of_users_cannot_break_the_line() -> None:
    """It is cut and escaped."""
    assert quote("a\nb\x1b[31m") == '"a\\nb\\x1b[31m"'
    assert len(quote("x" * 1000)) == 62


def test_nearest_names() -> None:
    """Slips, hyphens, capitals and beginnings are recognised; far names are not."""
    names = ["batch_bytes", "linger_s", "hosts", "state_dir"]
    assert nearest("batch-bytes", names) == "batch_bytes"
    assert nearest("Host", names) == "hosts"
    assert nearest("stat", names) == "state_dir"
    assert nearest("zzz", names) == ""
    assert nearest("", names) == ""
