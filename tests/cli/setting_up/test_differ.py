"""Differences between what is wanted and what is there."""

from __future__ import annotations

from logagent.cli.setting_up.differ import differences
from logagent.cli.setting_up.wanted import Object


def test_leaves_are_compared_as_servers_spell_them() -> None:
    """Booleans and numbers as texts, empty objects as nothing, lists by position."""
    wanted: Object = {"a": True, "b": 5, "c": {}, "d": ["x", {"y": None}]}
    assert differences(wanted, {"a": "true", "b": "5", "d": ["x", {"y": None}]}, whole="") == []
    assert differences(wanted, {"a": False, "d": ["z"]}, whole="") == [
        "a: false -> true",
        "b: nothing -> 5",
        "d[0]: z -> x",
        "d[1].y: nothing -> None",
    ]


def test_what_only_the_server_has_counts_where_it_is_told() -> None:
    """Elsewhere it is a default of the server's own."""
    there: Object = {"in": {"x": 1}, "out": 2}
    assert differences({}, there, whole="") == []
    assert differences({}, there, whole="in.") == ["in.x: 1 -> nothing"]
