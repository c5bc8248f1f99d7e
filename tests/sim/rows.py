"""Which line a delivered document is from, and whether it is that line, byte for byte.

Knows what was written and how documents hold it: a JSON line's members, a text in `message`, a
wrapped document, a part of a line with its mark. Must not know how documents are made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import orjson

from tests.sim.fs import Life

TOKEN: Final = re.compile(rb"<\d:\d{5}>")
PARTS: Final = ("partial", "continued", "truncated")
OURS: Final = frozenset({"", "parse", "timestamp"})
"""What `logagent.error` says of rows that aren't wrapped."""


class Broken(Exception):
    """An invariant doesn't hold."""


@dataclass(frozen=True)
class Seen:
    """A document: the lines that it can be from (more than one only for parts too short to tell),
    "" or which part it is, the part's bytes, whether it is wrapped."""

    tokens: tuple[bytes, ...]
    part: str
    text: bytes
    wrapped: bool

    @property
    def key(self) -> tuple[bytes, bytes]:
        """What is counted: the line, or this very part of it."""
        return (self.tokens[0], self.text if self.part in {"partial", "continued"} else b"")


class Lines:
    """All lines that were ever written, at least in part."""

    def __init__(self) -> None:
        self.texts: dict[bytes, bytes] = {}
        self.begun: set[bytes] = set()
        """Lines that were written in two writes."""
        self.homes: dict[bytes, Life] = {}
        """Which content each line is in, the first if there are two."""

    def look(self, document: bytes) -> Seen:
        """Find out which line a document is from. Raises Broken."""
        doc = orjson.loads(document)
        if not isinstance(doc, dict):
            raise Broken(f"a row is not an object: {document!r}")
        remarks = doc.get("logagent", {})
        wrapped = remarks.get("error", "") not in OURS
        if wrapped:
            inner = orjson.loads(remarks.get("message") or doc["message"])
            remarks = inner.get("logagent", {})
            doc = inner
        part = next((name for name in PARTS if name in remarks), "")
        if "message" in doc:
            return self._text(doc["message"], part, wrapped=wrapped)
        return self._members(doc, part, wrapped=wrapped)

    def _members(self, doc: dict[str, object], part: str, *, wrapped: bool) -> Seen:
        """A JSON line: each of its members is in the document, or under `shadowed`."""
        token = str(doc.get("id", "")).encode()
        text = self.texts.get(token)
        if text is None:
            raise Broken(f"a document of no line: {doc}")
        moved = doc.get("shadowed", {})
        for key, value in orjson.loads(text).items():
            found = moved.get(key) if isinstance(moved, dict) and key in moved else doc.get(key)
            if found != value:
                raise Broken(f"{key} of line {token!r} is {found!r} and was {value!r}")
        return Seen((token,), part, text, wrapped)

    def _text(self, message: str, part: str, *, wrapped: bool) -> Seen:
        raw = message.encode()
        match = TOKEN.search(raw)
        if not part:
            text = self.texts.get(match[0]) if match else None
            if match is None or text != raw:
                raise Broken(f"a row is no line that was written: {raw!r}, line: {text!r}")
            return Seen((match[0],), "", raw, wrapped)
        raw = message.strip("\ufffd").encode()
        if match:
            text = self.texts.get(match[0], b"")
            if not _fits(text, raw, part):
                raise Broken(f"a part ({part}) is not of its line: {raw!r} of {text!r}")
            return Seen((match[0],), part, raw, wrapped)
        tokens = tuple(sorted(t for t in self.begun if _fits(self.texts[t], raw, part)))
        if not tokens:
            raise Broken(f"a part ({part}) is of no line that was begun: {raw!r}")
        return Seen(tokens, part, raw, wrapped)


def _fits(text: bytes, raw: bytes, part: str) -> bool:
    """Whether `raw` can be that part of a line."""
    return text.startswith(raw) if part == "partial" else raw in text


def joined(text: bytes, parts: set[tuple[str, bytes]]) -> int:
    """How many bytes of a line its parts make up, from its start without a gap."""
    slack = 1 if text.isascii() else 5  # a character that was cut is lost in both parts
    reach = {0}
    pending = [0]
    while pending:
        start = pending.pop()
        for _, raw in parts:
            for at in range(start, start + slack):
                end = at + len(raw)
                if raw and end not in reach and text.startswith(raw, at):
                    reach.add(end)
                    pending.append(end)
    return max(reach) + slack - 1
