"""Looks in a chunk for keys that matter, without decoding it.

Knows how to look for many keys with few searches, how a key can be spelled so that a search misses
it, and which hits are keys. Must not know at what depth a key is, nor what happens if it is there.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import orjson

from logagent.render.find import Search

NAMES_MAX: Final = 16
"""So many distinct keys that `starts` make are told apart; the decoder gets a field for each."""
ANY_ESCAPE: Final = b"\\"
"""Stands for letters that can be spelled in more ways than as `\\u00..`."""


class Node:
    """A trie over needles: what some of them begin with, and the nodes below.

    Where the prefix isn't in the data, none of them is: one search for all. A prefix that was found
    once is skipped from then on: what an app writes once (`"l` for `"level"`) it writes always.
    """

    def __init__(self, needles: list[bytes]) -> None:
        low, high = min(needles), max(needles)
        same = (at for at, pair in enumerate(zip(low, high, strict=False)) if pair[0] != pair[1])
        self.prefix = low[: next(same, min(len(low), len(high)))]
        self.is_needle = self.prefix in needles
        self.skip = len(self.prefix) < 2  # a lone quote is everywhere
        groups: dict[bytes, list[bytes]] = {}
        for needle in needles:
            if needle != self.prefix:
                groups.setdefault(needle[: len(self.prefix) + 1], []).append(needle)
        self.below = [Node(group) for group in groups.values()]

    def find(self, search: Search) -> list[bytes]:
        """Return the needles that occur."""
        if self.is_needle or not self.skip:
            if not search(self.prefix):
                return []
            self.skip = True
        found = [needle for node in self.below for needle in node.find(search)]
        return [self.prefix, *found] if self.is_needle else found


class Watch:
    """Watches for exact `keys`, and for keys that `starts` make: a name stands for itself and what
    is dotted below it, one that ends in a point only for the latter."""

    def __init__(self, keys: Iterable[str], starts: Iterable[str]) -> None:
        self.exact = {orjson.dumps(key): key for key in keys}
        self.names = frozenset(starts)
        self.below = tuple(f"{start.removesuffix('.')}." for start in self.names)
        needles = self.exact.keys() | {orjson.dumps(start)[:-1] for start in self.names}
        self.tree = Node(sorted(needles))
        self.escapes = find_escapes("".join([*self.exact.values(), *self.names]))

    def look(self, data: bytes, search: Search) -> frozenset[str] | None:
        """Return which keys that are watched for may be there, at any depth.

        None when that can't be told: too many, or some may be spelled with escapes.
        """
        if b"\\" in data and self.is_escaped(search):
            return None
        names: set[str] = set()
        for needle in self.tree.find(search):
            if needle in self.exact:
                names.add(self.exact[needle])
            elif not self.collect(data, needle, names):
                return None
        return frozenset(names)

    def is_escaped(self, search: Search) -> bool:
        """Whether an escape could spell one of our letters."""
        if ANY_ESCAPE in self.escapes:
            return True
        return bool(search(b"\\u00")) and any(map(search, self.escapes))

    def collect(self, data: bytes, needle: bytes, names: set[str]) -> bool:
        """Add the keys that begin with a needle and that `starts` make; false if it can't be told.

        A string that a colon follows is a key, at whatever depth; white space may come before it.
        In one with a backslash the quote that seems to end it may be escaped: it can't be told.
        Cutting the chunk at the needle costs 300 ns a hit; a loop of `find` takes 1,000.
        """
        pieces = data.split(needle)
        # Where there is no quote, the next needle's ends the string (no key), or it isn't JSON.
        # Behind a backslash the needle's own quote is escaped, or ends a string: none begins there.
        rests = {
            piece[: piece.find(b'"') + 2]
            for before, piece in pairwise(pieces)
            if before[-1:] != b"\\"
        }
        for rest in rests:
            if b"\\" in rest:
                return False
            if rest[-1:] in b": \t\r\n" and rest[-2:-1] == b'"':
                key = (needle[1:] + rest[:-2]).decode("utf-8", "replace")
                if key in self.names or key.startswith(self.below):
                    names.add(key)
        return len(names) <= NAMES_MAX


def find_escapes(letters: str) -> list[bytes]:
    r"""Return what any `\u` escape of these letters contains.

    Not simply `\u00`: encoders that have HTML in mind write `\u003c` and `\u0026` all the time.
    """
    escapes = set()
    for letter in letters:
        if letter.isalpha() and letter.isascii():
            escapes.add(b"\\u00%x" % (ord(letter) >> 4))
        elif letter.isascii() and letter.isprintable() and letter not in '"\\/':
            code = b"%02x" % ord(letter)
            escapes |= {b"\\u00" + code, b"\\u00" + code.upper()}
        else:
            escapes.add(ANY_ESCAPE)
    return sorted(escapes)
