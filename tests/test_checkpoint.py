"""The checkpoint: whatever happens to a slot, what is loaded was saved; and the good one stays."""

from __future__ import annotations

import errno

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.checkpoint import (
    ENTRIES_MAX,
    MAGIC,
    Checkpoint,
    CheckpointError,
    Loaded,
    decode_slot,
    encode_slot,
)
from logagent.core.files import FileId, Generation, Guard, Position
from tests.fakes.fs import MemoryFs

SLOTS = ("/state/out/slot-0", "/state/out/slot-1")
FULL = OSError(errno.ENOSPC, "No space left on device")


def generation(offset: int, *, number: int = 7, path: bytes = b"a.log") -> Generation:
    """A generation at an offset."""
    return Generation(
        id=number,
        file=FileId("/logs", 5, 6),
        input="app",
        path=path,
        prefix=Guard(10, 11),
        anchor=Guard(12, 13),
        position=Position(offset),
        seen=offset + 100,
    )


OLD, NEW = [generation(100)], [generation(200), generation(5, number=8)]


def saved(*states: list[Generation]) -> MemoryFs:
    """A file system on which these were saved one after another."""
    fs = MemoryFs()
    checkpoint = Checkpoint(fs, "/state/out")
    checkpoint.load()
    for state in states:
        checkpoint.save(state)
    return fs


def load(fs: MemoryFs) -> Loaded:
    """What a new process finds."""
    return Checkpoint(fs, "/state/out").load()


GENERATIONS = st.lists(
    st.builds(
        Generation,
        id=st.integers(0, 2**63 - 1),
        file=st.builds(FileId, st.text(max_size=9), st.integers(0, 2**64 - 1), st.integers(0)),
        input=st.text(max_size=9),
        path=st.binary(max_size=40),
        prefix=st.builds(Guard, st.integers(0, 1024), st.integers(0, 2**32 - 1)),
        anchor=st.builds(Guard, st.integers(0, 1024), st.integers(0, 2**32 - 1)),
        position=st.builds(
            Position, st.integers(0, 2**63 - 1), st.sampled_from(["", "long", "partial"])
        ),
        seen=st.integers(0, 2**63 - 1),
    ),
    max_size=4,
)


@given(st.integers(1, 2**64 - 1), GENERATIONS, st.binary(max_size=50))
def test_a_slot_comes_back(sequence: int, state: list[Generation], behind: bytes) -> None:
    """Any state is read as it was written, whatever stands behind it from a longer one."""
    slot = decode_slot(encode_slot(sequence, state) + behind)
    assert slot is not None
    assert (slot.sequence, slot.generations) == (sequence, state)


@pytest.mark.parametrize("which", [0, 1])
def test_any_truncation_falls_back(which: int) -> None:
    """Either slot cut at any length: the other one is taken, with a word about the damage unless
    the slot is empty."""
    fs = saved(OLD, NEW)
    whole = fs.slots[SLOTS[which]]
    other = NEW if which == 0 else OLD
    for length in range(len(whole)):
        fs.slots[SLOTS[which]] = whole[:length]
        found = load(fs)
        assert found.generations == other, length
        assert found.damage == (f"{SLOTS[which]} is damaged" if length else "")


@pytest.mark.parametrize("which", [0, 1])
def test_any_bit_flip_falls_back(which: int) -> None:
    """One bit of either slot flipped, its sequence number included: the other one is taken, and
    the damage is reported. Content that was never saved is never loaded."""
    fs = saved(OLD, NEW)
    whole = fs.slots[SLOTS[which]]
    other = NEW if which == 0 else OLD
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        fs.slots[SLOTS[which]] = bytes(flipped)
        assert load(fs) == Loaded(other, f"{SLOTS[which]} is damaged"), bit


def test_the_newer_slot_wins() -> None:
    """Slots are written in turn, and after a restart too, over the older one."""
    states = [[generation(offset)] for offset in (1, 2, 3)]
    fs = saved(*states)
    assert load(fs) == Loaded(states[2], "")
    again = Checkpoint(fs, "/state/out")
    again.load()
    again.save([generation(4)])
    assert [path for path, _ in fs.slot_writes] == [SLOTS[0], SLOTS[1], SLOTS[0], SLOTS[1]]
    assert load(fs).generations == [generation(4)]
    fs.slots[SLOTS[1]] = b"gone"
    assert load(fs).generations == states[2]


def test_a_shorter_state_over_a_longer_one() -> None:
    """What a longer state left behind in the file isn't taken for damage."""
    long = [generation(1, number=n, path=b"x" * 99) for n in range(20)]
    fs = saved(long, OLD, [generation(150)])
    assert len(fs.slots[SLOTS[0]]) > len(encode_slot(1, long)) // 2
    assert load(fs) == Loaded([generation(150)], "")


