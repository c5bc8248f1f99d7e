"""`run --dry-run`: the documents of the first output for the files that are there, on stdout.

Uses the parts that the agent uses, by hand: scan, read, cut, render. Opens no state, sends nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

from logagent import build
from logagent.codecs.ndjson import NdjsonCodec
from logagent.config import Config
from logagent.core.budget import memory_bytes
from logagent.core.chunk import Chunk
from logagent.core.metrics import Registry
from logagent.descriptors import Descriptors
from logagent.edge import memory
from logagent.edge.fs import RealFs
from logagent.edge.log import StderrLog
from logagent.follower import Follower, TailSettings
from logagent.held import Held
from logagent.ports import Fs
from logagent.source import Bind, render_fitting

GENERATION: Final = 0
"""Event ids are made of the generation, which is random in a real run."""


def run(config: Config) -> int:
    """Print the rows and, on stderr, what they are of."""
    fs = RealFs()
    log = StderrLog(level=config.agent.log_level, format="console")
    descriptors = Descriptors(fs, build.watches(config), log, Registry())
    descriptors.scan(time.monotonic(), time.time())
    output = next(iter(config.outputs))
    budget = memory_bytes(config.agent.memory_bytes, memory.memory_limit())
    batch_bytes = build.budget(config, budget)[output].batch_bytes
    out = sys.stdout.buffer
    for name in config.inputs_of(output):
        bind = build.binder(config, name, NdjsonCodec(), batch_bytes=batch_bytes, env=os.environ)
        settings = build.tail_settings(config, output, name)
        for held in descriptors.files(settings.user):
            rows = _print_file(held, settings, bind, fs, out.write)
            print(f"{held.name}: {rows} rows for {output}", file=sys.stderr)
    out.flush()
    for (root, path), fault in sorted(descriptors.faults.items()):
        where = os.path.join(root, os.fsdecode(path)) if path else root
        print(f"{where}: not read: {fault.text}", file=sys.stderr)
    descriptors.close()
    return 0


def _print_file(
    held: Held,
    settings: TailSettings,
    bind: Bind,
    fs: Fs,
    write: Callable[[bytes], object],
) -> int:
    """Write all rows of a file; returns how many."""
    renderer = bind(held.full_path, GENERATION).renderer
    follower = Follower(held, GENERATION, settings, epoch=0)
    count = 0
    for chunk in _chunks(follower, fs):
        taken, rows = render_fitting(renderer, follower, chunk, time.time)
        write(rows.wire)
        count += rows.count
        follower.take(taken)
    return count


def _chunks(follower: Follower, fs: Fs) -> Iterator[Chunk]:
    """All chunks of a file as it is now, its last line included. The caller takes each."""
    if not follower.prepare(fs, final=True):
        return
    while isinstance(chunk := follower.read(fs), Chunk):
        yield chunk
    if (last := follower.rest(fs, stop=False)) is not None:
        yield last
