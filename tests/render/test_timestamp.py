"""Timestamps are read and spelled the way Elasticsearch takes them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.render.timestamp import (
    UNREADABLE,
    Stamp,
    are_plain,
    hours_of,
    read_each,
    read_epochs,
    read_stamp,
    read_texts,
    read_values,
    stamp,
)
from tests.render.lines import more, stamps

OURS = Stamp(b'"2026-11-24T10:00:00.000Z"', "2026-11-24T10")
TAKEN = re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"')

column = st.one_of(
    st.lists(stamps.filter(lambda each: isinstance(each, str)), min_size=1, max_size=5),
    st.builds(
        lambda zone, minutes, points: [
            f"2026-11-24T{minute // 60:02}:{minute % 60:02}:00{points}{zone}" for minute in minutes
        ],
        st.sampled_from(["Z", "+05:30", "-01:00", "+18:00", ""]),
        st.lists(st.integers(0, 1439), min_size=1, max_size=5),
        st.sampled_from(["", ".5", ".123456789", ".1234567891"]),
    ),
    st.lists(
        st.sampled_from(["", "0", "00", "12345"]).map(
            lambda digits: f"2026-11-24T10:00:01.5{digits}Z"
        ),
        min_size=1,
        max_size=5,
    ),
)
numbers = st.lists(
    st.one_of(
        st.integers(10**9, 2 * 10**9).map(str),
        st.integers(10**12, 2 * 10**12).map(str),
        st.integers(10**18, 2 * 10**18).map(str),
        st.decimals(10**9, 2 * 10**9, places=3).map(str),
        st.sampled_from(["1.7e9", "0", "-5", "null", "1700000000.", "17000000000"]),
    ),
    min_size=1,
    max_size=1,
).flatmap(lambda one: st.sampled_from([one, one * 3, [*one, "1700000000.25"]]))


@pytest.mark.parametrize(
    ("value", "text", "hour"),
    [
        ('"2026-11-24T10:11:12Z"', "2026-11-24T10:11:12Z", "2026-11-24T10"),
        ('"2026-11-24t10:11:12z"', "2026-11-24T10:11:12Z", "2026-11-24T10"),
        ('"2026-11-24 10:11:12,123"', "2026-11-24T10:11:12.123Z", "2026-11-24T10"),
        (
            '"2026-11-24T10:11:12.1234567891+01:00"',
            "2026-11-24T10:11:12.123456789+01:00",
            "2026-11-24T09",
        ),
        ('"2026-11-24T00:11:12-0530"', "2026-11-24T00:11:12-05:30", "2026-11-24T05"),
        ("1700000000", "2023-11-14T22:13:20Z", "2023-11-14T22"),
        ("1700000000.25", "2023-11-14T22:13:20.25Z", "2023-11-14T22"),
        ("1.70000000025e9", "2023-11-14T22:13:20.250000Z", "2023-11-14T22"),
        ("1700000000123", "2023-11-14T22:13:20.123Z", "2023-11-14T22"),
        ("1700000000123.5", "2023-11-14T22:13:20.1235Z", "2023-11-14T22"),
        ("1700000000123456", "2023-11-14T22:13:20.123456Z", "2023-11-14T22"),
        ("1700000000123456789", "2023-11-14T22:13:20.123456789Z", "2023-11-14T22"),
        ("0", "1970-01-01T00:00:00Z", "1970-01-01T00"),
    ],
)
def test_reads(value: str, text: str, hour: str) -> None:
    """Each form that apps write is read, as precisely as it is written."""
    assert read_stamp(value.encode()) == Stamp(json.dumps(text).encode(), hour)


@pytest.mark.parametrize(
    "value",
    [
        '"noon"', '""', "null", "true", "{}", "[1]", "-1", "1e40", "100000000000000000000000",
        '"2026-13-01T00:00:00Z"', '"2026-02-30T00:00:00Z"', '"2026-01-01T24:00:00Z"',
        '"2026-01-01T00:00:60Z"', '"2026-01-01T00:00:00+18:01"', '"2026-01-01T00:00:00+01:60"',
        '"0001-01-01T00:00:00+01:00"', '"2026-01-01"', '"\\ud800"', '"٢٠٢٦-01-01T00:00:00Z"',
        '"1700000000"',
    ],
)  # fmt: skip
def test_refuses(value: str) -> None:
    """What isn't a timestamp, or one that Elasticsearch would refuse, isn't read as one."""
    assert read_stamp(value.encode()) is None


@given(stamps)
def test_what_is_written_is_taken(value: object) -> None:
    """Whatever is read is spelled so that Elasticsearch takes it, and stays when read again."""
    read = read_stamp(json.dumps(value).encode())
    if read is not None:
        assert TAKEN.fullmatch(read.text)
        assert read_stamp(read.text) == read


@pytest.mark.slow
@more(5)
@given(column)
def test_plain_columns_are_kept(texts: list[str]) -> None:
    """Strings that pass as plain are those that would be kept one by one; hours are right too."""
    one_by_one = [read_stamp(json.dumps(text).encode()) for text in texts]
    if are_plain(texts):
        hours = hours_of(texts)
        for at, (text, each) in enumerate(zip(texts, one_by_one, strict=True)):
            assert each is not None
            assert each.text == json.dumps(text).encode()
            assert each.hour == (hours if isinstance(hours, str) else hours[at])


@pytest.mark.parametrize("zone", ["Z", "+05:30", "-01:00"])
@pytest.mark.parametrize("second", ["00", "00.123", "00.123456789"])
def test_plain_columns_are_seen(zone: str, second: str) -> None:
    """The usual forms are judged as columns: the fast way isn't dead."""
    assert are_plain([f"2026-11-24T{hour:02}:00:{second}{zone}" for hour in range(24)])
    assert are_plain(["2026-11-24T10:00:00Z", "2026-11-24T10:00:00.5Z"])


