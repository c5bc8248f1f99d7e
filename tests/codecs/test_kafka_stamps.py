"""Times of records: quick where they usually stand, right wherever they stand."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.columns import documents_of, times_ns
from logagent.codecs.kafka_stamps import read_times, spell_hour

NOW = 1_790_000_000_000_000_000
EARLY = b'{"@timestamp":"2026-11-24T10:11:12.345Z","a":1}'
EARLY_MS = 1_795_515_072_345


def document(when: datetime, style: str) -> bytes:
    """A document with its time in one of many forms, and places."""
    text = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    stamp: str | int = int(when.timestamp() * 1000) if style == "number" else text
    members: dict[str, object] = {"@timestamp": stamp, "message": "x"}
    if style == "behind":
        members = {"pod": "p", **members}
    if style == "inside":
        members = {"message": "x", "inner": {"@timestamp": "1999-01-01T00:00:00.000Z"}}
    if style == "escaped":
        return b'{"@timestamp":"2026\\u002d11-24T10:11:12.345Z"}'
    return orjson.dumps(members)


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - made UTC
            st.sampled_from(["front", "behind", "number", "inside", "escaped"]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_times_are_those_of_the_slow_reader(rows: list[tuple[datetime, str]]) -> None:
    """Any mix of forms and places gives what `times_ns` says."""
    documents = [document(when.replace(tzinfo=UTC), style) for when, style in rows]
    slow = times_ns(documents_of(documents), len(documents), NOW).column(len(documents))
    for lead in (1, len(b'{"pod":"p",'), 5, 1000):
        times = read_times(documents, NOW, lead)
        assert times.each() == [time // 10**6 for time in slow]
        assert times.first() == times.each()[0]
        assert times.highest() == max(times.each())


@pytest.mark.parametrize("lead", [1, len(b'{"pod":"p",')])
def test_a_time_is_found_where_it_usually_stands(lead: int) -> None:
    """In front, and behind the agent's metadata, rows of one time have one mark."""
    row = EARLY if lead == 1 else EARLY.replace(b"{", b'{"pod":"p",')
    times = read_times([row, row], NOW, lead)
    assert times.each() == [EARLY_MS, EARLY_MS]
    assert list(times.known.values()) == [EARLY_MS]
    assert isinstance(times.marks[0], bytes)


@given(
    st.lists(
        st.sampled_from(
            [
                "2026-11-24T10:11:12.345Z",
                "2026-11-24T10:11:12.999Z",
                "2026-11-24T10:11:61.345Z",
                "2026-11-24T10:11:12.3456",
                "2026-11-24T10:11:12.34Z",
                "2026-11-24T10:11:12Z",
                "2026-11-24T10:11:12.345678Z",
                "2026-11-24 10:11:12.345z",
                "2026-11-24T10:11+01:00",
                "yesterday at noon, or so",
            ]
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_is_looked_up_is_what_is_read(stamps: list[str]) -> None:
    """Times in other forms, or in none, beside the usual one."""
    documents = [b'{"@timestamp":"%b","a":1}' % stamp.encode() for stamp in stamps]
    slow = times_ns(documents_of(documents), len(documents), NOW).column(len(documents))
    assert read_times(documents, NOW).each() == [time // 10**6 for time in slow]


def test_a_time_before_1970_is_none() -> None:
    """A record has no negative time: brokers refuse it. Without any it is now."""
    early = b'{"@timestamp":"1969-12-31T23:00:00.000Z"}'
    assert read_times([early], NOW).each()[0] >= 0
    assert min(read_times([EARLY, early], NOW).each()) >= 0
    assert read_times([b"{}"], NOW).each() == [NOW // 10**6]


def test_some_rows_times() -> None:
    """What is picked knows the times of those rows alone."""
    late = EARLY.replace(b"10:11", b"10:12")
    times = read_times([EARLY, late, EARLY], NOW)
    assert times.pick([0, 2]).highest() == EARLY_MS
    assert times.part(1, 3).each() == [EARLY_MS + 60_000, EARLY_MS]


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23)))  # noqa: DTZ001 - made UTC
def test_hours_are_what_strftime_makes(when: datetime) -> None:
    """An hour is spelled as names have it; beyond the last year it stays the last."""
    hour = int(when.replace(tzinfo=UTC).timestamp()) // 3600
    assert spell_hour(hour) == f"{when:%Y-%m-%dT%H}"
    assert spell_hour(10**9) == "9999-12-31T23"
