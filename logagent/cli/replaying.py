"""How a replay runs: its lock, its outputs side by side, signals, a time limit, the last words.

Knows the process and the parts that are joined for it. Must not know how letters are sent.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import SystemRandom
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from logagent import build
from logagent.cli.usage import CONFIG, complain
from logagent.config import Config
from logagent.core.budget import memory_bytes
from logagent.core.chunk import Codec, Origin
from logagent.core.deadletter import DeadLetter
from logagent.core.ledger import Ledger
from logagent.core.metrics import Registry
from logagent.core.retry import Concurrency
from logagent.edge import memory
from logagent.edge.dead_letters import LetterJournal
from logagent.edge.file import FileJournal
from logagent.edge.fs import RealFs
from logagent.edge.log import StderrLog
from logagent.edge.segments import UNREADABLE, Claims, count_letters
from logagent.edge.state import StateInUseError, lock_state
from logagent.edges import Edges, Ends
from logagent.ends import codec_of, dead_letter_dir, dead_letters_of, ends_of
from logagent.replay import Pile, Replay
from logagent.sending import delivery, rules_of

LEFT: Final = 3
IO: Final = 74
IN_USE: Final = 75
GRACE_S: Final = 5.0
"""How long the batch under way may take after a first signal."""


def run(config: Config, outputs: Sequence[str], *, since: str, timeout_s: float) -> int:
    """Replay; returns the exit status."""
    memory.tune_malloc()
    edges = Edges(
        fs=RealFs(),
        offload=asyncio.to_thread,
        clock=time.time,
        random=SystemRandom(),
        env=os.environ,
        log=StderrLog(level=config.agent.log_level, format="console"),
        metrics=Registry(),
    )
    if unfit := build.problems(config, os.environ, codec_of):
        complain(unfit)
        return CONFIG
    try:
        # A lock of its own, not the state directory's: the agent may go on.
        lock = lock_state(f"{config.agent.state_dir}/dead")
    except FileNotFoundError:
        print(f"{config.agent.state_dir} has no dead letters")
        return 0
    except StateInUseError:
        complain([f"another replay is running with {config.agent.state_dir}"])
        return IN_USE
    except OSError as error:
        complain([f"locking {config.agent.state_dir}/dead: {error.strerror}"])
        return IO
    with lock:
        return asyncio.run(_Run(config, edges, outputs, since).main(timeout_s))


class _Store(Claims):
    """`logagent.replay.Letters` of one output."""

    def __init__(self, directory: str, journal: LetterJournal) -> None:
        super().__init__(directory)
        self._journal = journal
        path = f"{directory}/{UNREADABLE}"
        self._unreadable = FileJournal(path, offload=asyncio.to_thread)

    def keep(self, lines: bytes) -> None:
        """See `Letters.keep`."""
        self._journal.write(lines, capped=False)

    def set_aside(self, lines: bytes) -> None:
        """See `Letters.set_aside`."""
        self._unreadable.write(lines)
        self._unreadable.close()


class _Result(Struct):
    """How one output's replay ended."""

    replay: Replay | None = None
    """None: it couldn't begin."""
    fault: str = ""
    is_done: bool = False


