"""The texts that go with "Permission denied" and "Too many open files"."""

from __future__ import annotations

import errno

import pytest

from logagent.edge.denied import advice, limit_of_descriptors
from logagent.ports import Stat


def text_of(mode: int, *, uid: int = 1000, gid: int = 2000, groups: list[int] | None = None) -> str:
    """Advice for the agent 65532 about a file."""
    stat = Stat(1, 0, 0, 1, 0, uid, gid, mode)
    return advice(stat, uid=65532, gid=65532, groups=groups or [])


@pytest.mark.parametrize(
    ("text", "has", "lacks"),
    [
        (text_of(0o100600), ["fsGroup: 2000", "umask 0027", "runAsUser: 1000"], []),
        (text_of(0o100640), ["fsGroup: 2000", "runAsUser: 1000"], ["umask"]),
        (text_of(0o100600, groups=[2000]), ["umask 0027", "groups 2000, 65532"], ["fsGroup"]),
        (text_of(0o100600, uid=0, gid=0), ["fsGroup: 0", "umask"], ["runAsUser"]),
        (text_of(0o100640, uid=0, groups=[2000]), ["security modules"], ["fsGroup", "umask"]),
        (text_of(0o040700, groups=[2000]), ["search", "umask 0027"], ["fsGroup"]),
        (text_of(0o040750), ["fsGroup: 2000"], ["umask"]),
    ],
)
def test_advice_fits_the_case(text: str, has: list[str], lacks: list[str]) -> None:
    """It says whose file it is, who we are, and only what would help."""
    assert "the agent is uid 65532" in text
    for part in has:
        assert part in text
    for part in lacks:
        assert part not in text


def test_limits_are_named() -> None:
    """EMFILE says how many descriptors the process may have; other errors get no remark."""
    assert "ulimit -n" in limit_of_descriptors(OSError(errno.EMFILE, ""))
    assert "fs.file-max" in limit_of_descriptors(OSError(errno.ENFILE, ""))
    assert limit_of_descriptors(OSError(errno.EIO, "")) == ""
