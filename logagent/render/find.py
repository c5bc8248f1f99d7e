"""Finds bytes in a chunk at memory speed.

Knows one C function, and what to do where it is missing. Must not know what is looked for.

`needle in data` costs 60–140 ns a line of 218 bytes and needle in CPython; glibc's `strstr` costs 5
(AVX-512) to 44. That is why this pure package imports ctypes: `strstr` reads two buffers and does
nothing else. `PyDLL` keeps the GIL, so a call costs 0.3 µs and the bytes can't go away under it.
"""

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Final

Search = Callable[[bytes], object]
"""Tells whether a needle (not empty, without NUL) is in the data it was made for: true or not."""

Strstr = Callable[[bytes, bytes], object]


def load() -> Strstr | None:
    """Return the C library's `strstr`, true for a hit; None when it is missing or wrong."""
    try:
        strstr = ctypes.PyDLL(None).strstr
    except (AttributeError, OSError):
        return None
    strstr.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    strstr.restype = ctypes.c_void_p
    hay = b"-" * 5000 + b"needle" + b"-" * 70
    right = strstr(hay, b"needle") and strstr(hay, b"e-") and not strstr(hay, b"needles")
    return partial(strstr) if right else None


STRSTR: Final = load()


def searcher(data: bytes) -> Search:
    """Return a search in `data`. `strstr` stops at NUL, so data with one is searched slowly."""
    if STRSTR is None or b"\0" in data:
        return data.__contains__
    return partial(STRSTR, data)
