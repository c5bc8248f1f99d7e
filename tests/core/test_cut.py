"""Where a buffer may be cut: the same events whatever the reads were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logagent.core.cut import Cut, cut_lines, cut_text

LINES = st.lists(
    st.one_of(
        st.binary(max_size=12).map(lambda data: data.replace(b"\n", b" ")),
        st.sampled_from([b"", b"\r", b"x" * 7, b"x" * 8, b"x" * 9, b"x" * 40]),
    ),
    max_size=12,
)


def reference(data: bytes, limit: int) -> Cut:
    """The same, line by line."""
    length = 0
    for line in _split(data):
        text = line.removesuffix(b"\n")
        if len(text) > limit:
            return Cut(length, long=True)
        if line == text:
            break
        length += len(line)
    return Cut(length, long=False)


def _split(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    whole = [part + b"\n" for part in parts[:-1]]
    return [*whole, parts[-1]] if parts[-1] else whole


def test_examples() -> None:
    """A line of exactly the limit is whole, one byte more is over-long."""

    def check(data: bytes, expected: tuple[int, bool]) -> None:
        assert cut_lines(data, 4) == expected

    check(b"", (0, False))
    check(b"abc", (0, False))
    check(b"abcd", (0, False))
    check(b"abcd\n", (5, False))
    check(b"abcde", (0, True))
    check(b"abcde\n", (0, True))
    check(b"a\nabcde\nb\n", (2, True))
    check(b"\n\n\n\n\n\n\n", (7, False))
    check(b"abcd\nabcd\nab", (10, False))


@given(LINES, st.binary(max_size=12), st.integers(1, 10))
def test_it_cuts_like_a_loop_over_lines(parts: list[bytes], rest: bytes, limit: int) -> None:
    """The jumping search finds what a look at each line finds."""
    data = b"".join(part + b"\n" for part in parts) + rest
    expected = reference(data, limit)
    found = cut_lines(data, limit)
    if expected.long and not found.long:
        # A cut may end before the over-long line comes into the window; the next one sees it.
        assert found.length <= expected.length
        found = Cut(found.length + cut_lines(data[found.length :], limit).length, long=True)
    assert found == expected


def events(data: bytes, limit: int, reads: list[int]) -> list[bytes]:
    """The events of a file that is read in pieces of these sizes, at least `limit` + 1 bytes each:
    whole lines, and of an over-long line its first `limit` bytes."""
    found: list[bytes] = []
    at, turn, discarding = 0, 0, False
    while at < len(data):
        size = max(reads[turn % len(reads)], limit + 1)
        turn += 1
        piece = data[at : at + size]
        if discarding:
            newline = piece.find(b"\n") + 1
            discarding = not newline
            at += newline or len(piece)
            continue
        cut = cut_lines(piece, limit)
        found += _split(piece[: cut.length])
        at += cut.length
        if not cut.length:
            if len(piece) <= limit:
                break
            length = cut_text(piece, limit)
            found.append(piece[:length])
            at += length
            discarding = True
    return found


@given(
    LINES,
    st.binary(max_size=30),
    st.lists(st.integers(1, 64), min_size=1, max_size=5),
    st.integers(4, 16),
)
def test_any_split_gives_the_same_events(
    parts: list[bytes], rest: bytes, reads: list[int], limit: int
) -> None:
    """However long the reads are, the events are those of one read of everything."""
    data = b"".join(part + b"\n" for part in parts) + rest
    assert events(data, limit, reads) == events(data, limit, [len(data) + 1])


@given(st.text(max_size=30), st.integers(4, 40))
def test_no_character_is_split(text: str, limit: int) -> None:
    """A cut of valid UTF-8 is valid UTF-8, and no shorter than it must be."""
    data = text.encode()
    length = cut_text(data, limit)
    assert length <= limit
    assert text.startswith(data[:length].decode())
    if length < len(data):
        assert length > limit - 4


@given(st.binary(max_size=30), st.integers(4, 40))
def test_bytes_that_are_not_text_are_cut_too(data: bytes, limit: int) -> None:
    """Whatever the bytes are, the cut makes progress and doesn't exceed the limit."""
    length = cut_text(data, limit)
    assert min(len(data), limit - 3) <= length <= min(len(data), limit)
    assert cut_text(b"\x80" * 50, limit) == limit
    assert cut_text(b"\x80" * limit, limit) == limit
