"""The question: what reading costs, with the guards that see that a file was rewritten.

A pread of 256 KiB from the page cache, and the CRCs of the KiB in front of it, as for each chunk.
"""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

from bench.conftest import Measure, count_lines
from logagent.edge.fs import RealFs

GUARD_BYTES = 1024


def test_read_chunks(measure: Measure, tmp_path: Path, json_chunks: list[bytes]) -> None:
    """Read chunk after chunk, each with its guard."""
    path = tmp_path / "app.log"
    path.write_bytes(b"".join(json_chunks))
    fs = RealFs()
    fd = os.open(path, os.O_RDONLY)
    offset = 0

    def read(chunk: bytes) -> None:
        nonlocal offset
        if chunk is json_chunks[0]:
            offset = 0
        before = min(offset, GUARD_BYTES)
        data = fs.pread(fd, before + len(chunk), offset - before)
        crc32(data[:before])
        offset += len(chunk)

    measure(read, json_chunks, count_lines(json_chunks))
    os.close(fd)
