"""`check --connect` says whether a file can be written, and makes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from logagent.cli.asking import Finding
from logagent.cli.asking.local import ask
from logagent.config import File, Stdout


def texts(findings: list[Finding]) -> str:
    """All that was said."""
    return "; ".join(finding.text for finding in findings)


def test_stdout() -> None:
    """Standard output is there."""
    assert list(ask(Stdout())) == [Finding("standard output")]


def test_a_file_to_come(tmp_path: Path) -> None:
    """A file whose directories aren't there either comes with the first line; none is made now."""
    findings = list(ask(File(path=str(tmp_path / "a" / "b" / "out.ndjson"))))
    assert all(finding.good for finding in findings)
    assert "is not there yet; the first line makes it" in texts(findings)
    assert "bytes are free" in texts(findings)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there(tmp_path: Path) -> None:
    """A regular file is good, with its size; whatever else stands there isn't."""

    def check(text: str, *, good: bool) -> None:
        finding = next(ask(File(path=str(tmp_path / "out"))))
        assert (text in finding.text, finding.good) == (True, good)

    (tmp_path / "out").write_bytes(b"1234\n")
    check("is there, 5 bytes", good=True)
    (tmp_path / "out").unlink()
    (tmp_path / "out").symlink_to(tmp_path / "other")
    check("is not a regular file", good=False)
    (tmp_path / "out").unlink()
    (tmp_path / "out").mkdir()
    check("is not a regular file", good=False)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory or a file that this user may not write is said."""
    # root may write everything, whatever the mode says
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    finding = next(ask(File(path=str(tmp_path / "out"))))
    assert finding == Finding(f"{tmp_path}: no file can be made there by this user", good=False)
    (tmp_path / "out").touch()
    finding = next(ask(File(path=str(tmp_path / "out"))))
    assert (finding.good, "may not read and write" in finding.text) == (False, True)


def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room for one batch is bad, less than all rotated files take is worth saying."""
    output = File(path=str(tmp_path / "out"), rotate_bytes=1 << 30, keep=4)
    real = os.statvfs(tmp_path)

    def room(free: int) -> Finding:
        blocks = [*real[:4], free // real.f_frsize, *real[5:]]
        monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(blocks))
        return list(ask(output))[1]

    assert "less than a batch" in room(1 << 20).text
    assert not room(1 << 20).good
    assert f"all files of keep take {5 << 30}" in room(1 << 30).text
    assert room(1 << 30).good
    assert room(1 << 40).text.endswith("bytes are free")


def test_a_path_through_a_file(tmp_path: Path) -> None:
    """A directory that is a file is an error that says so."""
    (tmp_path / "plain").touch()
    (finding,) = ask(File(path=str(tmp_path / "plain" / "out")))
    assert (finding.good, "Not a directory" in finding.text) == (False, True)
