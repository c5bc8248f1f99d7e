"""The agent and a file: rotated, killed in mid-run, and on a disk that is full."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.agent import installed
from tests.e2e.search_support import eventually, run_agent, start_agent
from tests.e2e.servers.ports import free_port

LINES: Final = 60_000
ROTATE_BYTES: Final = 2 << 20


def write_lines(folder: Path, count: int) -> None:
    """`count` JSON lines with their numbers, about 200 bytes each."""
    (folder / "logs").mkdir()
    with (folder / "logs" / "app.log").open("w") as file:
        for number in range(count):
            file.write(f'{{"number":{number},"text":"{"x" * 170}"}}\n')


def config(folder: Path, path: Path, **options: object) -> dict[str, object]:
    """A configuration that follows `folder`/logs into a file."""
    output = {"type": "file", "path": str(path), "batch_bytes": 262_144, **options}
    return {
        "inputs": {"app": {"paths": [f"{folder}/logs/*.log"]}},
        "outputs": {"kept": output},
    }


def numbers(path: Path) -> list[int]:
    """The numbers in a file and those that it was renamed to, oldest first."""
    files = sorted(path.parent.glob(f"{path.name}.*"), key=lambda p: -int(p.suffix[1:]))
    return [
        json.loads(line)["number"]
        for file in [*files, path]
        for line in file.read_bytes().splitlines()
    ]


def test_rotated_files_have_all_lines(tmp_path: Path) -> None:
    """All lines are in the files, once and in order, and no file is larger than it may be."""
    write_lines(tmp_path, LINES)
    path = tmp_path / "out" / "kept.ndjson"
    done = run_agent(config(tmp_path, path, rotate_bytes=ROTATE_BYTES, keep=50), tmp_path)
    assert done.returncode == 0, done.stderr
    assert numbers(path) == list(range(LINES))
    sizes = [file.stat().st_size for file in path.parent.iterdir()]
    assert len(sizes) > 5
    assert max(sizes) <= ROTATE_BYTES


def test_kills(tmp_path: Path) -> None:
    """Killed again and again, also between renames, it loses no line and leaves no torn one."""
    write_lines(tmp_path, LINES)
    path = tmp_path / "out" / "kept.ndjson"
    settings = config(tmp_path, path, rotate_bytes=ROTATE_BYTES, keep=90)
    with installed(settings, tmp_path) as installation:
        for files in (2, 4, 6):
            agent = installation.start()
            await_files(path, files)
            agent.kill()
        agent = installation.start("--once")
        assert agent.wait() == 0, agent.log_text()
    assert set(Counter(numbers(path))) == set(range(LINES))


def await_files(path: Path, count: int) -> None:
    """Wait for so many files."""
    eventually(f"{count} files", lambda: len(list(path.parent.glob("*"))) >= count)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of its own; needs root."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False
    )
    if done.returncode:
        pytest.skip("tmpfs can't be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    """On a full disk the agent waits and says so; with room again all lines arrive, once."""
    write_lines(tmp_path, LINES)
    with small_disk(tmp_path / "disk", 8 << 20) as disk:
        filler = disk / "filler"
        filler.write_bytes(b"x" * (6 << 20))
        path = disk / "kept.ndjson"
        settings = config(tmp_path, path)
        with start_agent(settings, tmp_path, admin_port=free_port()) as agent:
            eventually("a full disk", lambda: "disk_full" in agent.log_text())
            assert agent.status is None
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            filler.unlink()
            eventually("all lines", lambda: len(numbers(path)) == LINES)
            assert agent.stop() == 0
        assert numbers(path) == list(range(LINES))
