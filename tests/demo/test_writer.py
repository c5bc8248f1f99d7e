"""The writer: what its lines look like, that its account is true, and that rotation loses none."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal, get_args

import orjson
import pytest
from isal import isal_zlib

from logagent.demo.ledger import number_of
from logagent.demo.lines import Lines
from logagent.demo.rotation import RotatingFile, Rotation
from logagent.demo.writer import Options, Writer, corpus, read_options


def numbers_in(data: bytes) -> list[int]:
    """The numbers of the lines, in order; each line must be whole and have one."""
    assert data == b"" or data.endswith(b"\n")
    numbers = []
    for line in data.splitlines():
        document = orjson.loads(line) if line.startswith(b"{") else {"message": line.decode()}
        found = number_of(document)
        assert found is not None
        numbers.append(found[1])
    return numbers


def test_lines_are_what_they_say() -> None:
    """JSON lines begin with @timestamp and parse; text ends in number and writer; mixed is both."""
    json = Lines("json", "app", first=5, exotic=True).block(5000, 1_790_000_000.0, 1.0)
    assert numbers_in(json) == list(range(5, 5005))
    first = json.splitlines()[0]
    assert first.startswith(b'{"@timestamp":"2026-09-21T14:13:20.000Z","')
    assert set(orjson.loads(first)) == set(
        "@timestamp level logger message trace_id status duration_ms writer seq".split()
    )
    assert "✓".encode() in json
    text = Lines("text", "web").block(3, 1_790_000_000.0)
    assert text.splitlines()[2].endswith(b" seq=2 writer=web")
    assert b"[21/Sep/2026:14:13:20 +0000]" in text
    mixed = Lines("mixed", "app").block(100, 1_790_000_000.0)
    assert numbers_in(mixed) == list(range(100))
    assert sum(line.startswith(b"{") for line in mixed.splitlines()) == 90


@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_corpus_is_like_real_logs(tmp_path: Path, kind: Literal["json", "text"]) -> None:
    """Its lines are distinct, about 218 bytes long and compress 6 to 9 times; a seed repeats."""
    path = str(tmp_path / "corpus")
    size = corpus(path, kind=kind, lines=20_500, seed=1)
    data = Path(path).read_bytes()
    assert len(data) == size
    assert numbers_in(data) == list(range(20_500))
    assert 190 < size / 20_500 < 235
    assert 6 <= size / len(isal_zlib.compress(data, 1, 31)) <= 9
    corpus(path, kind=kind, lines=20_500, seed=1)
    assert Path(path).read_bytes() == data
    corpus(path, kind=kind, lines=20_500, seed=2)
    assert Path(path).read_bytes() != data


@pytest.mark.parametrize("rotation", get_args(Rotation))
def test_rotation_loses_no_line(tmp_path: Path, rotation: Rotation) -> None:
    """With all rotated files kept, the files oldest first hold every number once; torn writes
    don't change that, and the ledger says how many."""
    ledger = str(tmp_path / "ledger.json")
    options = Options(
        str(tmp_path),
        lines=20_000,
        first=100,
        rotate_bytes=500_000,
        keep=50,
        rotation=rotation,
        torn=True,
        ledger=ledger,
    )
    Writer(options).run()
    files = sorted(tmp_path.glob("app.log.*"), key=lambda path: -int(path.suffix[1:]))
    data = b"".join(path.read_bytes() for path in (*files, tmp_path / "app.log"))
    assert numbers_in(data) == list(range(100, 20_100))
    account = orjson.loads(Path(ledger).read_bytes())
    assert account == {"writer": "app", "first": 100, "next": 20_100, "rotations": len(files)}
    assert len(files) > 3


def test_only_so_many_rotated_files_stay(tmp_path: Path) -> None:
    """Older ones are deleted; renaming keeps the inode, copying keeps the name's inode."""

    def check(rotation: Rotation, keep: int) -> None:
        directory = tmp_path / f"{rotation}{keep}"
        directory.mkdir()
        file = RotatingFile(str(directory), "app", rotate_bytes=4, keep=keep, rotation=rotation)
        inodes = []
        for number in range(5):
            file.append(b"%03d\n" % number)
            inodes.append(os.stat(file.path).st_ino)
            assert file.rotate_if_due()
        assert not file.rotate_if_due()
        file.close()
        kept = {path.name: path.read_bytes() for path in directory.iterdir()}
        expected = {f"app.log.{at}": b"%03d\n" % (5 - at) for at in range(1, keep + 1)}
        assert kept == {"app.log": b"", **expected}
        assert (len(set(inodes)) == 1) == (rotation == "copytruncate")
        if keep and rotation == "rename":
            assert (directory / "app.log.1").stat().st_ino == inodes[-1]

    check("rename", 2)
    check("copytruncate", 2)
    check("copytruncate", 0)
    check("rename", 1)


def test_the_pace_is_kept(tmp_path: Path) -> None:
    """A rate and a time give about as many lines, never more."""
    writer = Writer(Options(str(tmp_path), seconds=0.3, rate=5000))
    writer.run()
    assert 0 < writer.next <= 1500
    assert numbers_in((tmp_path / "app.log").read_bytes()) == list(range(writer.next))


def test_options_from_the_command_line() -> None:
    """Every option arrives where it belongs."""
    text = "--dir d --name n --format text --lines 1 --seconds 2 --rate 3 --rotate-bytes 4"
    text += " --keep 5 --rotation copytruncate --seed 6 --start 7 --torn --ledger l"
    assert read_options(text.split()) == Options(
        "d", "n", "text", 1, 2.0, 3.0, 4, 5, "copytruncate", 6, 7, torn=True, ledger="l"
    )
    assert read_options(["--dir", "d"]) == Options("d")


@pytest.mark.slow
def test_a_signal_ends_it_orderly(tmp_path: Path) -> None:
    """SIGTERM in mid-stream: whole lines in the file, exactly as many as the ledger says."""
    ledger = tmp_path / "ledger.json"
    command = [sys.executable, "-m", "logagent.demo.writer", "--dir", str(tmp_path)]
    command += ["--rotate-bytes", "0", "--torn", "--rate", "50000", "--ledger", str(ledger)]
    with subprocess.Popen(command) as process:
        while not ledger.exists() or not orjson.loads(ledger.read_bytes())["next"]:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    account = orjson.loads(ledger.read_bytes())
    numbers = numbers_in((tmp_path / "app.log").read_bytes())
    assert numbers == list(range(account["next"]))
    assert numbers
