"""Opening beneath a root: what a hostile app may put there is never read, and nothing leaks."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logagent.edge import kernel
from logagent.edge.safe_open import LINKS_MAX, safe_open
from logagent.ports import Fault, Symlinks

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["openat2", "without openat2"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to resolve a path: the kernel's, and ours for kernels that lack it."""

    def missing(*_: object) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    if request.param != "openat2":
        monkeypatch.setattr(kernel, "openat2", missing)
    return str(request.param)


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Each test gives back all descriptors."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with a file, a directory, a FIFO, a socket and links; a secret outside."""
    (tmp_path / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "a.log").write_bytes(b"content")
    (root / "sub" / "deep" / "b.log").write_bytes(b"content")
    os.mkfifo(root / "fifo.log")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(root / "sock.log"))
    links = {
        "in.log": "a.log",
        "deepin.log": "sub/./deep/../deep/b.log",
        "sub/up.log": "../a.log",
        "sub/back": "..",
        "chain.log": "in.log",
        "out.log": "../secret",
        "abs.log": str(root / "a.log"),
        "etc": "/etc",
        "loop.log": "loop.log",
        "dangling.log": "nowhere",
        "null.log": "/dev/null",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    return root


def outcome(root: Path, path: str, symlinks: Symlinks) -> str:
    """The content, or the fault's code; a fault's text names the path."""
    got = safe_open(os.fsencode(root), os.fsencode(path), symlinks)
    if isinstance(got, Fault):
        assert path in got.text
        return got.code
    try:
        assert not os.get_inheritable(got)
        return os.pread(got, 99, 0).decode()
    finally:
        os.close(got)


@pytest.mark.usefixtures("way")
def test_only_regular_files_are_opened(tree: Path) -> None:
    """A file opens; a FIFO (without blocking), a socket, a directory and nothing don't."""
    for symlinks in ("beneath", "deny", "follow"):
        assert outcome(tree, "a.log", symlinks) == "content"
        assert outcome(tree, "sub/deep/b.log", symlinks) == "content"
        assert outcome(tree, "fifo.log", symlinks) == "FIFO"
        assert outcome(tree, "sock.log", symlinks) == "SOCKET"
        assert outcome(tree, "sub", symlinks) == "DIRECTORY"
        assert outcome(tree, "gone.log", symlinks) == "ENOENT"
        assert outcome(tree, "a.log/x", symlinks) == "ENOTDIR"


@pytest.mark.usefixtures("way")
def test_beneath_follows_inside_only(tree: Path) -> None:
    """Relative links that stay inside open; whatever leaves the root, or is absolute, doesn't."""
    for name in ("in.log", "deepin.log", "sub/up.log", "sub/back/a.log", "chain.log"):
        assert outcome(tree, name, "beneath") == "content"
    for name in ("out.log", "abs.log", "etc/passwd", "../secret", "null.log"):
        assert outcome(tree, name, "beneath") == "OUTSIDE"
    assert outcome(tree, "loop.log", "beneath") == "SYMLINK"
    assert outcome(tree, "dangling.log", "beneath") == "ENOENT"


@pytest.mark.usefixtures("way")
def test_deny_follows_nothing(tree: Path) -> None:
    """No symlink is followed, neither at the end nor on the way."""
    for name in ("in.log", "sub/back/a.log", "out.log", "abs.log", "etc/passwd", "loop.log"):
        assert outcome(tree, name, "deny") == "SYMLINK"


def test_follow_follows(tree: Path) -> None:
    """On request links are followed anywhere, and still only to regular files."""
    assert outcome(tree, "in.log", "follow") == "content"
    assert outcome(tree, "out.log", "follow") == "secret"
    assert outcome(tree, "null.log", "follow") == "DEVICE"
    assert outcome(tree, "loop.log", "follow") == "SYMLINK"


@pytest.mark.usefixtures("way")
def test_chains_of_links_are_bounded(tree: Path) -> None:
    """As many links as the kernel allows are followed, and not one more."""
    (tree / "n0").symlink_to("a.log")
    for number in range(1, LINKS_MAX + 1):
        (tree / f"n{number}").symlink_to(f"n{number - 1}")
    assert outcome(tree, f"n{LINKS_MAX - 1}", "beneath") == "content"
    assert outcome(tree, f"n{LINKS_MAX}", "beneath") == "SYMLINK"


@pytest.mark.usefixtures("way")
def test_other_file_systems_are_outside(tree: Path) -> None:
    """A file on another device than its root isn't ours, even where a path leads to it."""
    if os.stat("/proc").st_dev == os.stat("/").st_dev or not os.path.exists("/proc/version"):
        pytest.skip("/proc is no file system of its own here")
    got = safe_open(b"/", b"proc/version", "beneath")
    assert isinstance(got, Fault)
    assert got.code == "OUTSIDE"
    assert outcome(tree, "a.log", "beneath") == "content"


@pytest.mark.usefixtures("way")
def test_a_root_behind_a_link(tree: Path) -> None:
    """A root reached through a symlink on the system's own disk is fine; one that is reached
    through a symlink on another file system (an app's volume) is refused, unless `follow`."""
    (tree.parent / "alias").symlink_to(tree)
    volume = tree.stat().st_dev != os.stat("/").st_dev
    assert outcome(tree.parent / "alias", "a.log", "beneath") == (
        "SYMLINK" if volume else "content"
    )
    assert outcome(tree.parent / "alias", "a.log", "follow") == "content"
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat("/").st_dev:
        pytest.skip("no second file system to put a link on")
    link = f"/dev/shm/logagent-test-{os.getpid()}"
    os.symlink(tree, link)
    try:
        got = safe_open(os.fsencode(link), b"a.log", "beneath")
        assert isinstance(got, Fault)
        assert got.code == "SYMLINK"
        opened = safe_open(os.fsencode(link), b"a.log", "follow")
        assert isinstance(opened, int)
        os.close(opened)
    finally:
        os.unlink(link)


@pytest.mark.usefixtures("way")
def test_roots_that_are_not_there(tree: Path) -> None:
    """A missing root and a file in its place are faults that name the root."""
    for name, code in (("gone", "ENOENT"), ("a.log", "ENOTDIR")):
        got = safe_open(os.fsencode(tree / name), b"x", "beneath")
        assert isinstance(got, Fault)
        assert (got.code, str(tree / name) in got.text) == (code, True)


def test_hostile_names_stay_on_their_line(tree: Path) -> None:
    """A name with newline and escape sequences is escaped in the fault's text."""
    got = safe_open(os.fsencode(tree), b"\x1b[31m\n\xff", "beneath")
    assert isinstance(got, Fault)
    assert got.text.isprintable()


def test_swapping_never_leaks_the_secret(tree: Path) -> None:
    """While a file and a directory on its path are swapped for links to a secret, again and again,
    no open ever reads the secret, and some read the file."""
    (tree / "dir").mkdir()
    (tree / "dir" / "x.log").write_bytes(b"content")
    (tree.parent / "trap").mkdir()
    (tree.parent / "trap" / "x.log").write_bytes(b"secret")
    (tree / "evil").symlink_to(tree.parent / "trap")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(tree / "dir", tree / "kept")
            os.rename(tree / "evil", tree / "dir")
            os.rename(tree / "dir", tree / "evil")
            os.rename(tree / "kept", tree / "dir")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        seen = {outcome(tree, "dir/x.log", "beneath") for _ in range(3000)}
    finally:
        stop.set()
        thread.join()
    assert "content" in seen
    assert "secret" not in seen
    assert len(seen) > 1, "the swapping never hit"


READ_AS_NOBODY = """
import os, sys
from logagent.edge.safe_open import safe_open
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for path in sys.argv[2:]:
    print(safe_open(sys.argv[1].encode(), path.encode(), "beneath"))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_users_file_is_explained() -> None:
    """What others may not read, or not reach, is EACCES with owner, mode and what to change; what
    they may read opens for them."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "sub").mkdir(mode=0o700)
        for path, mode in (("open.log", 0o644), ("a.log", 0o600), ("sub/b.log", 0o644)):
            (root / path).write_bytes(b"x")
            (root / path).chmod(mode)
            os.chown(root / path, 1000, 2000)
        done = subprocess.run(
            [sys.executable, "-c", READ_AS_NOBODY, name, "open.log", "a.log", "sub/b.log"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    public, private, behind = done.stdout.splitlines()
    assert public.isdigit()
    for fact in ("EACCES", "uid 1000, gid 2000, mode 0600", "uid 65534", "fsGroup: 2000", "0027"):
        assert fact in private
    assert "runAsUser: 1000" in private
    for fact in ("EACCES", f"directory {name}/sub", "mode 0700"):
        assert fact in behind
