"""What an app may put into the log directory: nothing but regular files beneath it is read.

Each test lets an innocent file flow beside the hostile ones: they must not stop the rest either.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tests.e2e.agent import Agent, installed
from tests.e2e.apps import Receiver, config_for, receiving
from tests.e2e.search_support import eventually

SECRET: Final = "the secret that must not travel"
SWAP_S: Final = 3.0
AT_FDCWD: Final = -100
RENAME_EXCHANGE: Final = 2
FAST: Final = {"scan_interval_s": 0.05, "poll_interval_s": 0.05}


@contextmanager
def following(folder: Path, logs: Path) -> Iterator[tuple[Agent, Receiver]]:
    """An agent that follows `logs`, three directories deep, and its receiver."""
    with receiving(folder, "store") as receiver:
        config = config_for(logs, receiver.url, linger_s=0.05)
        inputs = {"app": {"paths": [f"{logs}/**/*.log"]}}
        with installed({**config, "inputs": inputs, "agent": FAST}, folder) as installation:
            agent = installation.start()
            yield agent, receiver
            assert agent.stop() == 0


def flow(receiver: Receiver, file: Path, *lines: str) -> None:
    """Let lines travel, one after the other: each takes a few scans."""
    for line in lines:
        with file.open("a") as opened:
            opened.write(f"{line}\n")
        eventually(line, partial(_has, receiver, line))


def _has(receiver: Receiver, line: str) -> bool:
    return line in receiver.messages()


def exchange(first: Path, second: Path) -> None:
    """Let two names change places, in one step (renameat2(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(first), os.fsencode(second)
    if libc.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE):
        raise OSError(ctypes.get_errno(), "renameat2")


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A FIFO, a socket, a directory, and symlinks to the outside, to a device and to a
    descriptor: each is reported once, by its name, and none is read."""
    logs, outside = tmp_path / "logs", tmp_path / "outside.txt"
    logs.mkdir()
    outside.write_text(f"{SECRET}\n")
    os.mkfifo(logs / "fifo.log")
    (logs / "directory.log").mkdir()
    for name, target in {
        "absolute": str(outside),
        "relative": "../outside.txt",
        "device": "/dev/zero",
        "magic": "/proc/self/environ",
        "loop": "loop.log",
    }.items():
        (logs / f"{name}.log").symlink_to(target)
    (logs / "inside.log").symlink_to("real.txt")
    (logs / "real.txt").write_text("through a link that stays inside\n")
    with socket.socket(socket.AF_UNIX) as listener, following(tmp_path, logs) as (agent, receiver):
        here = os.open(logs, os.O_PATH)
        listener.bind(f"/proc/self/fd/{here}/socket.log")  # sun_path takes 107 bytes only
        os.close(here)
        flow(receiver, logs / "good.log", "one", "two", "three")
        # The socket may be seen a scan later than the rest.
        eventually("all reports", lambda: len(agent.events("file is not read")) == 8)
        flow(receiver, logs / "good.log", "four", "five", "six")
        reports = agent.events("file is not read")
        codes = {Path(str(each["path"])).name: each["code"] for each in reports}
        assert len(reports) == len(codes) == 8
        assert codes == {
            "fifo.log": "FIFO",
            "socket.log": "SOCKET",
            "directory.log": "DIRECTORY",
            "absolute.log": "OUTSIDE",
            "relative.log": "OUTSIDE",
            "device.log": "OUTSIDE",
            "magic.log": "OUTSIDE",
            "loop.log": "SYMLINK",
        }
        texts = receiver.messages()
        assert len(texts) == 7
        assert "through a link that stays inside" in texts
        assert SECRET not in texts
        assert agent.metric('files_open{input="app"}') == 2


def test_odd_names_flow_and_are_escaped(tmp_path: Path) -> None:
    """Names with a newline, with a terminal's escapes, with bytes that are no UTF-8: the files
    flow, and neither the log nor a document has any of it raw."""
    logs = tmp_path / "logs"
    logs.mkdir()
    names = {
        "line": b'two\n{"level":"error","msg":"forged"}.log',
        "escape": b"\x1b[31mred\x07.log",
        "latin": b"caf\xe9.log",
        "mark": "\u202egol.txt.log".encode(),
        "quote": b'quote"\\.log',
    }
    for text, name in names.items():
        Path(os.fsdecode(bytes(logs) + b"/" + name)).write_text(f"{text}\n")
    with following(tmp_path, logs) as (agent, receiver):
        eventually("all files", lambda: len(receiver.messages()) == len(names))
        assert set(receiver.messages()) == set(names)
        found = agent.events("file found")
        assert len(found) == len(names)
        assert not agent.events("forged")
        raw = agent.log.read_bytes()
        assert not any(part in raw for part in (b"\x1b", b"\x07", b"\xe9", "\u202e".encode()))
        assert all(event["msg"] for event in agent.events())
        for document in receiver.documents():
            path = str(document["log"])
            assert "\x1b" not in path
            assert "\n" not in path


def test_a_symlink_swapped_in_during_scans_leaks_nothing(tmp_path: Path) -> None:
    """For three seconds a file and a directory change places with symlinks to the outside, all
    the time, while the agent scans 20 times a second: nothing of the outside arrives."""
    logs, outside = tmp_path / "logs", tmp_path / "outside"
    for folder in (logs, outside, logs / "sub"):
        folder.mkdir()
    (outside / "app.log").write_text(f"{SECRET}\n" * 10)
    (logs / "swap.log").write_text("mine\n")
    (logs / "swap.link").symlink_to("../outside/app.log")
    (logs / "sub" / "app.log").write_text("mine too\n")
    (logs / "other").symlink_to("../outside")
    pairs = ((logs / "swap.log", logs / "swap.link"), (logs / "sub", logs / "other"))
    ended, swaps = threading.Event(), 0

    def swap() -> None:
        nonlocal swaps
        while not ended.is_set():
            for first, second in pairs:
                exchange(first, second)
            swaps += 1

    with following(tmp_path, logs) as (agent, receiver):
        flow(receiver, logs / "good.log", "before")
        thread = threading.Thread(target=swap)
        thread.start()
        try:
            ended.wait(SWAP_S)
            flow(receiver, logs / "good.log", "meanwhile")
        finally:
            ended.set()
            thread.join()
        flow(receiver, logs / "good.log", "after")
        assert swaps > 1000
        texts = receiver.messages()
        assert SECRET not in "".join(map(str, receiver.documents()))
        # Innocent files that were out of sight for a scan aren't read twice.
        assert sorted(texts) == ["after", "before", "meanwhile", "mine", "mine too"]
        assert SECRET.encode() not in agent.log.read_bytes()
