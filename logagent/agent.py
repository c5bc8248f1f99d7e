"""One process's life: pipelines, scans, signals, restarts, the last words.

Knows how long everything runs and in which order it ends. Must not know how a line travels; the
parts are built by build.py and ends.py.
"""

import asyncio
import contextlib
import gc
import os
import signal
from typing import Final

from msgspec import Struct

from logagent import __version__, build
from logagent.admin import routes
from logagent.config.model import Config
from logagent.core.budget import memory_bytes
from logagent.descriptors import Descriptors
from logagent.edge import memory
from logagent.edge.admin import AdminServer
from logagent.edges import Edges
from logagent.ends import ends_of
from logagent.pipeline import Pipeline

EXIT_OK: Final = 0
EXIT_LEFT: Final = 3
"""`--once` ended and left something: the checkpoint is good, the next run goes on."""
EXIT_BUG: Final = 70
RESTART_MAX_S: Final = 30.0
ONCE_FAULTS_MAX: Final = 5
"""With `--once` somebody waits for the end: after so many faults of ours an output is given up."""


class Options(Struct, frozen=True):
    """What the command line adds to a configuration."""

    once: bool = False


class Agent:
    """One process's life."""

    def __init__(self, config: Config, options: Options, edges: Edges) -> None:
        self.config = config
        self.options = options
        self.edges = edges
        self.log = log = edges.log
        self.started_at = self.edges.clock()
        self.metrics = edges.metrics
        self.descriptors = Descriptors(self.edges.fs, build.watches(config), log, self.metrics)
        self.pipelines: dict[str, Pipeline] = {}
        self.stopping = False
        self._deadline = float("inf")
        self._ended = asyncio.Event()
        self._signal = asyncio.Event()
        self._faulty = False
        self._settled: dict[str, bool] = {}
        limit = memory.memory_limit()
        self._wishes = build.budget(config, memory_bytes(config.agent.memory_bytes, limit))

    def listen(self) -> None:
        """Take signals from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, signal.Signals(number).name)

    async def main(self) -> int:
        """From the first scan to the last commit."""
        admin = await self._serve()
        self.log.info(
            "logagent started",
            version=__version__,
            inputs=",".join(self.config.inputs),
            outputs=",".join(self.config.outputs),
        )
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        gc.enable()
        if self.options.once:
            self.stopping = True
        async with asyncio.TaskGroup() as group:
            for name in self.config.outputs:
                group.create_task(self._supervise(name))
            group.create_task(self._scan_regularly())
        left = [name for name, settled in self._settled.items() if not settled]
        self._say_goodbye(left)
        if admin is not None:
            await admin.close()
        self.descriptors.close()
        if self._faulty:
            return EXIT_BUG
        return EXIT_LEFT if left and self.options.once else EXIT_OK

    def measure(self) -> bytes:
        """The metrics' text, with all gauges as they are now."""
        now = asyncio.get_running_loop().time()
        for pipeline in self.pipelines.values():
            pipeline.measure(now)
        cells = self.metrics.cell
        cells("build_info", __version__).value = 1
        cells("start_time_seconds").value = self.started_at
        usage = memory.usage()
        cells("process_cpu_seconds_total").value = usage.cpu_s
        cells("process_resident_memory_bytes").value = usage.rss_bytes
        cells("config_last_reload_successful").value = 1
        return self.metrics.exposition()

    async def _serve(self) -> AdminServer | None:
        address = self.config.agent.address()
        if address is None:
            return None
        admin = AdminServer(routes(self), {})
        try:
            port = await admin.start(*address)
        except OSError as error:
            why = error.strerror or str(error)
            self.log.error("admin port can't be opened", address=self.config.agent.admin, why=why)
            return None
        self.log.info("admin port is open", address=f"{address[0]}:{port}")
        return admin

    def _signalled(self, name: str) -> None:
        """First signal: read to the end, deliver, commit. Second: commit and leave."""
        now = asyncio.get_running_loop().time()
        again = self.stopping and not (self.options.once and self._deadline == float("inf"))
        grace = 0.0 if again else self.config.agent.grace_s
        self._deadline = min(self._deadline, now + grace)
        self.stopping = True
        self._signal.set()
        text = "leaving now" if again else "stopping: reading to the end and delivering"
        self.log.info(text, signal=name, grace_s=grace)
        for pipeline in self.pipelines.values():
            pipeline.stop(self._deadline)

    async def _supervise(self, name: str) -> None:
        """Run one output; a fault of ours restarts it from its checkpoint, with back-off."""
        attempt = 0
        while True:
            ends = ends_of(self.config, name, self.edges)
            pipeline = build.pipeline(
                self.config, name, self._wishes[name], ends, self.descriptors, edges=self.edges
            )
            pipeline.load()
            self.pipelines[name] = pipeline
            if self.stopping:
                pipeline.stop(self._deadline)
            try:
                self._settled[name] = await pipeline.run()
            except Exception as error:  # noqa: BLE001  the one place: our bug ends one output only
                attempt += 1
                self.metrics.cell("pipeline_restarts_total", name).value += 1
                self.log.error(
                    "output ended by a fault of its own, starting it again",
                    output=name,
                    **_where(error),
                )
                self._faulty = self.options.once and attempt >= ONCE_FAULTS_MAX
                if self._faulty or not await self._pause(min(RESTART_MAX_S, 0.1 * 2.0**attempt)):
                    self._settled[name] = False
                    break
            else:
                break
            finally:
                await ends.sink.close()
        if len(self._settled) == len(self.config.outputs):
            self._ended.set()

    async def _pause(self, seconds: float) -> bool:
        """Wait, no longer than the deadline allows; False when no time is left. A first signal
        ends the wait: what can be delivered within the grace period is tried at once."""
        left = self._deadline - asyncio.get_running_loop().time()
        if self.stopping and not self.options.once:
            await asyncio.sleep(max(0.0, min(seconds, left)))
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._signal.wait()
        return asyncio.get_running_loop().time() < self._deadline

    async def _scan_regularly(self) -> None:
        """Scan each `scan_interval_s`, whatever the sinks do, and note how late the loop is."""
        loop = asyncio.get_running_loop()
        interval = self.config.agent.scan_interval_s
        lag = self.metrics.cell("loop_lag_seconds")
        while not self._ended.is_set():
            due = loop.time() + interval
            try:
                async with asyncio.timeout(interval):
                    await self._ended.wait()
            except TimeoutError:
                lag.value = max(0.0, loop.time() - due)
                self.descriptors.scan(loop.time(), self.edges.clock())
                for pipeline in self.pipelines.values():
                    pipeline.scanned()

    def _say_goodbye(self, left: list[str]) -> None:
        """The last words: what is left, for each output that leaves something."""
        for name in left:
            self.log.warning(
                "stopped with something left; the next start goes on there",
                output=name,
                left_bytes=self.pipelines[name].lag_bytes(),
            )
        if not left:
            self.log.info("stopped, all delivered")


def _where(error: BaseException) -> dict[str, object]:
    """Type, place and text of a fault, for one log line (asserts of ours hold no log content)."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
    return {"fault": type(error).__name__, "at": place, "why": str(error)}
