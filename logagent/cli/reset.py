"""`logagent positions reset`: files are read again from their start by the next run.

Changes one output's checkpoint, under the state directory's lock.
"""

from __future__ import annotations

from random import SystemRandom
from typing import Final

from msgspec.structs import replace

from logagent.checkpoint import Checkpoint, CheckpointError
from logagent.cli.progress import Choice, locate
from logagent.cli.usage import complain
from logagent.config import Config
from logagent.core.files import NO_GUARD, START, Generation, escape
from logagent.edge.fs import RealFs
from logagent.edge.state import StateInUseError, lock_state

IN_USE: Final = 75
IO: Final = 74


def reset(config: Config, choice: Choice) -> int:
    """Reset what was chosen of one output."""
    directory = config.agent.state_dir
    try:
        with lock_state(directory):
            return _reset(directory, choice)
    except StateInUseError:
        complain([f"an agent is running with {directory}; stop it first, then reset"])
        return IN_USE
    except FileNotFoundError:
        print(f"{directory} is not there: nothing was ever read")
        return 0
    except OSError as error:
        complain([f"locking {directory}: {error.strerror}"])
        return IO


def _reset(directory: str, choice: Choice) -> int:
    fs = RealFs()
    checkpoint = Checkpoint(fs, f"{directory}/{choice.output}")
    kept: list[Generation] = []
    count = 0
    for generation in checkpoint.load().generations:
        place = locate(generation, fs)
        path = place[0] if place else generation.path
        name = f"{generation.file.root}/{escape(path)}"
        if not choice.takes(generation.input, name):
            kept.append(generation)
            continue
        count += 1
        print(
            f"{choice.output}: {name} is read again, from 0 instead of {generation.position.offset}"
            if place
            else f"{choice.output}: {name} is gone"
        )
        if place:
            # A new life of the file, at its start: the old ids must not meet other rows.
            new_id = SystemRandom().getrandbits(63)
            fresh = replace(generation, id=new_id, position=START, anchor=NO_GUARD, path=path)
            kept.append(fresh)
    if not count:
        print(f"{choice.output}: the checkpoint has no such file; nothing is changed")
        return 0
    try:
        checkpoint.save(kept)
    except CheckpointError as error:
        complain([str(error)])
        return IO
    return 0
