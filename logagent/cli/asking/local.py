"""What the machine says of a file to write, and of standard output.

Knows directories and room. Must not write a byte.

Nothing is made: neither the file nor its directory.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from logagent.cli.asking import Finding
from logagent.config import File, Stdout


def ask(output: File | Stdout) -> Iterator[Finding]:
    """Whether lines can be written, and whether there is room for a batch."""
    if isinstance(output, Stdout):
        yield Finding("standard output")
        return
    directory = os.path.dirname(output.path)
    try:
        yield _place(output.path, directory)
        yield _room(output, _there(directory))
    except OSError as error:
        yield Finding(f"{error.filename or directory}: {error.strerror}", good=False)


def _place(path: str, directory: str) -> Finding:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        there = _there(directory)
        if not os.access(there, os.W_OK | os.X_OK):
            return Finding(f"{there}: no file can be made there by this user", good=False)
        return Finding(f"{path}: is not there yet; the first line makes it")
    if not stat.S_ISREG(found.st_mode):
        return Finding(f"{path}: is not a regular file", good=False)
    if not os.access(path, os.R_OK | os.W_OK):
        return Finding(f"{path}: this user may not read and write it", good=False)
    return Finding(f"{path}: is there, {found.st_size} bytes")


def _there(directory: str) -> str:
    """The directory, or the nearest one above it that is there."""
    while directory != "/" and not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    return directory


def _room(output: File, directory: str) -> Finding:
    room = os.statvfs(directory)
    free = room.f_bavail * room.f_frsize
    wanted = max(output.batch_bytes, output.rotate_bytes * (output.keep + 1))
    if free < output.batch_bytes:
        return Finding(f"{directory}: {free} bytes are free, less than a batch", good=False)
    if free < wanted:
        return Finding(f"{directory}: {free} bytes are free; all files of keep take {wanted}")
    return Finding(f"{directory}: {free} bytes are free")
