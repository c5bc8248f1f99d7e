"""The composition root: configuration → a running agent; loop, signals, exit status.

Knows the process: its loop, clock, randomness, environment and signals. Must not decide about a
line or a file; that is in the parts that it starts.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from random import SystemRandom
from typing import Final, Literal

from logagent import build
from logagent.agent import EXIT_OK, Agent, Options
from logagent.config.model import Config
from logagent.core.metrics import Registry
from logagent.edge import memory
from logagent.edge.fs import RealFs
from logagent.edge.log import StderrLog
from logagent.edge.state import StateInUseError, StateLock, lock_state, make_state_dir
from logagent.edges import Edges
from logagent.ends import codec_of
from logagent.ports import Log

EXIT_IN_USE: Final = 75
EXIT_CONFIG: Final = 78
LOCK_WAIT_S: Final = 30.0
"""How long a predecessor may take to give the state directory back."""

__all__ = ["EXIT_CONFIG", "EXIT_IN_USE", "Options", "run"]


def run(config: Config, options: Options) -> int:
    """Run the agent until it is stopped, or with `once` until all is delivered. The exit status."""
    malloc = memory.tune_malloc()
    log = StderrLog(level=config.agent.log_level, format=_log_format(config))
    if unfit := build.problems(config, os.environ, codec_of):
        for why in unfit:
            log.error("configuration can't be used", why=why)
        return EXIT_CONFIG
    if not (malloc.mmap and malloc.trim):
        log.info("malloc thresholds can't be set: more page faults, less speed")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_locked(config, options, log))


async def _locked(config: Config, options: Options, log: Log) -> int:
    """Take the state directory for this process, then live."""
    directory = config.agent.state_dir
    agent = Agent(config, options, _edges(log))
    agent.listen()  # first of all: as process 1 of a container, a signal without handler is lost
    try:
        make_state_dir(directory)
        lock = await _lock(directory, agent)
    except StateInUseError as error:
        log.error("state directory is in use", why=str(error))
        return EXIT_IN_USE
    except OSError as error:
        why = f"{error.strerror or error}: {error.filename or directory}"
        log.error("state directory can't be used", why=why)
        return EXIT_CONFIG
    if lock is None:
        return EXIT_OK
    with lock:
        return await agent.main()


def _log_format(config: Config) -> Literal["json", "console"]:
    wanted = config.agent.log_format
    if wanted == "auto":
        return "console" if sys.stderr.isatty() else "json"
    return wanted


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop  # here alone: nothing else depends on it, and the simulator runs without it

    return uvloop.new_event_loop


async def _lock(directory: str, agent: Agent) -> StateLock | None:
    """The state directory's lock, after waiting for a predecessor; None when a signal came first.
    Raises StateInUseError."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LOCK_WAIT_S
    while not agent.stopping:
        try:
            return lock_state(directory)
        except StateInUseError as error:
            if loop.time() >= deadline:
                raise
            agent.log.warning("waiting for the state directory", why=str(error))
            await asyncio.sleep(0.25)
    return None


def _edges(log: Log) -> Edges:
    return Edges(
        fs=RealFs(),
        offload=asyncio.to_thread,
        clock=time.time,
        random=SystemRandom(),
        env=os.environ,
        log=log,
        metrics=Registry(),
    )
