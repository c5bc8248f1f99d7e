"""Waiting until a file in a directory is written to, without looking all the time.

Knows three calls of inotify(7). The agent itself doesn't use it.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

IN_MODIFY: Final = 2
EVENTS_BYTES: Final = 64 << 10


@contextmanager
def watching(directory: Path) -> Iterator[Callable[[], Awaitable[None]]]:
    """A function that returns at the next write to a file in `directory`. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    loop = asyncio.get_running_loop()
    try:
        if libc.inotify_add_watch(fd, os.fsencode(directory), IN_MODIFY) < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch", str(directory))

        async def changed() -> None:
            with suppress(BlockingIOError):
                os.read(fd, EVENTS_BYTES)  # what came before doesn't count
            seen = asyncio.Event()
            loop.add_reader(fd, seen.set)
            try:
                await seen.wait()
            finally:
                loop.remove_reader(fd)

        yield changed
    finally:
        os.close(fd)