@pytest.mark.parametrize("torn_at", [0, 1, len(MAGIC), len(MAGIC) + 20, 10**6])
def test_a_failed_save_leaves_the_good_slot(torn_at: int) -> None:
    """However much of it reached the disk, the last good state is loaded (or the new one, when all
    of it did); the error says where and why."""
    fs = saved(OLD)
    checkpoint = Checkpoint(fs, "/state/out")
    checkpoint.load()
    fs.slot_error, fs.slot_torn_at = FULL, torn_at
    for _ in range(3):
        with pytest.raises(CheckpointError, match=r"writing /state/out/slot-1: No space left"):
            checkpoint.save(NEW)
        assert load(fs).generations == (NEW if torn_at == 10**6 else OLD)
    assert {path for path, _ in fs.slot_writes[1:]} == {SLOTS[1]}


def test_after_a_full_disk_the_failed_slot_is_replaced() -> None:
    """With room again the save goes into a new file at the failed slot's place: what a failed
    fsync left can't be trusted. After that, slots are overwritten in turn again."""
    fs = saved(OLD, OLD)
    checkpoint = Checkpoint(fs, "/state/out")
    checkpoint.load()
    fs.slot_error = FULL
    with pytest.raises(CheckpointError):
        checkpoint.save(NEW)
    fs.slot_error = None
    for _ in range(3):
        checkpoint.save(NEW)
    assert fs.slot_writes[2:] == [
        (SLOTS[0], False),
        (SLOTS[0], True),
        (SLOTS[1], False),
        (SLOTS[0], False),
    ]
    assert load(fs) == Loaded(NEW, "")


def test_a_damaged_slot_is_replaced() -> None:
    """The first save after damage makes a new file instead of writing into the damaged one."""
    fs = saved(OLD, NEW)
    fs.slots[SLOTS[0]] = b"\0" * 500
    checkpoint = Checkpoint(fs, "/state/out")
    checkpoint.load()
    checkpoint.save(NEW)
    assert fs.slot_writes[-1] == (SLOTS[0], True)
    assert load(fs).damage == ""


def test_no_slot_is_a_first_start() -> None:
    """Nothing there is no damage; two bad slots are, both of them named."""
    assert load(MemoryFs()) == Loaded([], "")
    fs = saved(OLD, NEW)
    fs.slots = dict.fromkeys(SLOTS, b"\0" * 10)
    assert load(fs) == Loaded([], f"{SLOTS[0]} is damaged; {SLOTS[1]} is damaged")


def test_a_slot_that_cannot_be_read_is_damage() -> None:
    """A directory in a slot's place, or EIO, doesn't stop a start."""

    class Unreadable(MemoryFs):
        def read_slot(self, path: str) -> bytes:
            if path == SLOTS[1]:
                raise OSError(errno.EISDIR, "Is a directory")
            return super().read_slot(path)

    fs = Unreadable()
    fs.slots = saved(OLD, NEW).slots
    assert load(fs) == Loaded(OLD, "reading /state/out/slot-1: Is a directory")


def test_a_position_never_moves_backwards() -> None:
    """Not within a generation, not after a restart either; a new generation may start at 0."""
    fs = saved(OLD)
    checkpoint = Checkpoint(fs, "/state/out")
    checkpoint.load()
    with pytest.raises(AssertionError, match="backwards"):
        checkpoint.save([generation(99)])
    checkpoint.save([generation(100), generation(50, number=9)])
    with pytest.raises(AssertionError, match="backwards"):
        checkpoint.save([generation(49, number=9)])
    checkpoint.save([])
    checkpoint.save([generation(0, number=9)])
    assert load(fs).generations == [generation(0, number=9)]


def test_what_makes_no_sense_is_damage() -> None:
    """A payload with a good checksum and impossible values isn't believed."""

    def believed(state: Generation, sequence: int = 1) -> bool:
        return decode_slot(encode_slot(sequence, [state])) is not None

    replace = msgspec.structs.replace
    assert believed(replace(OLD[0], position=Position(2**63 - 1, "partial")))
    assert believed(replace(OLD[0], prefix=Guard(1024, 0), anchor=Guard(1024, 0)))
    assert not believed(replace(OLD[0], position=Position(2**63)))
    assert not believed(replace(OLD[0], position=Position(-1)))
    assert not believed(replace(OLD[0], prefix=Guard(1025, 0)))
    assert not believed(replace(OLD[0], anchor=Guard(1025, 0)))
    assert not believed(OLD[0], sequence=0)


@pytest.mark.slow
def test_a_checkpoint_has_a_bound() -> None:
    """More entries than the bound are damage, so that memory at a start is bounded."""
    entries = [generation(1)] * ENTRIES_MAX
    assert decode_slot(encode_slot(1, entries)) is not None
    assert decode_slot(encode_slot(1, [*entries, generation(1)])) is None


def test_another_version_is_not_read() -> None:
    """A slot of a later format is damage for us, never half understood."""
    data = encode_slot(1, OLD).replace(b"checkpoint 1", b"checkpoint 2")
    assert decode_slot(data) is None
