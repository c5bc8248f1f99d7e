"""Files of lines: durable when said so, whole again after whatever happened."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING

import pytest

from logagent.core.chunk import Request
from logagent.edge.file import FileJournal, FileSink, whole_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def at_once(work: Callable[[], None]) -> None:
    """Do the work here and now."""
    work()


def append(journal: FileJournal, *lines: bytes) -> None:
    """Append each."""
    for line in lines:
        asyncio.run(journal.append(line))


def test_lines_are_appended(tmp_path: Path) -> None:
    """Lines follow each other over a close, in a private file whose directory is made for it."""
    path = tmp_path / "dead" / "search" / "x.ndjson"
    journal = FileJournal(str(path), offload=at_once)
    append(journal, b"one\n", b"two\nthree\n")
    journal.close()
    append(journal, b"four\n")
    journal.close()
    assert path.read_bytes() == b"one\ntwo\nthree\nfour\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    """What a crash has left behind the last newline goes at the next open, and is counted."""

    def check(content: bytes, kept: bytes) -> None:
        path = tmp_path / "f"
        path.write_bytes(content)
        journal = FileJournal(str(path), offload=at_once)
        append(journal, b"new\n")
        journal.close()
        assert path.read_bytes() == kept + b"new\n"
        assert journal.cut_bytes == len(content) - len(kept)

    check(b"", b"")
    check(b"whole\n", b"whole\n")
    check(b"whole\ntorn", b"whole\n")
    check(b"torn", b"")
    check(b"whole\n" + b"x" * 200_000, b"whole\n")
    check(b"x" * 65_535 + b"\n", b"x" * 65_535 + b"\n")


def test_a_failed_append_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write cut short by a full disk, and a failed fsync, are undone; the next append uses a new
    descriptor and finds the file whole."""
    path = tmp_path / "f"
    journal = FileJournal(str(path), offload=at_once)
    append(journal, b"one\n")
    real_write, real_sync = os.pwrite, os.fsync
    writes = 0

    def short_write(fd: int, data: memoryview, offset: int) -> int:
        nonlocal writes
        writes += 1
        if writes > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(fd, data[:2], offset)

    monkeypatch.setattr(os, "pwrite", short_write)
    with pytest.raises(OSError, match=r"No space.*/f"):
        append(journal, b"two\n")
    monkeypatch.setattr(os, "pwrite", real_write)
    assert path.read_bytes() == b"one\n"

    def failing_sync(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    append(journal, b"three\n")
    held = journal._fd
    monkeypatch.setattr(os, "fsync", failing_sync)
    with pytest.raises(OSError, match="Input/output"):
        append(journal, b"four\n")
    monkeypatch.setattr(os, "fsync", real_sync)
    assert (held >= 0, journal._fd) == (True, -1)
    append(journal, b"five\n")
    journal.close()
    assert path.read_bytes() == b"one\nthree\nfive\n"


def test_a_file_that_was_moved_is_made_anew(tmp_path: Path) -> None:
    """After log rotation lines go into a new file; after truncation from the start of it."""
    path = tmp_path / "f"
    journal = FileJournal(str(path), offload=at_once)
    append(journal, b"one\n")
    path.rename(tmp_path / "f.1")
    append(journal, b"two\n")
    os.truncate(path, 0)
    append(journal, b"three\n")
    journal.close()
    assert (tmp_path / "f.1").read_bytes() == b"one\n"
    assert path.read_bytes() == b"three\n"


def test_the_size_is_bounded(tmp_path: Path) -> None:
    """An append that would pass the limit is refused as if the disk were full, and says why."""
    journal = FileJournal(str(tmp_path / "f"), offload=at_once, bytes_max=10)
    append(journal, b"123456\n", b"89\n")
    with pytest.raises(OSError, match="10 of at most 10 bytes") as caught:
        append(journal, b"\n")
    assert caught.value.errno == errno.ENOSPC
    journal.close()


def test_odd_files_are_refused(tmp_path: Path) -> None:
    """A symlink and a FIFO in the file's place are errors; nothing is written through them."""
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "fifo"):
        with pytest.raises(OSError, match=name):
            append(FileJournal(str(tmp_path / name), offload=at_once), b"x\n")
    assert not (tmp_path / "target").exists()


def test_appends_at_once_do_not_mix(tmp_path: Path) -> None:
    """Two tasks that append through threads leave whole blocks."""
    path = tmp_path / "f"
    journal = FileJournal(str(path), offload=asyncio.to_thread)
    blocks = [bytes([65 + number]) * 50_000 + b"\n" for number in range(8)]

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for block in blocks:
                group.create_task(journal.append(block))

    asyncio.run(main())
    journal.close()
    assert sorted(path.read_bytes().splitlines(keepends=True)) == blocks


def test_the_sink_answers_with_values(tmp_path: Path) -> None:
    """A written body is a 200; what can't be written is a fault that names the file."""
    journal = FileJournal(str(tmp_path / "f"), offload=at_once, bytes_max=4)
    sink = FileSink(journal)

    async def main() -> None:
        assert (await sink.send(Request(b"one\n", 1, 4, gzipped=False))).status == 200
        reply = await sink.send(Request(b"two\n", 1, 4, gzipped=False))
        assert (reply.status, reply.sent) == (0, False)
        assert reply.fault.startswith(f"disk full: writing {tmp_path}/f: ")
        await sink.refresh()
        await sink.close()

    asyncio.run(main())
    assert journal._fd == -1


def test_whole_lines_of_any_length(tmp_path: Path) -> None:
    """The end of the last line is found wherever the blocks' borders fall."""
    path = tmp_path / "f"
    for lead in (0, 1, 65_535, 65_536, 65_537, 131_072):
        for tail in (0, 1, 65_535, 65_536, 70_000):
            data = b"a" * lead + b"\n" + b"b" * tail
            path.write_bytes(data)
            fd = os.open(path, os.O_RDONLY)
            assert whole_lines(fd, len(data)) == lead + 1
            os.close(fd)
