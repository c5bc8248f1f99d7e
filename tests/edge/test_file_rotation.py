"""Files that are rotated by size: every line in one of them, in order, whatever happened."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from logagent.core.chunk import Request
from logagent.edge.file import FileJournal, FileSink, Rotation


async def at_once(work: Callable[[], None]) -> None:
    """Do the work here and now."""
    work()


def make(path: Path, *, size: int = 10, keep: int = 2, durable: bool = True) -> FileJournal:
    """A journal with small files."""
    rotation = Rotation(size, keep)
    return FileJournal(str(path), offload=at_once, rotation=rotation, durable=durable)


def append(journal: FileJournal, *lines: bytes) -> None:
    """Append each."""
    for line in lines:
        asyncio.run(journal.append(line))


def contents(folder: Path) -> dict[str, bytes]:
    """All files."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_move_up_and_the_oldest_goes(tmp_path: Path) -> None:
    """A file that would grow above its size becomes .1, that one .2; what was the last is gone. A
    block that is larger by itself is not cut."""
    journal = make(tmp_path / "f")
    append(journal, b"1234\n", b"5678\n")
    assert contents(tmp_path) == {"f": b"1234\n5678\n"}
    append(journal, b"a\n", b"bcdefghijklmnop\n")
    assert contents(tmp_path) == {
        "f": b"bcdefghijklmnop\n",
        "f.1": b"a\n",
        "f.2": b"1234\n5678\n",
    }
    append(journal, b"c\n")
    journal.close()
    assert contents(tmp_path) == {"f": b"c\n", "f.1": b"bcdefghijklmnop\n", "f.2": b"a\n"}


def test_a_new_life_goes_on(tmp_path: Path) -> None:
    """A journal that is opened again knows how full the file is."""
    append(make(tmp_path / "f"), b"1234567\n")
    append(make(tmp_path / "f"), b"89\n")
    assert contents(tmp_path) == {"f": b"89\n", "f.1": b"1234567\n"}


def test_holes_in_the_numbers_are_fine(tmp_path: Path) -> None:
    """A crash in mid-rotation leaves a number out, or no file at all: nothing is overwritten."""
    (tmp_path / "f.1").write_bytes(b"old\n")
    (tmp_path / "f.3").write_bytes(b"older\n")
    journal = make(tmp_path / "f", keep=3)
    append(journal, b"123456789\n", b"x\n")
    found = {"f": b"x\n", "f.1": b"123456789\n", "f.2": b"old\n", "f.3": b"older\n"}
    assert contents(tmp_path) == found


def test_the_order_of_a_rotation_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names move from the highest number down, the directory is synced when the new file is there,
    and only then a line is written."""
    events: list[str] = []
    rename, fsync, pwrite = os.rename, os.fsync, os.pwrite

    def seen_rename(source: str, target: str) -> None:
        rename(source, target)
        events.append(f"{Path(source).name}>{Path(target).name}")

    def seen_fsync(fd: int) -> None:
        fsync(fd)
        name = Path(os.readlink(f"/proc/self/fd/{fd}")).name
        events.append(f"sync {'directory' if name == tmp_path.name else name}")

    def seen_pwrite(fd: int, data: memoryview, offset: int) -> int:
        events.append("write")
        return pwrite(fd, data, offset)

    journal = make(tmp_path / "f")
    append(journal, b"123456789\n")
    monkeypatch.setattr(os, "rename", seen_rename)
    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "pwrite", seen_pwrite)
    append(journal, b"x\n")
    monkeypatch.undo()
    journal.close()
    assert events == ["f>f.1", "sync directory", "write", "sync f"]


def test_what_cannot_be_renamed_holds(tmp_path: Path) -> None:
    """A directory in a number's place is an error; nothing is written until it is gone."""
    (tmp_path / "f.1").mkdir()
    (tmp_path / "f.1" / "x").touch()
    journal = make(tmp_path / "f", keep=1)
    append(journal, b"123456789\n")
    with pytest.raises(OSError, match=r"f\.1"):
        append(journal, b"x\n")
    assert (tmp_path / "f").read_bytes() == b"123456789\n"
    (tmp_path / "f.1" / "x").unlink()
    (tmp_path / "f.1").rmdir()
    append(journal, b"x\n")
    journal.close()
    assert contents(tmp_path) == {"f": b"x\n", "f.1": b"123456789\n"}


def test_nothing_is_synced_when_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without durability no fsync is waited for, also not in a rotation."""

    def no_sync(_: int) -> None:
        raise AssertionError("synced")

    monkeypatch.setattr(os, "fsync", no_sync)
    journal = make(tmp_path / "f", durable=False)
    append(journal, b"123456789\n", b"x\n")
    journal.close()
    assert contents(tmp_path) == {"f": b"x\n", "f.1": b"123456789\n"}


def test_a_full_disk_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room is a fault of a known form, other errors aren't, and with room it goes on."""
    sink = FileSink(make(tmp_path / "f", size=1000), disk_full="no room")
    request = Request(b"one\n", 1, 4, gzipped=False)

    def failing(number: int) -> Callable[[int, memoryview, int], int]:
        def pwrite(_: int, _data: memoryview, _at: int) -> int:
            raise OSError(number, os.strerror(number))

        return pwrite

    def fault(number: int) -> str:
        monkeypatch.setattr(os, "pwrite", failing(number))
        reply = asyncio.run(sink.send(request))
        monkeypatch.undo()
        return reply.fault

    assert fault(errno.ENOSPC).startswith(f"no room: writing {tmp_path}/f: ")
    assert fault(errno.EDQUOT).startswith("no room: ")
    assert fault(errno.EIO).startswith(f"writing {tmp_path}/f: ")
    assert asyncio.run(sink.send(request)).status == 200
    asyncio.run(sink.close())
    assert contents(tmp_path) == {"f": b"one\n"}
