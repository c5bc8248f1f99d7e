"""Dead letters: rows that a sink refused, as lines that can be read, counted and sent again.

Knows the line's form, and what a letter is made of. Must not write it anywhere.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol, runtime_checkable

import msgspec
from msgspec import Struct

from logagent.core.chunk import Origin, Rejection

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

UNKNOWN: Final = -1
"""A generation, offset or length that a letter doesn't say: those of earlier versions don't."""


class DeadLetter(Struct, frozen=True, omit_defaults=True):
    """One refused row.

    `document` is the JSON document as text, as it was rendered, so that nothing in it can be
    refused again for its shape. `id` is the event's (render/ids.py), made of `generation`, `offset`
    and `length`: the bytes of `file` that the row is. Unless `exact`: then they are a range of the
    file that the row is somewhere in, and `id` is an id of this letter alone. `attempts` is how
    often the row was refused for good: more than 1 after a replay.

    row: the framing in front of the document, in letters of earlier versions.
    """

    time: str
    output: str
    status: int
    kind: str
    reason: str
    document: str
    row: str = ""
    id: str = ""
    input: str = ""
    file: str = ""
    generation: int = UNKNOWN
    offset: int = UNKNOWN
    length: int = UNKNOWN
    exact: bool = True
    attempts: int = 1


class Segment(NamedTuple):
    """A file of letters. `done` bytes at its start have been delivered; -1 = no replay has begun
    with it."""

    number: int
    name: str
    size: int
    done: int = -1

    @property
    def is_claimed(self) -> bool:
        """Whether a replay has begun with it."""
        return self.done >= 0


class Place(NamedTuple):
    """Which bytes of a generation a row is, see `DeadLetter`; `buried` counts earlier letters."""

    id: str
    generation: int
    offset: int
    length: int
    exact: bool = True
    buried: int = 0


class Sought(NamedTuple):
    """A row to be located: its number in its ticket, and its event id if that is in the row."""

    number: int
    id: bytes = b""


Locate = Callable[[int, Sequence[Sought]], list[Place]]
"""Finds out which bytes rows of the ledger's ticket `key` are; one place a row, in order."""


@runtime_checkable
class Identifier(Protocol):
    """A codec whose rows may carry their event's id."""

    def event_id(self, row: bytes) -> bytes:
        """The event's id inside a row, b"" if rows have none."""


@runtime_checkable
class Burier(Protocol):
    """A codec that can send a letter itself, to a place for dead letters on the same server."""

    def to_dead(self, letter: DeadLetter) -> bytes:
        """A row (as `split` returns them) that hardly a mapping refuses: the letter's members,
        flat, the document among them as text. `document(row)` is read by `decode`."""


def encode(letters: Sequence[DeadLetter]) -> bytes:
    """Whole lines, one a letter."""
    return b"".join(msgspec.json.encode(letter) + b"\n" for letter in letters)


def decode(line: bytes) -> DeadLetter:
    """A letter from its line. Raises msgspec.DecodeError."""
    return msgspec.json.decode(line, type=DeadLetter)


def letter(
    document: bytes,
    rejection: Rejection,
    origin: Origin,
    place: Place,
    *,
    output: str,
    time: str,
) -> DeadLetter:
    """The letter for a refused row of `output` at `time` (RFC 3339)."""
    return DeadLetter(
        time=time,
        output=output,
        status=rejection.status,
        kind=rejection.kind,
        reason=rejection.reason,
        document=document.decode("utf-8", "replace"),
        id=place.id,
        input=origin.input,
        file=origin.path,
        generation=place.generation,
        offset=place.offset,
        length=place.length,
        exact=place.exact,
        attempts=place.buried + 1,
    )


class _Target(Struct):
    id: str = msgspec.field(default="", name="_id")


class _Action(Struct):
    create: _Target = msgspec.field(default_factory=_Target)


def event_id(letter: DeadLetter) -> str:
    """The id that a letter's row is sent with, "" if it has none. Letters of earlier versions have
    it in their action line. What couldn't be an id of ours is none: it goes into an action."""
    spelled = letter.id
    if letter.row and not spelled:
        try:
            spelled = msgspec.json.decode(letter.row, type=_Action).create.id
        except (msgspec.DecodeError, RecursionError):
            return ""
    return spelled if _ID.fullmatch(spelled) else ""


def is_sendable(letter: DeadLetter) -> bool:
    """Whether a letter holds one document, on one line: a state directory isn't quite ours, and a
    newline would be a row of somebody else's making. Other whitespace is as the app wrote it."""
    text = letter.document.strip(" \t\r")
    if not text.startswith("{") or not text.endswith("}") or "\n" in text:
        return False
    try:  # two objects would be one row more than there are letters
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    except RecursionError:  # as deep as the app made it
        return True
    return True
