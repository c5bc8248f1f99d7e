"""The state directory: made private, and locked so that two agents never share it.

Knows nothing of what is kept inside.
"""

import contextlib
import errno
import fcntl
import os
import stat as st
from types import TracebackType
from typing import Self


class StateInUseError(Exception):
    """Another process holds the state directory's lock; exit status 75 if waiting doesn't help."""


class StateLock:
    """The lock while this object lives; the kernel gives it back when the process ends."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def close(self) -> None:
        """Give the lock back; a second call does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def make_state_dir(path: str) -> None:
    """Make `path` (mode 0700; parents by the umask) if it isn't there, and see that we may write
    into it. An existing one keeps its mode: a volume with fsGroup isn't ours to change. Raises
    OSError whose text says who would have to be allowed."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    stat = os.stat(path)
    if not st.S_ISDIR(stat.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "the state directory isn't a directory", path)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        owner = f"uid {stat.st_uid}, gid {stat.st_gid}, mode {st.S_IMODE(stat.st_mode):04o}"
        me = f"uid {os.geteuid()}, gid {os.getegid()}"
        why = f"the state directory must be writable: it has {owner}, the agent is {me}"
        raise PermissionError(errno.EACCES, why, path)


def lock_state(path: str) -> StateLock:
    """Lock an existing state directory, at once or not at all. Raises StateInUseError, OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        why = f"locking state directory {path}: another logagent is using it"
        raise StateInUseError(why) from None
    except OSError:
        os.close(fd)
        raise
    return StateLock(fd)
