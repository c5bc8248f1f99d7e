"""Columns of documents, against reading each document by itself with the standard library."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.columns import Times, documents_of, field_texts, times_ns, to_ns

NOW = 1_700_000_000_000_000_000
Json = object

SECONDS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda when: when.strftime("%Y-%m-%dT%H:%M:%S")
)
STAMPS = st.one_of(
    st.builds(
        lambda second, digits, zone: f"{second}.{digits}{zone}",
        SECONDS,
        st.text("0123456789", min_size=1, max_size=10),
        st.sampled_from(["Z", "z", "+02:00", "-0330", ""]),
    ),
    SECONDS.map(lambda second: second + "Z"),
    st.sampled_from(
        ["", "x", "2026-11-24", "2026-11-24T10:11.12.5Z", "2026-11-24T10:11:12.٣Z", 'a"b', "\\"]
    ),
    st.integers(-5, 10**20),
    st.floats(0, 1e19, allow_nan=False),
    st.sampled_from([None, True, [], {}, [1], {"a": 1}]),
)


def plain_ns(document: dict[str, Json]) -> int:
    """The time of one document."""
    stamp = document.get("@timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, (str, int, float)):
        return NOW
    if isinstance(stamp, (int, float)):
        if not 0 <= stamp < 2**63:
            return NOW
        for limit, factor in ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3)):
            if stamp < limit:
                return int(stamp * factor)
        return int(stamp)
    return plain_text_ns(stamp)


def plain_text_ns(stamp: str) -> int:
    """The time of one text."""
    second, zone = stamp[:19], stamp[19:]
    digits = ""
    if zone[:1] in {".", ","}:
        digits = zone[1:]
        while digits and not (digits.isascii() and digits.isdigit()):
            digits = digits[:-1]
        if not digits and zone[1:2].isdigit():
            return NOW
        zone = zone[1 + len(digits) :]
    try:
        when = datetime.strptime(second, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return midnight_ns(stamp)
    if zone not in {"", "Z", "z"}:
        sign = {"+": 1, "-": -1}.get(zone[0], 0)
        hours, minutes = zone[1:3], zone[-2:]
        if not sign or not (hours + minutes).isdecimal():
            return NOW
        when -= sign * timedelta(hours=int(hours), minutes=int(minutes))
    whole = round((when - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return whole * 10**9 + int(digits[:9].ljust(9, "0") or "0")


def midnight_ns(stamp: str) -> int:
    """A date alone is its midnight; anything else is no time."""
    try:
        when = datetime.strptime(stamp, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return NOW
    return int(when.timestamp()) * 10**9


def lines_of(documents: list[dict[str, Json]]) -> bytes:
    """Documents as the render leaves them."""
    return "".join(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
        for document in documents
    ).encode()


@given(
    st.lists(
        st.one_of(
            STAMPS.map(lambda stamp: {"@timestamp": stamp, "n": 1}),
            STAMPS.map(lambda stamp: {"n": "\n@", "@timestamp": stamp}),
            st.just({"a": {"@timestamp": 1}}),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_times_are_what_each_document_says(documents: list[dict[str, Json]]) -> None:
    """Any mixture of texts, numbers and nonsense, anywhere in the document."""
    times = times_ns(lines_of(documents), len(documents), NOW)
    assert times.column(len(documents)) == [plain_ns(document) for document in documents]


@given(
    STAMPS.filter(lambda stamp: isinstance(stamp, str)), st.integers(1, 5), st.sampled_from("=≠")
)
def test_one_time_for_all_and_one_that_differs(stamp: str, count: int, last: str) -> None:
    """The agent's own time in front of all documents; the last one may have another."""
    documents: list[dict[str, Json]] = [{"@timestamp": stamp, "n": n} for n in range(count)]
    if last == "≠":
        documents[-1] = {"@timestamp": "2026-11-24T10:00:00.5Z", "n": 1}
    times = times_ns(lines_of(documents), count, NOW)
    assert times.column(count) == [plain_ns(document) for document in documents]


@given(st.lists(SECONDS, min_size=1, max_size=8), st.integers(0, 9))
def test_times_of_one_form(seconds: list[str], digits: int) -> None:
    """What most apps write: all with as many digits."""
    tail = "." + "123456789"[:digits] if digits else ""
    documents: list[dict[str, Json]] = [{"a": 1, "@timestamp": f"{s}{tail}Z"} for s in seconds]
    times = times_ns(lines_of(documents), len(documents), NOW)
    assert times == Times(None, [plain_ns(document) for document in documents])