class _Run:
    """One replay of some outputs."""

    def __init__(self, config: Config, edges: Edges, outputs: Sequence[str], since: str) -> None:
        self._config = config
        self._edges = edges
        self._outputs = outputs
        self._since = since
        self._results: dict[str, _Result] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._is_over = False
        limit = memory.memory_limit()
        self._wishes = build.budget(config, memory_bytes(config.agent.memory_bytes, limit))

    async def main(self, timeout_s: float) -> int:
        """Run to the end, the time limit, or a signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        if timeout_s > 0:
            loop.call_later(timeout_s, self._end, "out of time")
        async with asyncio.TaskGroup() as group:
            for output in self._outputs:
                self._tasks.append(group.create_task(self._replay(output)))
        return self._say()

    def _signalled(self) -> None:
        """First signal: end after the batch under way. Second: end."""
        if self._is_over:
            self._end("interrupted")
            return
        self._is_over = True
        for result in self._results.values():
            if result.replay is not None:
                result.replay.stopping = True
        self._edges.log.info("stopping after the batch under way", grace_s=GRACE_S)
        asyncio.get_running_loop().call_later(GRACE_S, self._end, "interrupted")

    def _end(self, why: str) -> None:
        self._is_over = True
        self._edges.log.warning("replay ends with something left", why=why)
        for task in self._tasks:
            task.cancel()

    async def _replay(self, output: str) -> None:
        """One output, to its end. The disk's faults are its own."""
        result = self._results[output] = _Result()
        ends = ends_of(self._config, output, self._edges)
        try:
            result.replay = replay = self._make(output, ends)
            replay.stopping = self._is_over
            await replay.run(self._since)
            result.is_done = not replay.stopping
        except OSError as error:
            result.fault = error.strerror or str(error)
        finally:
            await ends.sink.close()

    def _make(self, output: str, ends: Ends) -> Replay:
        """An output's parts, joined. Raises OSError."""
        edges, options = self._edges, self._config.outputs[output]
        directory = dead_letter_dir(self._config, output)
        above = max([segment.number for segment in Claims(directory).segments()], default=0)
        journal = dead_letters_of(self._config, output, edges, above=above)
        pile = Pile(Ledger())
        rules = rules_of(options)
        if rules.on_reject != "wrap":  # to drop or to block is meant for lines that are in a file
            rules = rules._replace(on_reject="dead_letter")
        sends = delivery(
            output,
            options,
            pile.ledger,
            replace(ends, dead_letters=journal),
            rules=rules,
            concurrency=Concurrency(1),
            locate=pile.locate,
            edges=edges,
        )
        return Replay(
            output,
            _Store(directory, journal),
            pile,
            sends,
            codec=ends.codec,
            origin=_origins(self._config, ends.codec, edges),
            batch_bytes=self._wishes[output].batch_bytes,
            clock=edges.clock,
            log=edges.log,
        )

    def _say(self) -> int:
        """The last words, for each output; the exit status."""
        status = 0
        for output, result in self._results.items():
            counts = {name: self._count(output, name) for name in ("delivered", "duplicate")}
            delivered = sum(counts.values()) + self._count(output, "redirected")
            again = self._count(output, "dead_letter")
            unreadable = result.replay.tally.unreadable if result.replay else 0
            parts = [f"{delivered:,} letters delivered"]
            parts += [f"{counts['duplicate']:,} of them were there already"] * bool(
                counts["duplicate"]
            )
            parts += [f"{again:,} refused again"] * bool(again)
            parts += [f"{unreadable:,} unreadable"] * bool(unreadable)
            with suppress(OSError):  # said below
                left = count_letters(dead_letter_dir(self._config, output))
                parts.append(f"{left:,} left")
            print(f"{output}: {', '.join(parts)}")
            if result.fault:
                complain([f"{output}: dead letters can't be changed: {result.fault}"])
                status = IO
            elif not result.is_done or again or unreadable:
                status = status or LEFT
        return status

    def _count(self, output: str, outcome: str) -> int:
        return int(self._edges.metrics.cell("settled_rows_total", output, outcome).value)


def _origins(config: Config, codec: Codec, edges: Edges) -> Callable[[DeadLetter], Origin]:
    """Where letters' rows come from, as far as the configuration still knows their inputs."""

    def origin(letter: DeadLetter) -> Origin:
        if letter.input in config.inputs:
            say = build.teller(config, letter.input, edges.env)
            found = say(letter.file.encode(), letter.generation)[1]
        else:
            names = {"input": letter.input}
            found = Origin(letter.input, letter.file, letter.generation, names)
        try:
            codec.frame(found)
        except ValueError as error:  # an input that is gone had a name that the target needs
            text = f"letters of input {letter.input!r} have no target: {error}"
            raise OSError(errno.EINVAL, text) from error
        return found

    return origin
