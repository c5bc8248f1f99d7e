"""The journal of dead letters as a model: durable or refused, and held to what letters say.

Knows the oracle's accounts. Must not know how a letter is made.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from logagent.core.deadletter import DeadLetter, decode
from tests.sim.rows import Broken

if TYPE_CHECKING:
    from tests.sim.world import World


class Letters:
    """`ports.Journal` of dead letters."""

    def __init__(self, world: World, output: str) -> None:
        self._world = world
        self._output = output

    async def append(self, data: bytes) -> None:
        """See `ports.Journal`."""
        world, process = self._world, self._world.process
        await asyncio.sleep(0.001)
        if not world.lives(process) or world.dies("letter"):
            return
        if world.chance("letter_error"):
            raise OSError(28, "No space left on device")
        world.mark("dead_letter")
        world.oracle.buried(self._output, data)
        for letter in map(decode, data.split(b"\n")[:-1]):
            self.check_place(letter)
        world.dies("letter")

    def check_place(self, letter: DeadLetter) -> None:
        """A letter that says which bytes it is is right about them; all others have a range."""
        if not letter.exact:
            self._world.mark("letter_of_a_range")
            return
        life = self._world.oracle.accounts[self._output].generations[letter.generation]
        raw = bytes(life.data[letter.offset : letter.offset + letter.length])
        seen = self._world.oracle.lines.look(letter.document.encode())
        if len(raw) != letter.length or not any(
            token in raw or (seen.part and seen.text in raw) for token in seen.tokens
        ):
            raise Broken(f"{self._output}: {seen} isn't at {letter.offset}: {raw!r}")
