"""The fixed work whose instructions are counted: no socket, no thread, no clock, no chance.

    python -m bench.workload path FILE text
    python -m bench.workload once FILE json

`path` is cut, render and pack alone; `once` is the whole pipeline from the scan to the last commit,
with a sink that says yes. It prints what it did as JSON. VERSION changes with the work: figures of
different versions can't be compared. It also runs with the package of an older commit, so it keeps
to few names of it and takes nothing else of bench but renderers.py.
"""

from __future__ import annotations

import asyncio
import gc
import json
import selectors
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final, Literal, Protocol

from bench.renderers import BATCH_BYTES, FACTS, NOW, codec, frame, renderer
from logagent import build
from logagent.config import load
from logagent.core.budget import Wish
from logagent.core.chunk import Reply, Request
from logagent.core.cut import cut_lines
from logagent.core.metrics import Registry
from logagent.descriptors import Descriptors
from logagent.edge.fs import RealFs
from logagent.edge.memory import tune_malloc
from logagent.render.program import Spec

VERSION: Final = 1
CHUNK_BYTES: Final = 256 * 1024
CREATED: Final = b'{"create":{"status":201}}'

CONFIG: Final = """\
agent: {{state_dir: "{state}", admin: "", commit_interval_s: 60, scan_interval_s: 60}}
metadata: {{schema: ecs, fields: {{team: payments, service.version: "1.4.2"}}}}
inputs:
  app: {{paths: ["{path}"], container: app, format: {format}}}
outputs:
  search: {{type: elasticsearch, hosts: ["http://127.0.0.1:9"], data_stream: {{dataset: checkout}}}}
"""

Form = Literal["json", "text"]


class Call(Protocol):
    """A blocking call."""

    def __call__(self) -> None:
        """Do it."""


class YesSink:
    """A sink that has stored everything it is asked to, at once."""

    def __init__(self) -> None:
        self.rows = 0

    async def send(self, request: Request) -> Reply:
        """See ports.Sink."""
        await asyncio.sleep(0)
        self.rows += request.rows
        items = b",".join([CREATED] * request.rows)
        return Reply(200, b'{"errors":false,"took":30,"items":[' + items + b"]}")

    async def refresh(self) -> None:
        """See ports.Sink."""

    async def close(self) -> None:
        """See ports.Sink."""


class NoLetters:
    """A journal that nothing may come to."""

    async def append(self, data: bytes) -> None:
        """See ports.Journal."""
        raise AssertionError(f"a dead letter of {len(data)} bytes, where nothing is refused")


class Quiet:
    """A log that says nothing."""

    def info(self, message: str, **facts: object) -> None:
        """See ports.Log."""

    def warning(self, message: str, **facts: object) -> None:
        """See ports.Log."""

    def error(self, message: str, **facts: object) -> None:
        """See ports.Log."""
        raise AssertionError(f"{message}: {facts}")


class TimelessSelector(selectors.SelectSelector):
    """Never waits: time that would be waited is added to a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "all tasks wait, and nothing will ever happen"
            self.now += timeout
        return ready


class TimelessLoop(asyncio.SelectorEventLoop):
    """A loop on that clock."""

    def __init__(self) -> None:
        self._clock = TimelessSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        """See asyncio."""
        return self._clock.now


def quiet_gc() -> None:
    """Treat the garbage collector as app.py does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def at_once(call: Call, /) -> None:
    """Do a blocking call here."""
    call()


def run_path(path: str, form: Form) -> int:
    """Cut, render and pack a file. The number of rows."""
    quiet_gc()
    speak = codec()
    render = renderer(Spec(format=form, wire_bytes_max=BATCH_BYTES), frame(speak)).render
    packer, total, rows_open, offset = speak.packer(), 0, 0, 0
    with open(path, "rb", buffering=0) as file:
        while data := file.read(CHUNK_BYTES):
            data = data[: cut_lines(data, CHUNK_BYTES // 2).length]
            rows = render(data, offset, NOW)
            assert rows is not None, "the chunk is dense"
            offset = file.seek(offset + len(data))
            packer.add(rows.wire)
            rows_open += rows.count
            if packer.raw_bytes >= BATCH_BYTES:
                packer.close(rows_open)
                packer, total, rows_open = speak.packer(), total + rows_open, 0
    packer.close(rows_open)
    return total + rows_open


def run_once(path: str, form: Form) -> int:
    """Run the whole pipeline over a file. The number of rows that were sent."""
    sink = YesSink()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "config.yaml"
        place.write_text(CONFIG.format(state=f"{folder}/state", path=path, format=form))
        (Path(folder) / "state").mkdir()
        with asyncio.Runner(loop_factory=TimelessLoop) as runner:
            assert runner.run(deliver(place, sink)), "not all is settled"
    return sink.rows


async def deliver(place: Path, sink: YesSink) -> bool:
    """The life of one output, as in `logagent run --once`. Whether all is settled."""
    env: Mapping[str, str] = FACTS
    config = load([str(place)], env)
    # Of `build`, where an older package has it too.
    edges = build.Edges(  # type: ignore[attr-defined]
        fs=RealFs(),
        offload=at_once,
        clock=lambda: NOW,
        random=Random(1),
        env=env,
        log=Quiet(),
        metrics=Registry(),
    )
    descriptors = Descriptors(edges.fs, build.watches(config), edges.log, edges.metrics)
    ends = build.Ends(codec(), sink, NoLetters())  # type: ignore[attr-defined]
    wish = Wish(BATCH_BYTES, 2)
    pipeline = build.pipeline(config, "search", wish, ends, descriptors, edges=edges)
    pipeline.load()
    descriptors.scan(asyncio.get_running_loop().time(), NOW)
    quiet_gc()
    pipeline.stop(float("inf"))
    settled = await pipeline.run()
    descriptors.close()
    return settled


def main(arguments: list[str]) -> int:
    """Do one piece of work."""
    tune_malloc()
    name, path, form = arguments
    work: Callable[[str, Form], int] = run_path if name == "path" else run_once
    rows = work(path, "text" if form == "text" else "json")
    print(json.dumps({"version": VERSION, "rows": rows, "package": build.__file__}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
