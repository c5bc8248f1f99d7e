"""Levels as severities."""

from __future__ import annotations

import json

import pytest

from logagent.codecs.otlp_severity import NAMES, NUMBERS, TEXT_MAX, severity, short_name


@pytest.mark.parametrize(
    ("level", "number", "text"),
    [
        ("info", 9, "info"),
        ("WARNING", 13, "WARNING"),
        ("Critical", 18, "Critical"),
        (" error ", 17, " error "),
        ("audit", 0, "audit"),
        (30, 9, "INFO"),
        (50, 17, "ERROR"),
        (2, 18, "ERROR2"),
        (0, 21, "FATAL"),
        (35, 0, "35"),
    ],
)
def test_levels(level: str | int, number: int, text: str) -> None:
    """A level's number, and its text as it is; numbers get the short name."""
    made = severity(json.dumps(level).encode())
    assert made is not None
    wanted: dict[str, object] = {"severityText": text}
    if number:
        wanted["severityNumber"] = number
    assert json.loads(b"{%b}" % made.removesuffix(b",")) == wanted


@pytest.mark.parametrize("value", [None, "", 1.5, True, {"a": 1}, [1], "x" * (TEXT_MAX + 1)])
def test_what_is_no_level(value: object) -> None:
    """Anything else stays what it is: an attribute."""
    assert severity(json.dumps(value).encode()) is None


def test_the_tables_are_within_the_data_model() -> None:
    """Numbers are 1 to 24; names are looked up in lower case."""
    for number in (*NAMES.values(), *NUMBERS.values()):
        assert 1 <= number <= 24
    assert all(name == name.lower() for name in NAMES)
    assert [short_name(number) for number in (1, 8, 9, 24)] == ["TRACE", "DEBUG4", "INFO", "FATAL4"]
