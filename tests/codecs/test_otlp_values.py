"""JSON values as AnyValues, both ways."""

from __future__ import annotations

import json

import msgspec
import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from logagent.codecs.otlp_values import (
    DEPTH_MAX,
    DOUBLE,
    INTEGER,
    STRING,
    any_value,
    attribute,
    column_values,
    plain_members,
    plain_value,
)
from tests.fakes.otlp import plain

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=8,
)


def parsed(value: bytes) -> AnyValue:
    """The message that the protocol's parser makes of it."""
    message = AnyValue()
    json_format.Parse(value, message)
    return message


@given(VALUES)
def test_any_value_comes_back(value: object) -> None:
    """As the protocol reads it, and as `plain_value` does."""
    made = any_value(msgspec.json.encode(value))
    assert plain(parsed(made)) == value
    assert plain_value(json.loads(made)) == value


def test_numbers_that_do_not_fit() -> None:
    """Beyond 64 bits a double, beyond a double's range the text."""
    assert json.loads(any_value(b"9223372036854775807")) == {"intValue": "9223372036854775807"}
    assert plain(parsed(any_value(b"9223372036854775808"))) == 2.0**63
    assert json.loads(any_value(b"1e999")) == {"stringValue": "1e999"}
    assert json.loads(any_value(b"1e3")) == {"doubleValue": 1000.0}


def test_what_is_too_deep_is_text() -> None:
    """Receivers bound their recursion: what is further inside is kept as JSON."""
    deep = b"[" * 60 + b"]" * 60
    value: object = plain(parsed(any_value(deep)))
    for _ in range(DEPTH_MAX):
        assert isinstance(value, list)
        (value,) = value
    assert value == "[" * (60 - DEPTH_MAX) + "]" * (60 - DEPTH_MAX)


@pytest.mark.parametrize(
    ("values", "template"),
    [
        (["a", 'b"', "\n"], STRING),
        ([1, -2, 10**17], INTEGER),
        ([1.5, -2.25], DOUBLE),
        ([1, 2.5], b"%b"),
        (["a", 1], b"%b"),
        ([1, "a"], b"%b"),
        ([10**18, 1], b"%b"),
        ([None, None], b"%b"),
        ([True, {}], b"%b"),
    ],
)
def test_columns_of_one_kind_need_no_look_at_each(values: list[object], template: bytes) -> None:
    """One template for all, and each value is what it is alone."""
    column = [Raw(msgspec.json.encode(value)) for value in values]
    slot, filling = column_values(b"\n".join(column), column)
    assert slot == template
    assert [slot % each for each in filling] == [any_value(bytes(each)) for each in column]


def test_attributes() -> None:
    """A key and a value, whatever is in the key."""
    member = json.loads(attribute('a"%', any_value(b"1")))
    assert member == {"key": 'a"%', "value": {"intValue": "1"}}
    assert plain_members([member]) == {'a"%': 1}
