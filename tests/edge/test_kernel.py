"""statx and openat2 against what Python's own calls say."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING

import pytest

from logagent.edge import kernel

if TYPE_CHECKING:
    from pathlib import Path


def test_statx_agrees_with_stat(tmp_path: Path) -> None:
    """Every field that both know is the same, by path, by directory and by descriptor; a file's
    birth lies within this test."""
    before = time.time_ns() - 1_000_000_000
    path = tmp_path / "f"
    path.write_bytes(b"123")
    os.link(path, tmp_path / "second")
    os.utime(path, ns=(1, 1_234_567_890_123_456_789))
    path.chmod(0o640)
    plain = path.stat()
    fd = os.open(path, os.O_PATH)
    top = os.open(tmp_path, os.O_PATH)
    nodes = [
        kernel.node_of_fd(fd),
        kernel.node_of_path(os.fsencode(path)),
        kernel.node_of_path(b"f", top),
    ]
    os.close(fd)
    os.close(top)
    assert nodes[0] == nodes[1] == nodes[2]
    stat, device, _ = nodes[0]
    assert (stat.ino, stat.size, stat.nlink) == (plain.st_ino, 3, 2)
    assert (stat.mtime_ns, stat.mode) == (1_234_567_890_123_456_789, plain.st_mode)
    assert (stat.uid, stat.gid) == (plain.st_uid, plain.st_gid)
    assert device == os.major(plain.st_dev) << 32 | os.minor(plain.st_dev)
    assert stat.birth_ns == 0 or before < stat.birth_ns <= time.time_ns() + 1_000_000_000


def test_without_statx_only_the_birth_time_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old libc, or a profile that forbids statx, costs the birth time and nothing else."""
    (tmp_path / "f").write_bytes(b"123")
    path = os.fsencode(tmp_path / "f")
    whole = kernel.node_of_path(path)
    monkeypatch.setattr(kernel, "_statx", None)
    poor = kernel.node_of_path(path)
    assert poor.stat == whole.stat._replace(birth_ns=0)
    assert (poor.device, poor.mount) == (whole.device, 0)
    fd = os.open(path, os.O_RDONLY)
    assert kernel.node_of_fd(fd) == poor
    os.close(fd)


def test_errors_are_oserrors(tmp_path: Path) -> None:
    """What is missing raises what Python's own calls raise."""
    with pytest.raises(FileNotFoundError):
        kernel.node_of_path(os.fsencode(tmp_path / "no"))
    with pytest.raises(OSError, match="Bad file descriptor"):
        kernel.node_of_fd(1 << 20)
    with pytest.raises(OSError, match=r"Errno") as caught:
        kernel.openat2(kernel.AT_FDCWD, os.fsencode(tmp_path / "no"), os.O_PATH, 0)
    assert caught.value.errno in (errno.ENOENT, errno.ENOSYS, errno.EPERM)
