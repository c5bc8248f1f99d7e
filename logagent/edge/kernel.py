"""The two system calls that Python's `os` lacks: statx (birth times) and openat2 (safe opening).

Knows their numbers, flags and struct layouts. Must not know what they are used for.
"""

import ctypes
import errno
import os
import struct
from typing import Final, NamedTuple

from logagent.ports import Stat

# Whoever needs errno needs `use_errno`: ctypes keeps a copy of its own for each thread.
_libc: Final = ctypes.CDLL(None, use_errno=True)

AT_FDCWD: Final = -100
_AT_SYMLINK_NOFOLLOW: Final = 0x100
_AT_EMPTY_PATH: Final = 0x1000

_STATX_BASIC_STATS: Final = 0x7FF
_STATX_BTIME: Final = 0x800
_STATX_MNT_ID: Final = 0x1000
_WANTED: Final = _STATX_BASIC_STATS | _STATX_BTIME | _STATX_MNT_ID

# struct statx of include/uapi/linux/stat.h, 256 bytes: mask at 0, nlink 16, uid 20, gid 24,
# mode 28, ino 32, size 40, btime 80, mtime 112, dev 136 (major, minor), mnt_id 144.
_STATX: Final = struct.Struct("=I12xIIIH2xQQ32xqI4x16xqI4x8xIIQ")
_StatxBuffer: Final = ctypes.c_char * 256
assert _STATX.size == 152

# include/uapi/linux/openat2.h; the number is the same on every architecture that Python runs on.
_SYS_OPENAT2: Final = 437
RESOLVE_NO_MAGICLINKS: Final = 0x02
RESOLVE_NO_SYMLINKS: Final = 0x04
RESOLVE_BENEATH: Final = 0x08
_OPEN_HOW: Final = struct.Struct("=QQQ")

_statx = getattr(_libc, "statx", None)
if _statx is not None:
    _statx.argtypes = [
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_char_p,
    ]
    _statx.restype = ctypes.c_int

_syscall = _libc.syscall
_syscall.restype = ctypes.c_long


class Node(NamedTuple):
    """A `Stat` and where the file lives: `device` as major << 32 | minor, `mount` is 0 where the
    kernel (< 5.8) doesn't tell."""

    stat: Stat
    device: int
    mount: int


def node_of_path(path: bytes, dir_fd: int = AT_FDCWD) -> Node:
    """statx of a path without following a last symlink. Raises OSError (without a file name)."""
    return _node(dir_fd, path, _AT_SYMLINK_NOFOLLOW)


def node_of_fd(fd: int) -> Node:
    """statx of an open descriptor, O_PATH ones too. Raises OSError."""
    return _node(fd, b"", _AT_EMPTY_PATH)


def openat2(dir_fd: int, path: bytes, flags: int, resolve: int) -> int:
    """Open `path` below `dir_fd` under the RESOLVE_* rules. Raises OSError (without a file name);
    ENOSYS (kernel < 5.6) or EPERM (an old seccomp profile) mean that it isn't available."""
    how = _OPEN_HOW.pack(flags | os.O_CLOEXEC, 0, resolve)
    fd = int(
        _syscall(
            ctypes.c_long(_SYS_OPENAT2),
            ctypes.c_long(dir_fd),
            ctypes.c_char_p(path),
            ctypes.c_char_p(how),
            ctypes.c_size_t(len(how)),
        )
    )
    if fd < 0:
        raise _last_error()
    return fd


def _node(fd: int, path: bytes, flags: int) -> Node:
    """One statx. Where it is missing or forbidden, `os.stat` answers, without a birth time."""
    if _statx is None:
        return _node_by_stat(fd, path)
    raw = _StatxBuffer()  # fresh each time: the call lets other threads run
    if _statx(fd, path, flags, _WANTED, raw) != 0:
        error = _last_error()
        if error.errno in (errno.ENOSYS, errno.EPERM):
            return _node_by_stat(fd, path)
        raise error
    # fmt: off
    (mask, nlink, uid, gid, mode, ino, size, birth_s, birth_ns,
     mtime_s, mtime_ns, major, minor, mount) = _STATX.unpack_from(raw)
    # fmt: on
    birth = birth_s * 1_000_000_000 + birth_ns if mask & _STATX_BTIME else 0
    mtime = mtime_s * 1_000_000_000 + mtime_ns
    stat = Stat(ino, birth, size, nlink, mtime, uid, gid, mode)
    return Node(stat, major << 32 | minor, mount if mask & _STATX_MNT_ID else 0)


def _node_by_stat(fd: int, path: bytes) -> Node:
    dir_fd = None if fd == AT_FDCWD else fd
    s = os.stat(path, dir_fd=dir_fd, follow_symlinks=False) if path else os.fstat(fd)
    stat = Stat(s.st_ino, 0, s.st_size, s.st_nlink, s.st_mtime_ns, s.st_uid, s.st_gid, s.st_mode)
    return Node(stat, os.major(s.st_dev) << 32 | os.minor(s.st_dev), 0)


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