@pytest.mark.slow
@more(5)
@given(st.one_of(column, st.lists(stamps, min_size=1, max_size=4)))
def test_columns_are_single_values(values: list[object]) -> None:
    """A column gives what its values give one by one."""
    raw = [json.dumps(value).encode() for value in values]
    each = read_each(raw, OURS)
    read = read_values(raw, OURS, dated=True)
    assert (read.texts, read.unreadable) == (each.texts, each.unreadable)
    hours = [read.hours] * len(raw) if isinstance(read.hours, str) else read.hours
    assert hours == each.hours


@pytest.mark.slow
@more(5)
@given(numbers)
def test_epoch_columns(values: list[str]) -> None:
    """Numbers read as a column are what they are one by one."""
    raw = [value.encode() for value in values]
    read = read_epochs(raw, OURS, dated=True)
    if read is not None:
        assert read == read_each(raw, OURS)


@pytest.mark.parametrize(
    "value", ["1700000000", "1700000000123", "1700000000.123", "1700000000123456789"]
)
def test_epoch_columns_are_seen(value: str) -> None:
    """The usual forms of numbers are read as columns: the fast way isn't dead."""
    assert read_epochs([value.encode()] * 3, OURS, dated=False) is not None


def test_unreadable() -> None:
    """A timestamp that can't be read is ours, with a remark, and counted."""
    read = read_texts(["2026-11-24T11:00:00Z", "noon"], OURS, dated=True)
    assert read.texts == [b'"2026-11-24T11:00:00Z"', OURS.text + UNREADABLE]
    assert read.hours == ["2026-11-24T11", "2026-11-24T10"]
    assert read.unreadable == 1


@given(st.floats(0, 4e9))
def test_ours(now: float) -> None:
    """The reading time has milliseconds, cut off, and its hour."""
    made = stamp(now)
    moment = datetime.fromisoformat(json.loads(made.text))
    assert moment.tzinfo == UTC
    assert 0 <= now - moment.timestamp() < 0.0011
    assert json.loads(made.text).startswith(made.hour)
    assert TAKEN.fullmatch(made.text)
