"""Opening a file that a hostile app may have put there: beneath a root, regular, or not at all.

The app owns the log directory and we hold credentials: `ln -s /secrets/key x.log` must not ship
them (CWE-59). Nothing here compares path texts; the kernel resolves, beneath a descriptor of the
root, and what came out is looked at (O_PATH: no side effect) before it is opened for reading.
Knows nothing of inputs, globs or outputs.
"""

import errno
import os
import stat as st
from collections.abc import Callable
from typing import Final

from logagent.core.files import escape
from logagent.edge import kernel
from logagent.edge.denied import denied, limit_of_descriptors
from logagent.ports import Fault, Symlinks

LINKS_MAX: Final = 40
"""Symlinks on one path, as in the kernel (MAXSYMLINKS)."""

_PATH: Final = os.O_PATH | os.O_CLOEXEC
_DIR: Final = _PATH | os.O_DIRECTORY
# O_NONBLOCK: a lease held by the app gives EAGAIN at once instead of blocking for 45 s.
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_KINDS: Final = {
    st.S_IFIFO: ("FIFO", "a FIFO"),
    st.S_IFSOCK: ("SOCKET", "a socket"),
    st.S_IFCHR: ("DEVICE", "a device"),
    st.S_IFBLK: ("DEVICE", "a device"),
    st.S_IFDIR: ("DIRECTORY", "a directory"),
    st.S_IFLNK: ("SYMLINK", "a symlink"),
}


def safe_open(root: bytes, path: bytes, symlinks: Symlinks) -> int | Fault:
    """A descriptor of the regular file `path` beneath `root`, or why there is none.

    `beneath` follows symlinks that stay inside the root, `deny` none, `follow` all of them. The
    root itself may lead through symlinks, but (unless `follow`) not through one that lies on a
    volume: its owner could point it elsewhere.
    """
    name = escape(root + b"/" + path)
    try:
        top = os.open(root, _DIR) if symlinks == "follow" else open_root(root)
    except OSError as error:
        return _root_fault(root, error)
    try:
        found = _resolve(top, path, symlinks)
        try:
            return _read(found, top, name, symlinks)
        finally:
            os.close(found)
    except OSError as error:
        return _path_fault(top, root, path, error)
    finally:
        os.close(top)


def open_root(root: bytes) -> int:
    """An O_PATH descriptor of a root directory. Raises OSError; ELOOP when a symlink on the way to
    it lies outside of the file system that `/` is on."""
    try:
        return kernel.openat2(kernel.AT_FDCWD, root, _DIR, kernel.RESOLVE_NO_SYMLINKS)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOSYS, errno.EPERM):
            raise
    base = os.open(b"/", _DIR)
    try:
        home = kernel.node_of_fd(base)
        found = walk_path(
            base,
            os.path.abspath(root),
            links_ok=lambda link: _same_place(kernel.node_of_fd(link), home),
            beneath=False,
        )
    finally:
        os.close(base)
    if not st.S_ISDIR(kernel.node_of_fd(found).stat.mode):
        os.close(found)
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    return found


def _resolve(top: int, path: bytes, symlinks: Symlinks) -> int:
    """An O_PATH descriptor of whatever `path` is. Raises OSError."""
    if symlinks == "follow":
        return os.open(path, _PATH, dir_fd=top)
    rules = kernel.RESOLVE_BENEATH | kernel.RESOLVE_NO_MAGICLINKS
    if symlinks == "deny":
        rules |= kernel.RESOLVE_NO_SYMLINKS
    try:
        return kernel.openat2(top, path, _PATH, rules)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM):
            raise
    return walk_path(top, path, links_ok=lambda _: symlinks == "beneath", beneath=True)


def walk_path(top: int, path: bytes, *, links_ok: Callable[[int], bool], beneath: bool) -> int:
    """openat2 in user space: an O_PATH descriptor of `path`, one component at a time.

    Each step opens relative to the directory before it and never through a symlink; a symlink's
    text is walked like the rest, if `links_ok` says so of its descriptor. `beneath` refuses `..`
    above `top` and absolute texts (EXDEV); otherwise `top` must be `/`. Raises OSError.
    """
    todo = _components(path)
    held = [os.dup(top)]
    links = 0
    try:
        while todo:
            name = todo.pop()
            if name == b"..":
                if len(held) > 1:
                    os.close(held.pop())
                elif beneath:
                    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
                continue
            held.append(os.open(name, _PATH | os.O_NOFOLLOW, dir_fd=held[-1]))
            if not st.S_ISLNK(os.fstat(held[-1]).st_mode):
                continue
            links += 1
            text = _link_text(held.pop(), ok=links_ok if links <= LINKS_MAX else None)
            if text.startswith(b"/"):
                if beneath:
                    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
                while len(held) > 1:
                    os.close(held.pop())
            todo += _components(text)
        return os.dup(held[-1])
    finally:
        for fd in held:
            os.close(fd)


