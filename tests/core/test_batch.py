"""The open batch, and whose rows are whose."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.packing import PlainPacker
from logagent.core.batch import OpenBatch, pick, spread
from logagent.core.chunk import Request, Rows, Share
from tests.fakes.origin import ORIGIN, origin

SHARES = st.lists(
    st.builds(
        Share,
        st.integers(0, 99),
        st.integers(1, 5),
        st.sampled_from([origin(b"a"), origin(b"b")]),
    ),
    min_size=1,
    max_size=6,
)


def test_an_empty_batch_takes_anything() -> None:
    """A chunk is never split: rows that are larger than a batch are one."""
    batch = OpenBatch(PlainPacker(), bytes_max=4, linger_s=1.0)
    assert batch.fits(Rows(b"123456789\n", 1))
    batch.add(1, Rows(b"123456789\n", 1), ORIGIN, now=0.0)
    assert batch.full
    assert not batch.fits(Rows(b"", 0, filtered=3))


def test_a_batch_is_full_at_its_size() -> None:
    """What would exceed the size doesn't fit; what reaches it exactly does, and fills it."""
    batch = OpenBatch(PlainPacker(), bytes_max=6, linger_s=1.0)
    batch.add(1, Rows(b"ab\n", 1), ORIGIN, now=0.0)
    assert not batch.full
    assert batch.fits(Rows(b"cd\n", 1))
    assert not batch.fits(Rows(b"cde\n", 1))
    batch.add(2, Rows(b"cd\n", 1), ORIGIN, now=0.0)
    assert batch.full


def test_a_batch_is_due_after_its_first_row() -> None:
    """Later rows don't put the deadline off."""
    batch = OpenBatch(PlainPacker(), bytes_max=100, linger_s=1.5)
    assert batch.due_at == float("inf")
    batch.add(1, Rows(b"a\n", 1), ORIGIN, now=10.0)
    batch.add(1, Rows(b"b\n", 1), ORIGIN, now=11.0)
    assert batch.due_at == 11.5


def test_a_closed_batch_has_its_rows_and_shares_in_order() -> None:
    """The body is the rows as they came; the shares say whose they are."""
    batch = OpenBatch(PlainPacker(), bytes_max=100, linger_s=1.0)
    batch.add(7, Rows(b"a\nb\n", 2), origin(b"m"), now=0.0)
    batch.add(8, Rows(b"c\n", 1), origin(b"n"), now=0.0)
    closed = batch.close()
    assert closed.request == Request(b"a\nb\nc\n", 3, 6, gzipped=False)
    assert closed.shares == (Share(7, 2, origin(b"m")), Share(8, 1, origin(b"n")))


@given(SHARES, st.data())
def test_spread_and_pick_agree_with_a_list_of_owners(
    shares: list[Share], data: st.DataObject
) -> None:
    """For any rows of a batch: each share's count is that of its rows, and the rest of the batch
    holds the same owners in the same order."""
    owners = [index for index, share in enumerate(shares) for _ in range(share.rows)]
    rows = sorted(data.draw(st.sets(st.integers(0, len(owners) - 1))))
    counts = spread(shares, rows)
    assert counts == [sum(owners[row] == index for row in rows) for index in range(len(shares))]
    picked = pick(shares, rows)
    assert [share.key for share in picked for _ in range(share.rows)] == [
        shares[owners[row]].key for row in rows
    ]
    assert all(share.rows for share in picked)
    came = {shares[owners[row]].origin.metadata for row in rows}
    assert {share.origin.metadata for share in picked} <= came
