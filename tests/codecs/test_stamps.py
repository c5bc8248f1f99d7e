"""Times of documents as nanoseconds in digits."""

from __future__ import annotations

from logagent.codecs.stamps import NS_MAX, spell_ns, spell_stamp, spell_times, stamps_of

T = "2026-09-21T14:13:20"
NS = "1790000000"


def documents(*stamps: str, before: str = "{") -> list[bytes]:
    """Documents with these values, as JSON."""
    return [f'{before}"@timestamp":{stamp},"m":1}}'.encode() for stamp in stamps]


def check(stamp: str, expected: str) -> None:
    """A stamp's nanoseconds."""
    assert spell_stamp(stamp.encode()) == expected.encode(), stamp


def test_texts_of_times() -> None:
    """RFC 3339 with up to nine digits of a second, any offset; else nothing."""
    check(f"{T}.123Z", f"{NS}123000000")
    check(f"{T}.123456789Z", f"{NS}123456789")
    check(f"{T}Z", f"{NS}000000000")
    check("2026-09-21T16:13:20.5+02:00", f"{NS}500000000")
    check(f"{T}.1234567891Z", f"{NS}123456789")
    check(f"{T}.12a", "")
    check("1969-12-31T23:59:59.000Z", "")
    check("9999-01-01T00:00:00.000Z", "")
    check("2026-13-21T14:13:20.123Z", "")
    check("yesterday", "")
    check("", "")


def test_numbers_that_fit() -> None:
    """Between 1970 and 2262, else nothing."""
    assert spell_ns(0) == b"0"
    assert spell_ns(NS_MAX) == b"%d" % NS_MAX
    assert spell_ns(NS_MAX + 1) == b""
    assert spell_ns(-1) == b""


def test_alike_documents_are_cut_by_position() -> None:
    """The same bytes in front and the same length: no document is decoded."""
    alike = documents(f'"{T}.000Z"', f'"{T}.001Z"', before='{"k":{"pod":"p"},')
    assert stamps_of(alike) == [f"{T}.000Z".encode(), f"{T}.001Z".encode()]
    assert spell_times(alike) == [f"{NS}000000000".encode(), f"{NS}001000000".encode()]


def test_all_others_are_decoded() -> None:
    """Another length, place, type, or an inner object's time: still each one's own."""
    mixed = documents(f'"{T}.000Z"', f'"{T}Z"', "1790000000", "null", '"x"')
    wanted = [f"{NS}000000000".encode()] * 3 + [b""] * 2
    assert stamps_of(mixed) is None
    assert spell_times(mixed) == wanted
    inner = [b'{"a":{"@timestamp":"%b.000Z"},"b":1}' % T.encode()] * 2
    assert stamps_of(inner) is None
    assert spell_times(inner) == [b"", b""]
    moved = [documents(f'"{T}.000Z"')[0], b'{"a":1,"@timestamp":"%b.000Z"}' % T.encode()]
    assert stamps_of(moved) is None
    assert spell_times(moved) == [f"{NS}000000000".encode()] * 2
    assert stamps_of([b'{"a":1}']) is None
    assert stamps_of([b'{"@timestamp":"x']) is None


def test_a_quote_inside_is_no_end() -> None:
    """A shorter time, and behind it a quote where the others' ends: not cut there."""
    first = b'{"@timestamp":"%b.000000Z","a":1}' % T.encode()
    tricky = b'{"@timestamp":"%b.0Z","":"b"}' % T.encode()
    assert tricky[first.index(b"Z") + 1 : first.index(b"Z") + 2] == b'"'
    assert stamps_of([first, tricky]) is None
    assert spell_times([first, tricky]) == [f"{NS}000000000".encode()] * 2
