"""Seeded corpora: large files of distinct log lines that compress as real logs do (6-9×).

Knows where they are kept (outside the checkout) and when an old one may be used again. Must not
know what is measured on them. The lines are those of the demo's writer, with a fixed clock: the
same arguments give the same bytes on every machine.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path
from typing import Final, Literal, NamedTuple

from isal import isal_zlib

from logagent.demo import lines, writer

Kind = Literal["json", "text", "time"]
"""json: 223 B a line, `@timestamp` first. text: nginx's combined format, 206 B. time: the JSON
lines, with `time` as the name of the timestamp, which so has to be read."""

KINDS: Final[tuple[Kind, ...]] = ("json", "text", "time")
SEED: Final = 20260921
LINES_MIN: Final = 1_000_000
"""A compressor that has seen a line before isn't measured; nor is a run below a CPU-second."""

RATIO_MIN: Final = 6.0
RATIO_MAX: Final = 9.0
"""How well application logs compress with isal at level 1, in pieces of 256 KiB."""

SAMPLE_LINES: Final = 20_000
PIECE_BYTES: Final = 256 * 1024


class Corpus(NamedTuple):
    """A file and what is known of it. `ratio` is raw / gzip."""

    kind: Kind
    path: Path
    lines: int
    size: int
    ratio: float


def directory() -> Path:
    """Where corpora are kept: LOGAGENT_BENCH_CACHE, else a folder below the user's cache."""
    chosen = os.environ.get("LOGAGENT_BENCH_CACHE")
    if chosen:
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "logagent-bench"


def corpus(kind: Kind, size: int) -> Corpus:
    """A corpus of about `size` bytes, made now or on an earlier day.

    Raises OSError, and AssertionError when it doesn't compress as it should.
    """
    path = write(kind, lines_of(kind, size), directory())
    real = path.stat().st_size
    ratio = gzip_ratio(path)
    assert RATIO_MIN <= ratio <= RATIO_MAX, f"{path}: gzip ratio {ratio:.2f}"
    return Corpus(kind, path, lines_of(kind, size), real, ratio)


def lines_of(kind: Kind, size: int) -> int:
    """How many lines are about `size` bytes: whole thousands."""
    sample = sample_of(kind, SAMPLE_LINES)
    return max(1000, round(size * SAMPLE_LINES / len(sample) / 1000) * 1000)


def sample_of(kind: Kind, count: int) -> bytes:
    """`count` lines in memory, for benchmarks of one step."""
    source = lines.Lines("text" if kind == "text" else "json", "corpus", seed=SEED)
    data = source.block(count, float(writer.CORPUS_BASE_S), count / 20_000)
    return data.replace(b'{"@timestamp":', b'{"time":') if kind == "time" else data


def chunks_of(kind: Kind, count: int = 16) -> list[bytes]:
    """Consecutive pieces of at most 256 KiB of whole lines: what the agent renders at a time.

    Several, because a processor learns the branches of a single one by heart: compressing the same
    piece again and again takes two thirds of the time.
    """
    data = sample_of(kind, count * PIECE_BYTES // 150)
    chunks = []
    start = 0
    for _ in range(count):
        end = data.rfind(b"\n", start, start + PIECE_BYTES) + 1
        chunks.append(data[start:end])
        start = end
    return chunks


def write(kind: Kind, count: int, folder: Path) -> Path:
    """The path of a corpus of `count` lines in `folder`, after writing it if it isn't there."""
    path = folder / f"{kind}-{count}-{SEED}-{_generator()}.log"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.new")
    if kind == "time":
        _rename_stamps(write("json", count, folder), new)
    else:
        writer.corpus(str(new), kind=kind, lines=count, seed=SEED)
    new.replace(path)
    return path


def gzip_ratio(path: Path) -> float:
    """Raw bytes over gzip bytes of a file's first 64 pieces."""
    raw = packed = 0
    with path.open("rb") as file:
        for _ in range(64):
            piece = file.read(PIECE_BYTES)
            if not piece:
                break
            raw += len(piece)
            packed += len(isal_zlib.compress(piece, 1, wbits=29))
    return raw / packed


def _generator() -> str:
    """A short hash of the code that makes lines: other code, other corpora."""
    digest = hashlib.sha256()
    for module in (lines, writer):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:8]


def _rename_stamps(source: Path, target: Path) -> None:
    """Copy a JSON corpus, each line's first key renamed."""
    with source.open("rb") as old, target.open("wb") as new:
        while block := old.readlines(PIECE_BYTES):
            new.write(b"".join(block).replace(b'{"@timestamp":', b'{"time":'))


def main() -> int:
    """Write a corpus as a process of its own: whole.py must stay small (see processes.py)."""
    parser = argparse.ArgumentParser(prog="bench.corpus", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("size", type=int, help="bytes")
    chosen = parser.parse_args()
    made = corpus(chosen.kind, chosen.size)
    print(made.path, made.lines, made.size, f"{made.ratio:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
