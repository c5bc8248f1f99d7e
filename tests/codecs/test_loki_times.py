"""Times of entries: Loki keeps one of two entries that are the same."""

from __future__ import annotations

from collections.abc import Sequence

from logagent.codecs.loki_times import EntryTimes

T = "2026-09-21T14:13:20"
NS = 1_790_000_000_000_000_000


def spelled(times: Sequence[bytes] | range) -> list[int]:
    """As numbers of nanoseconds behind NS."""
    return [int(time) - NS for time in times]


def documents(*texts: tuple[str, str]) -> list[bytes]:
    """Documents of fractions of a second and messages."""
    return [f'{{"@timestamp":"{T}{at}Z","m":"{text}"}}'.encode() for at, text in texts]


def test_one_time_for_all_is_counted_up() -> None:
    """Lines without a time of their own keep their order and stay apart, also over chunks."""
    times = EntryTimes()
    chunk = documents((".5", "a"), (".5", "a"), (".5", "b"))
    assert spelled(times.spell(chunk)) == [500_000_000, 500_000_001, 500_000_002]
    assert spelled(times.spell(chunk)) == [500_000_003, 500_000_004, 500_000_005]
    assert spelled(times.spell(documents((".6", "a")))) == [600_000_000]


def test_different_lines_keep_their_times() -> None:
    """Lines of one moment among others: exactly their own times, even if they end alike."""
    end = "x" * 100
    chunk = documents((".001", f"a{end}"), (".001", f"b{end}"), (".002", f"a{end}"))
    assert spelled(EntryTimes().spell(chunk)) == [1_000_000, 1_000_000, 2_000_000]


def test_equal_lines_of_one_moment_are_a_nanosecond_apart() -> None:
    """What an app really wrote three times is there three times."""
    chunk = documents((".001", "a"), (".001", "a"), (".002", "a"), (".001", "b"), (".001", "a"))
    assert spelled(EntryTimes().spell(chunk)) == [
        1_000_000,
        1_000_001,
        2_000_000,
        1_000_000,
        1_000_002,
    ]


def test_a_line_without_time_is_found_beside_its_neighbour() -> None:
    """It gets the time of the row in front, over chunks too; the first of all has none."""
    times = EntryTimes()
    without = [b'{"@timestamp":"x","m":1}', b'{"m":2}']
    assert list(times.spell(without)) == [b"0", b"0"]
    mixed = [*documents((".1", "a")), b'{"m":2}']
    assert spelled(times.spell(mixed)) == [100_000_000, 100_000_000]
    assert spelled(times.spell(without)) == [100_000_000, 100_000_000]
    # All in one place, one of them no time.
    broken = [b'{"@timestamp":"2026-09-21T14:13:2x.1Z","m":1}', *documents((".3", "a"))]
    assert spelled(times.spell(broken)) == [100_000_000, 300_000_000]
    assert spelled(times.spell(documents((".4", "a")) * 2)) == [400_000_000, 400_000_001]
    assert spelled(times.spell([b'{"m":2}'])) == [400_000_000]


def test_equal_lines_of_unlike_documents_stay_apart() -> None:
    """Where an entry's line is a part of its document: equal lines of one moment are counted up,
    and not onto another's time."""
    chunk = documents(
        (".500000000", "1"), (".500000001", "2"), (".500000000", "3"), (".600000000", "4")
    )
    found = spelled(EntryTimes().spell(chunk, ["x", "x", "x", "x"]))
    assert found == [500_000_000, 500_000_001, 500_000_002, 600_000_000]
    unlike = spelled(EntryTimes().spell(chunk, ["x", "x", "y", "x"]))
    assert unlike == [500_000_000, 500_000_001, 500_000_000, 600_000_000]
