"""The `time` of HEC events: every way to it gives the same as reading each document."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs import splunk_times
from logagent.codecs.splunk_times import EVENT, MARK, timed

HEAD: Final = b'{"host":"a%bc",'
META: Final = b'"service":{"name":"x","@timestamp":"2001-01-01T00:00:00.000Z"},'


def row(document: bytes) -> bytes:
    """A rendered row."""
    return HEAD + MARK + EVENT + document + b"}\n"


def times(*documents: bytes) -> list[str]:
    """The times of the rows of documents as they stand there; "" where there is none."""
    rows = timed(b"".join(map(row, documents))).split(b"\n")[:-1]
    for line, document in zip(rows, documents, strict=True):
        decoded = json.loads(line)
        assert decoded["event"] == json.loads(document)
        assert decoded["host"] == "a%bc"
    found = [re.match(rb'\{"host":"a%bc",(?:"time":([0-9.]+),)?"event"', line) for line in rows]
    return [(each[1] or b"").decode() if each else "?" for each in found]


def stamped(stamp: str, before: bytes = b"") -> bytes:
    """A document with a time."""
    return b'{%b"@timestamp":"%b","n":"100%%b"}' % (before, stamp.encode())


def test_one_time_for_all() -> None:
    """Rows with the same time, as the agent gives it; also a single one."""
    assert times(*[stamped("2026-11-24T10:11:12.345Z")] * 3) == ["1795515072.345"] * 3
    assert times(stamped("2026-11-24T10:11:12.345Z")) == ["1795515072.345"]


@pytest.mark.parametrize("before", [b"", META, b'"p":"%s",'])
@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (("12.345Z", "12.999Z", "13.000Z"), ("072.345", "072.999", "073")),
        (("12Z", "13Z"), ("072", "073")),
        (("12.123456789Z", "13.000000001Z"), ("072.123456789", "073.000000001")),
        (("12.5+00:00", "13.5+00:00"), ("072.5", "073.5")),
        (("12.5-00:01", "13.5-00:01"), ("132.5", "133.5")),
        (("12.5Z", "12.25Z", "13Z", "12.5+00:00"), ("072.5", "072.25", "073", "072.5")),
    ],
)
def test_times_of_one_form_and_of_several(
    before: bytes, stamps: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """Widths, zones and digits stay as they are; also when rows differ in them."""
    documents = [stamped(f"2026-11-24T10:11:{stamp}", before) for stamp in stamps]
    found = [Decimal(time) for time in times(*documents)]
    assert found == [Decimal("1795515" + text) for text in expected]


def test_unlike_rows_are_read_one_by_one() -> None:
    """A prefix or a width that one row alone has, a time inside another object, none at all."""
    first = stamped("2026-11-24T10:11:12.345Z", b'"p":"x",')
    assert times(
        first,
        stamped("2026-11-24T10:11:13.345Z", b'"p":"y",'),
        b'{"p":"x","in":{"@timestamp":"2026-11-24T10:11:14.345Z"}}',
        b'{"@timestamp":"soon"}',
        b'{"@timestamp":1795515072123}',
        b'{"@timestamp":[1]}',
        b'{"n":1}',
    ) == ["1795515072.345", "1795515073.345", "", "", "1795515072.123", "", ""]
    assert times(b'{"in":{"@timestamp":"2026-11-24T10:11:14.345Z"}}', first)[0] == ""


@pytest.mark.parametrize(
    "odd",
    [
        "2026-11-24T10:11:1x.345Z",
        "2026-11-24T10:11:12.3x5Z",
        "2026-11-24T10:11:12.345z",
        "2026-11-24T10:11:12.3456",
        "2026-13-24T10:11:12.345Z",
        "1926-11-24T10:11:12.345Z",
        "2026-11-24T10:11:12,345Z",
        "٢٠٢٦-11-24T10:11Z",
    ],
)
def test_one_odd_time_spoils_no_other(odd: str) -> None:
    """Whatever one row has of the same width: the others have their time, and the body is JSON."""
    good = stamped("2026-11-24T10:11:12.345Z")
    for documents in ((good, stamped(odd), good), (stamped(odd), good, good)):
        found = times(*documents)
        assert found.count("1795515072.345") >= 2


def test_no_row_takes_another_rows_time() -> None:
    """A last row that is shorter than the prefix of the first, so that a search runs off it."""
    long = stamped("2026-11-24T10:11:12.345Z", b'"p":"%b",' % (b"x" * 300))
    longer = stamped("2026-11-24T10:11:13.345Z", b'"p":"%b",' % (b"x" * 300))
    assert times(long, longer, b"{}") == ["1795515072.345", "1795515073.345", ""]
    assert times(long, b"{}", longer) == ["1795515072.345", "", "1795515073.345"]


def test_a_carriage_return_ends_no_row() -> None:
    """JSON may have one between two of its parts, also where each row is read by itself."""
    odd = b'{"@timestamp":[1,\r2],\r"a":1}'
    assert times(odd, stamped("2026-11-24T10:11:12.345Z", b'"p":1,\r')) == ["", "1795515072.345"]


def test_long_metadata_is_no_prefix() -> None:
    """Beyond the longest prefix that is searched for, documents are decoded."""
    pad = b'"p":"%b",' % (b"x" * 3000)
    assert times(
        stamped("2026-11-24T10:11:12.345Z", pad), stamped("2026-11-24T10:11:13.345Z", pad)
    ) == ["1795515072.345", "1795515073.345"]


STAMP: Final = st.one_of(
    st.sampled_from(["2026-11-24T10:11:12.345Z", "2026-11-24T10:11:13.345Z", "x"]),
    st.from_regex(
        r"20[0-9]{2}-1[0-2]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{3}Z", fullmatch=True
    ),
)


@given(st.lists(st.tuples(STAMP, st.sampled_from([b"", META])), min_size=1, max_size=8))
def test_the_fast_ways_agree_with_the_slow_one(rows: list[tuple[str, bytes]]) -> None:
    """For any mixture of times and prefixes."""
    wire = b"".join(row(stamped(stamp, before)) for stamp, before in rows)
    assert timed(wire) == splunk_times._timed_slow(wire)
