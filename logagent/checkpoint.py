"""The checkpoint of one output: two slots, written in turn, the newer valid one wins.

Knows the slots' form and how to recover. Logic over the Fs port: the simulator and a disk with
errors drive it alike. A slot is `MAGIC`, then sequence, length of the payload and CRC-32 of
sequence and payload (big endian), then the payload: the generations as JSON. What follows it is
ignored.
"""

from collections.abc import Sequence
from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812 (struct has no other name for it)
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from logagent.core.files import Generation
from logagent.ports import Fs

MAGIC: Final = b"logagent checkpoint 1\n"
ENTRIES_MAX: Final = 100_000
_HEADER: Final = Layout(">QII")
_DECODER: Final = msgspec.json.Decoder(list[Generation])


class CheckpointError(Exception):
    """A commit that isn't durable. The text says which slot and why."""


class Loaded(NamedTuple):
    """What a start finds. `damage` says in words what was wrong with the slots, "" if nothing."""

    generations: list[Generation]
    damage: str


class Slot(NamedTuple):
    """A valid slot's content."""

    sequence: int
    generations: list[Generation]


class Checkpoint:
    """The durable positions of one output, in `directory/slot-0` and `directory/slot-1`."""

    def __init__(self, fs: Fs, directory: str) -> None:
        self._fs = fs
        self._paths = (f"{directory}/slot-0", f"{directory}/slot-1")
        self._sequence = 0
        self._active = 1
        self._failed = [False, False]
        self._offsets: dict[int, int] = {}

    def load(self) -> Loaded:
        """Read both slots and take the newer valid one. Never raises: what can't be read is
        damage, and without any valid slot the output starts over (duplicates, no loss)."""
        found: list[Slot | None] = []
        damage: list[str] = []
        for path in self._paths:
            try:
                data = self._fs.read_slot(path)
            except OSError as error:
                damage.append(f"reading {path}: {error.strerror or error}")
                found.append(None)
                continue
            slot = decode_slot(data) if data else None
            if data and slot is None:
                damage.append(f"{path} is damaged")
            found.append(slot)
        best = max((s for s in found if s), key=lambda s: s.sequence, default=Slot(0, []))
        if best.sequence:
            self._sequence = best.sequence
            self._active = found.index(best)
        self._failed = [slot is None for slot in found]
        self._offsets = {g.id: g.position.offset for g in best.generations}
        return Loaded(best.generations, "; ".join(damage))

    def save(self, generations: Sequence[Generation]) -> None:
        """Make the positions durable, in the slot that isn't the good one.

        Raises CheckpointError; then the last good slot is untouched, and the next save replaces
        the failed slot by a new file: after a failed fsync the old one's pages can't be trusted.
        """
        for generation in generations:
            last = self._offsets.get(generation.id, 0)
            assert generation.position.offset >= last, "a checkpoint never moves backwards"
        target = 1 - self._active
        data = encode_slot(self._sequence + 1, generations)
        fresh = self._failed[target]
        self._failed[target] = True
        try:
            self._fs.write_slot(self._paths[target], data, fresh=fresh)
        except OSError as error:
            why = error.strerror or str(error)
            raise CheckpointError(f"writing {self._paths[target]}: {why}") from error
        self._failed[target] = False
        self._active = target
        self._sequence += 1
        self._offsets = {g.id: g.position.offset for g in generations}


def encode_slot(sequence: int, generations: Sequence[Generation]) -> bytes:
    """A slot's bytes."""
    payload = msgspec.json.encode(generations)
    return MAGIC + _HEADER.pack(sequence, len(payload), _crc(sequence, payload)) + payload


def decode_slot(data: bytes) -> Slot | None:
    """A slot's content; None when it is torn, damaged, or of another version."""
    if not data.startswith(MAGIC):
        return None
    try:
        sequence, length, crc = _HEADER.unpack_from(data, len(MAGIC))
        payload = data[len(MAGIC) + _HEADER.size :][:length]
        if len(payload) != length or _crc(sequence, payload) != crc or sequence < 1:
            return None
        generations = _DECODER.decode(payload)
    except (LayoutError, msgspec.DecodeError):
        return None
    sane = len(generations) <= ENTRIES_MAX and all(
        0 <= g.position.offset < 1 << 63 and g.prefix.length <= 1024 and g.anchor.length <= 1024
        for g in generations
    )
    return Slot(sequence, generations) if sane else None


def _crc(sequence: int, payload: bytes) -> int:
    """Of the sequence too: a flipped bit in the older slot's must not make it the newer one."""
    return crc32(payload, crc32(sequence.to_bytes(8, "big")))
