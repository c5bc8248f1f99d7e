"""A writer of realistic, rotating app logs: `python -m logagent.demo.writer --dir D --seconds 20`.

Knows pace, blocks and its own account of what it wrote. Must not know who reads. `corpus` writes
one large file for benchmarks.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import orjson

from logagent.demo.lines import KINDS, Kind, Lines
from logagent.demo.rotation import RotatingFile, Rotation

MODULE: Final = "logagent.demo.writer"
"""What `python -m` needs."""

BLOCK_LINES: Final = 1000
"""Lines of one write at most: some 220 KiB."""

TICK_S: Final = 0.02
"""How often a paced writer writes: as an app with a buffered logger does."""

LEDGER_S: Final = 0.1
"""How often the ledger file is brought up to date."""

TORN_SHARE: Final = 0.2
TORN_PAUSE_S: Final = 0.001
"""With torn writes: how many of the writes stop in the middle of a line, and for how long."""

CORPUS_BASE_S: Final = 1_790_000_000
"""The time of a corpus's first line (September 2026): fixed, so that a seed gives equal bytes."""


@dataclass(frozen=True)
class Options:
    """What to write. `lines` 0 and `seconds` 0 = until SIGTERM; `rate` (lines a second) 0 = flat
    out; `first` is the number of the first line."""

    directory: str
    name: str = "app"
    kind: Kind = "json"
    lines: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    rotate_bytes: int = 16 << 20
    keep: int = 3
    rotation: Rotation = "rename"
    seed: int = 0
    first: int = 0
    torn: bool = False
    ledger: str = ""


class Writer:
    """One file, written line after line. `next` is the number of the first line that is not, or
    not fully, in a file."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._source = Lines(
            options.kind, options.name, seed=options.seed, first=options.first, exotic=True
        )
        self._chance = random.Random(options.seed)
        self._file = RotatingFile(
            options.directory,
            options.name,
            rotate_bytes=options.rotate_bytes,
            keep=options.keep,
            rotation=options.rotation,
        )
        self.next = options.first
        self._stopping = False

    def stop(self) -> None:
        """End after the block being written; safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Write until it is enough. Raises OSError."""
        options = self._options
        started_at = ledger_at = time.monotonic()
        self._save_ledger()
        while not self._stopping:
            now = time.monotonic()
            elapsed_s = now - started_at
            if options.seconds and elapsed_s >= options.seconds:
                break
            done = self.next - options.first
            due = BLOCK_LINES
            if options.rate:
                due = min(due, int(elapsed_s * options.rate) - done)
            if options.lines:
                due = min(due, options.lines - done)
                if done == options.lines:
                    break
            if due > 0:
                self.write(due)
            if now - ledger_at >= LEDGER_S:
                self._save_ledger()
                ledger_at = now
            if options.rate and due < BLOCK_LINES:
                time.sleep(TICK_S)
        self._file.close()
        self._save_ledger()

    def write(self, count: int) -> None:
        """Write `count` lines, and rotate when it is time to."""
        data = self._source.block(count, time.time())
        if self._options.torn and self._chance.random() < TORN_SHARE:
            at = self._chance.randrange(1, len(data))
            self._file.append(data[:at])
            time.sleep(TORN_PAUSE_S)
            self._file.append(data[at:])
        else:
            self._file.append(data)
        self.next += count
        self._file.rotate_if_due()

    def _save_ledger(self) -> None:
        """Say what is written: a reader of the file sees the old account or the new one."""
        path = self._options.ledger
        if not path:
            return
        account = {
            "writer": self._options.name,
            "first": self._options.first,
            "next": self.next,
            "rotations": self._file.rotations,
        }
        with open(f"{path}.new", "wb") as file:
            file.write(orjson.dumps(account))
        os.replace(f"{path}.new", path)


def corpus(path: str, *, kind: Literal["json", "text"], lines: int, seed: int) -> int:
    """Write a file of `lines` distinct lines, a thousand lines each 50 ms of their time; the same
    arguments give the same bytes. Returns its size. Raises OSError."""
    source = Lines(kind, "corpus", seed=seed)
    size = 0
    with open(path, "wb") as file:
        for first in range(0, lines, BLOCK_LINES):
            count = min(BLOCK_LINES, lines - first)
            size += file.write(source.block(count, CORPUS_BASE_S + first / 20_000, count / 20_000))
    return size


def read_options(arguments: Sequence[str]) -> Options:
    """Options from the command line. Raises SystemExit."""
    parser = argparse.ArgumentParser(prog="logagent.demo.writer", description=__doc__)
    parser.add_argument("--dir", required=True, help="where the files are written")
    parser.add_argument("--name", default="app", help="NAME.log; also the writer's name in lines")
    parser.add_argument("--format", choices=KINDS, default="json")
    parser.add_argument("--lines", type=int, default=0, help="stop after so many")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after so long")
    parser.add_argument("--rate", type=float, default=0.0, help="lines a second; 0 = flat out")
    parser.add_argument("--rotate-bytes", type=int, default=16 << 20, help="0 = never")
    parser.add_argument("--keep", type=int, default=3, help="rotated files that stay")
    parser.add_argument("--rotation", choices=("rename", "copytruncate"), default="rename")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first line")
    parser.add_argument("--torn", action="store_true", help="some writes end in mid-line")
    parser.add_argument("--ledger", default="", help="JSON file: {writer, first, next, rotations}")
    chosen = parser.parse_args(arguments)
    return Options(
        directory=chosen.dir,
        name=chosen.name,
        kind=chosen.format,
        lines=chosen.lines,
        seconds=chosen.seconds,
        rate=chosen.rate,
        rotate_bytes=chosen.rotate_bytes,
        keep=chosen.keep,
        rotation=chosen.rotation,
        seed=chosen.seed,
        first=chosen.start,
        torn=chosen.torn,
        ledger=chosen.ledger,
    )


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the writer; `arguments` None = those of the process."""
    writer = Writer(read_options(sys.argv[1:] if arguments is None else arguments))
    stop_on_signals(writer.stop)
    writer.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