def test_escapes_in_a_time_are_read() -> None:
    """The same text in another spelling is the same time, for one document and for many."""
    spelled = b'{"@timestamp":"2026\\u002d11-24T10:00:00.5Z"}\n'
    expected = plain_text_ns("2026-11-24T10:00:00.5Z")
    for count in (1, 3):
        assert times_ns(spelled * count, count, NOW).column(count) == [expected] * count


def test_a_carriage_return_between_tokens_is_no_line() -> None:
    """JSON may have one; the documents stay as many as they are, however they are read."""
    documents = b'{"a":1,\r"@timestamp":[]}\n{\r"@timestamp":5,"f":{\r"g":"x"}}\n{"f":1}\n'
    assert times_ns(documents, 3, NOW).column(3) == [NOW, 5 * 10**9, NOW]
    assert field_texts(documents, "f.g") == [None, "x", None]


def test_half_a_surrogate_is_no_text_and_spoils_nothing() -> None:
    """Other documents of the chunk keep their texts and times."""
    documents = b'{"t":"\\ud800","@timestamp":"\\ud800"}\n{"t":"a","@timestamp":7}\n'
    assert field_texts(documents, "t") == [None, "a"]
    assert times_ns(documents, 2, NOW).column(2) == [NOW, 7 * 10**9]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.25Z", NOW),
        ("2026-11-24T10:00:00,5Z", 1_795_514_400_500_000_000),
        ("2026-11-24t10:00:00.5z", 1_795_514_400_500_000_000),
        ("2026-11-24T10:00:00.1234567891+02:00", 1_795_507_200_123_456_789),
        (0, 0),
        (1.5, 1_500_000_000),
        (99_999_999_999, 99_999_999_999 * 10**9),
        (10**11, 10**17),
        (10**14, 10**17),
        (10**17, 10**17),
        (2**63 - 1, 2**63 - 1),
        (2**63, NOW),
        (-1, NOW),
        (True, NOW),
        (float("nan"), NOW),
        (float("inf"), NOW),
        (None, NOW),
        ("0001-01-01T00:00:00+23:00", NOW),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
        ("2262-04-11T23:47:16.854775808Z", NOW),
    ],
)
def test_single_times(stamp: object, expected: int) -> None:
    """Before 1970 and after 2262, fractions in both spellings, magnitudes of numbers."""
    assert to_ns(stamp, NOW) == expected


NAMES = st.sampled_from(["a", "b", "a.b", "ü", '"', "x"])
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(max_size=4), st.just(1.5)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


def plain_text(document: dict[str, Json], field: str) -> str | None:
    """The text of a field of one document."""
    found: Json = document
    for name in [field] if field in document else field.split("."):
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    if isinstance(found, str):
        return found
    if isinstance(found, (bool, int, float)):
        return json.dumps(found)
    return None


@given(
    st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=5),
    st.sampled_from(["a", "b", "a.b", "a.a.b", "ü", '"', "b.x", "a..b"]),
)
def test_fields_are_what_each_document_has(documents: list[dict[str, Json]], field: str) -> None:
    """Whole names before paths, also where other documents have no object on the way."""
    expected = [plain_text(document, field) for document in documents]
    assert field_texts(lines_of(documents), field) == expected
    alone = [field_texts(lines_of([document]), field)[0] for document in documents]
    assert alone == expected


def test_a_field_s_name_may_be_spelled_with_escapes() -> None:
    """As some apps write what isn't ASCII, and as all write quotes."""
    documents = b'{"\\u00fc":"x","\\"":1}\n{"\xc3\xbc":"\\u00fc"}\n'
    assert field_texts(documents, "ü") == ["x", "ü"]
    assert field_texts(documents, '"') == ["1", None]


def test_documents_of_rows() -> None:
    """Rows without newlines become lines."""
    assert documents_of([b"{}", b'{"a":1}']) == b'{}\n{"a":1}\n'
    assert times_ns(documents_of([b'{"@timestamp":1}']), 1, NOW).column(1) == [10**9]
