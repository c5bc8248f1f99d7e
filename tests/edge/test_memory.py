"""What the process may use and uses."""

from __future__ import annotations

import platform
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from logagent.edge.memory import memory_limit, usage

if TYPE_CHECKING:
    from pathlib import Path


def limit(tmp_path: Path, cgroup: str, files: dict[str, str]) -> int | None:
    """The limit that a made-up hierarchy gives."""
    (tmp_path / "cgroup").write_text(cgroup)
    for name, text in files.items():
        path = tmp_path / "mount" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return memory_limit(str(tmp_path / "cgroup"), str(tmp_path / "mount"))


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        ("0::/\n", {"memory.max": "67108864"}, 67108864),
        ("0::/\n", {"memory.max": "max"}, None),
        ("0::/\n", {}, None),
        ("", {}, None),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "100", "memory.max": "200"}, 100),
        ("0::/../../kubepods/x\n", {"memory.max": "50"}, 50),
        ("4:cpu:/x\n9:memory:/pod/c\n", {"memory/memory.limit_in_bytes": "4096"}, 4096),
        ("9:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("9:memory:/\n0::/\n", {"memory/memory.limit_in_bytes": "70", "memory.max": "60"}, 60),
    ],
)
def test_the_limit(
    tmp_path: Path, cgroup: str, files: dict[str, str], expected: int | None
) -> None:
    """v2 and v1, inside a container and out of it: the smallest limit counts, none is None."""
    assert limit(tmp_path, cgroup, files) == expected


def test_usage_is_plausible() -> None:
    """A running interpreter has megabytes, some CPU time and some descriptors."""
    now = usage()
    assert 1 << 20 < now.rss_bytes < 1 << 40
    assert now.rss_bytes_max >= 1 << 20
    assert now.cpu_s > 0
    with open(__file__, "rb"):
        assert usage().descriptors == now.descriptors + 1


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_malloc_keeps_what_was_freed() -> None:
    """Both thresholds are taken, and freeing and taking 8 MiB again costs no new page faults."""
    code = (
        "import resource\n"
        "from logagent.edge.memory import tune_malloc\n"
        "assert tune_malloc() == (True, True)\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(3): block = b'x' * (8 << 20); del block\n"
        "before = faults()\n"
        "for _ in range(20): block = b'x' * (8 << 20); del block\n"
        "assert faults() - before < 200, faults() - before\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