def _link_text(link: int, *, ok: Callable[[int], bool] | None) -> bytes:
    """What a symlink says, if it may be followed. Closes its descriptor; raises OSError."""
    try:
        if ok is None or not ok(link):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return os.readlink(b"", dir_fd=link)
    finally:
        os.close(link)


def _same_place(node: kernel.Node, home: kernel.Node) -> bool:
    """Whether both are on one device or one mount (files of an overlay may differ in device)."""
    return node.device == home.device or (node.mount == home.mount and node.mount != 0)


def _components(path: bytes) -> list[bytes]:
    """The components of a path, last one first."""
    return [name for name in reversed(path.split(b"/")) if name not in (b"", b".")]


def _read(found: int, top: int, name: str, symlinks: Symlinks) -> int | Fault:
    """Open for reading what an O_PATH descriptor stands for, if it is what we read."""
    node = kernel.node_of_fd(found)
    kind = st.S_IFMT(node.stat.mode)
    if kind != st.S_IFREG:
        code, noun = _KINDS.get(kind, ("OTHER", "of an unknown kind"))
        return Fault(code, f"opening {name}: it is {noun}; only regular files are read")
    if symlinks != "follow" and not _same_place(node, kernel.node_of_fd(top)):
        return Fault("OUTSIDE", f"opening {name}: it lies on another file system than its root")
    try:
        fd = os.open(b"/proc/self/fd/%d" % found, _READ)
    except OSError as error:
        return _open_fault(name, error, node)
    again = kernel.node_of_fd(fd)
    if again.stat.ino != node.stat.ino or again.device != node.device:
        os.close(fd)
        return Fault("EAGAIN", f"opening {name}: another file took its place meanwhile")
    return fd


def _open_fault(name: str, error: OSError, node: kernel.Node) -> Fault:
    code = errno.errorcode.get(error.errno or 0, "EIO")
    text = f"opening {name}: {error.strerror}"
    if error.errno == errno.EACCES:
        text += denied(node.stat)
    elif error.errno == errno.EAGAIN:
        text += "; another process holds a lease on it; it is tried again"
    elif error.errno == errno.ENOENT:
        text += "; files are opened through /proc/self/fd, which must be there"
    else:
        text += limit_of_descriptors(error)
    return Fault(code, text)


def _path_fault(top: int, root: bytes, path: bytes, error: OSError) -> Fault:
    """Why the file can't be reached from its root."""
    name = escape(root + b"/" + path)
    if error.errno == errno.EXDEV:
        why = "a symlink leads out of the root, or is absolute; only relative ones inside it are"
        return Fault("OUTSIDE", f"opening {name}: {why} followed (symlinks: follow lifts this)")
    if error.errno == errno.ELOOP:
        why = "a symlink is not followed here, or too many are (see the input's symlinks)"
        return Fault("SYMLINK", f"opening {name}: {why}")
    text = f"opening {name}: {error.strerror}"
    if error.errno == errno.EACCES:
        text += _closed_directory(top, root, path)
    else:
        text += limit_of_descriptors(error)
    return Fault(errno.errorcode.get(error.errno or 0, "EIO"), text)


def _closed_directory(top: int, root: bytes, path: bytes) -> str:
    """Which directory on the way can't be searched: the deepest one that can be looked at."""
    parent = path
    while parent := parent.rpartition(b"/")[0]:
        try:
            node = kernel.node_of_path(parent, top)
        except OSError:
            continue
        return f": directory {escape(root + b'/' + parent)}" + denied(node.stat)
    return f": directory {escape(root)}" + denied(kernel.node_of_fd(top).stat)


def _root_fault(root: bytes, error: OSError) -> Fault:
    """Why the root itself can't be had."""
    name = escape(root)
    if error.errno == errno.ELOOP:
        why = "a symlink on a volume leads to it, and whoever owns the volume could turn it"
        text = f"opening root {name}: {why}; name the real directory, or set symlinks: follow"
        return Fault("SYMLINK", text)
    text = f"opening root {name}: {error.strerror}" + limit_of_descriptors(error)
    return Fault(errno.errorcode.get(error.errno or 0, "EIO"), text)
