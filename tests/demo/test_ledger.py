"""The account by numbers: what is lost and doubled is found, whatever form the line has."""

from hypothesis import given
from hypothesis import strategies as st

from logagent.demo.ledger import Ledger, number_of
from logagent.demo.server import Options, Receiver
from tests.demo.client import Client, play, rows


def test_numbers_are_found_in_each_form() -> None:
    """JSON fields, text in `message`, and a wrapped JSON line have a number; others have none."""

    def check(document: object, expected: tuple[str, int] | None) -> None:
        assert number_of(document) == expected

    check({"seq": 5, "writer": "app"}, ("app", 5))
    check({"message": 'GET / 200 "-" seq=7 writer=web'}, ("web", 7))
    check({"message": '{"seq":9,"writer":"app","message":""}'}, ("app", 9))
    check({"message": '{"seq":9,"wri'}, None)
    check({"message": "hello"}, None)
    check({"seq": "5", "writer": "app"}, None)
    check({"message": 3}, None)
    check([], None)


@given(st.lists(st.integers(0, 60)), st.integers(0, 30), st.integers(0, 90))
def test_comparison_agrees_with_counting(numbers: list[int], first: int, length: int) -> None:
    """For any arrivals, lost and doubled are what plain counting says."""
    ledger = Ledger()
    for number in numbers:
        ledger.add({"seq": number, "writer": "a"})
    wanted = range(first, first + length)
    got = ledger.compare("a", first, first + length)
    missing = [number for number in wanted if number not in numbers]
    doubled = [number for number in wanted if numbers.count(number) > 1]
    assert (got.written, got.delivered, got.lost) == (
        length,
        length - len(missing),
        len(missing),
    )
    assert (got.doubled, got.doubled_numbers) == (len(doubled), doubled[:20])
    ranges = [number for start, end in got.lost_ranges for number in range(start, end)]
    assert ranges == missing[: len(ranges)]
    assert len(got.lost_ranges) == 20 or ranges == missing


def test_partial_lines_are_no_copies() -> None:
    """A line that came without its end is neither doubled by its whole form nor lost alone."""
    ledger = Ledger()
    ledger.add({"seq": 0, "writer": "a", "logagent": {"partial": True}})
    ledger.add({"seq": 0, "writer": "a"})
    ledger.add({"seq": 1, "writer": "a", "logagent.partial": True})
    got = ledger.compare("a", 0, 3)
    assert (got.lost, got.doubled, got.lost_ranges) == (1, 0, [(2, 3)])


def test_unusable_numbers_are_counted_apart() -> None:
    """No line can make the ledger allocate for a huge or negative number."""
    ledger = Ledger()
    for number in (-1, 10**18):
        ledger.add({"seq": number, "writer": "a"})
    ledger.add({"message": "none"})
    assert ledger.unnumbered == 3
    assert ledger.compare("a", 0, 2).lost == 2


def test_the_receiver_keeps_the_ledger() -> None:
    """Over HTTP: a row counts when it is stored, a 409 doesn't; a comparison can be asked for."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        lines = [f'{{"seq":{n},"writer":"a"}}' for n in (0, 1, 3)]
        await client.bulk(rows(*lines, ids=("x", "y", "z")))
        await client.bulk(rows(*lines, ids=("x", "y", "z")))
        await client.bulk(rows(lines[1]))
        got = (await client.ask("GET", "/_test/ledger?writer=a&next=5")).json()
        assert (got["lost"], got["doubled"], got["doubled_numbers"]) == (2, 1, [1])
        assert got["lost_ranges"] == [[2, 3], [4, 5]]
        summary = (await client.ask("GET", "/_test/ledger")).json()
        writer = {"distinct": 3, "rows": 4, "doubled": 1, "next": 4, "partial": 0}
        assert summary == {"writers": {"a": writer}, "unnumbered": 0}
        assert receiver.ledger.summary() == summary

    play(Receiver(Options(mode="ledger")), scenario)
