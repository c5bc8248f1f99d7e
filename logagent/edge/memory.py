"""What the process may use, what it uses, and how its allocator behaves.

Knows glibc, cgroups and /proc. Must not know how memory is divided among outputs.
"""

import ctypes
import os
import resource
from typing import Final, NamedTuple

_M_TRIM_THRESHOLD: Final = -1  # malloc.h
_M_MMAP_THRESHOLD: Final = -3

MALLOC_BYTES: Final = 32 << 20
"""HEAP_MAX_SIZE / 2 on 64 bit: older glibc refuses a larger mmap threshold."""

# cgroup v1 says "no limit" as the largest multiple of the page size below 2^63.
_UNLIMITED: Final = 1 << 60


class Malloc(NamedTuple):
    """Which thresholds malloc took."""

    mmap: bool
    trim: bool


class Usage(NamedTuple):
    """What the process uses: resident bytes now and at their highest, CPU seconds (user + system),
    open descriptors."""

    rss_bytes: int
    rss_bytes_max: int
    cpu_s: float
    descriptors: int


def tune_malloc() -> Malloc:
    """Keep freed blocks of up to 32 MiB in the process, as bodies and chunks come and go.

    Without it each of them is mapped and unmapped, page fault by page fault (measured: 6× on
    text; with the trim threshold alone 39,456 faults against 921 with both). To be called before
    the first large allocation. Where libc has no mallopt (musl), nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return Malloc(mmap=False, trim=False)
    return Malloc(
        mmap=mallopt(_M_MMAP_THRESHOLD, MALLOC_BYTES) == 1,
        trim=mallopt(_M_TRIM_THRESHOLD, MALLOC_BYTES) == 1,
    )


def memory_limit(proc: str = "/proc/self/cgroup", mount: str = "/sys/fs/cgroup") -> int | None:
    """The smallest memory limit, in bytes, of the process's cgroup and those above it; None if
    there is none. Reads v2 (memory.max) and v1 (memory.limit_in_bytes)."""
    limits = []
    for line in _read(proc).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            limits += _limits(mount, path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits(f"{mount}/memory", path, "memory.limit_in_bytes")
    return min(limits, default=None)


def usage() -> Usage:
    """What the process uses now."""
    pages = _read("/proc/self/statm").split()
    rss = int(pages[1]) * resource.getpagesize() if len(pages) > 1 else 0
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(
        rss_bytes=rss,
        rss_bytes_max=used.ru_maxrss * 1024,  # getrusage(2): kilobytes
        cpu_s=used.ru_utime + used.ru_stime,
        descriptors=len(os.listdir("/proc/self/fd")) - 1,  # without the one that lists them
    )


def _limits(mount: str, path: str, name: str) -> list[int]:
    """The limits at `path` and at each directory above it, up to the mount. Inside a container the
    mount *is* the cgroup, whatever /proc says, so paths that aren't there are skipped."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    found = []
    for depth in range(len(parts), -1, -1):
        text = _read("/".join([mount, *parts[:depth], name])).strip()
        if text.isdigit() and int(text) < _UNLIMITED:
            found.append(int(text))
    return found


def _read(path: str) -> str:
    """A small file of the kernel, "" if it can't be read."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
