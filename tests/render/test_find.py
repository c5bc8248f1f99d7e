"""Searching at memory speed finds what `in` finds."""

from __future__ import annotations

import ctypes
import platform

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.render import find

alphabet = st.sampled_from([b"a", b"b", b'"', b"\\", b"\0", b"\xff"])
texts = st.lists(alphabet, max_size=60).map(b"".join)
needles = st.lists(st.sampled_from([b"a", b"b", b'"']), min_size=1, max_size=4).map(b"".join)


@given(texts, needles)
def test_finds_what_in_finds(data: bytes, needle: bytes) -> None:
    """A search is true exactly when the needle is there, also behind a NUL."""
    assert bool(find.searcher(data)(needle)) == (needle in data)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's strstr is known")
def test_uses_the_c_library() -> None:
    """On glibc the fast function is there and passes its test."""
    assert find.STRSTR is not None


def test_goes_without_the_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the function is missing, Python's own search does."""

    class Library:
        """A C library without `strstr`."""

        def __init__(self, name: None) -> None:
            pass

    monkeypatch.setattr(ctypes, "PyDLL", Library)
    assert find.load() is None
    monkeypatch.setattr(find, "STRSTR", None)
    assert find.searcher(b"abc")(b"bc")
    assert not find.searcher(b"abc")(b"cb")
