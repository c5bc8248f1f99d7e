"""Connections in virtual time: production code writes bytes, a model of a server gets frames.

Modelled: a connect that is refused or never answered, frames (four bytes of length in front) that
arrive in the order in which they were written, also when the connection is closed by then; answers
in one or two pieces; resets. Not modelled: back-pressure on a connection, TLS, names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from tests.sim.world import World

SIZE_BYTES = 4


class Peer(Protocol):
    """A server that listens."""

    def admits(self) -> Literal["yes", "refused", "silent"]:
        """What becomes of a connect just now."""

    def asked(self, wire: Wire, frame: bytes) -> None:
        """A frame was written; the writer's context is the present one."""


class Network:
    """All servers, by their names, and all connections."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.peers: dict[str, Peer] = {}
        self.wires: list[Wire] = []

    async def dial(
        self, loop: asyncio.AbstractEventLoop, factory: Callable[[], asyncio.Protocol], host: str
    ) -> tuple[Wire, asyncio.Protocol]:
        """Connect, as `loop.create_connection` does. Raises OSError."""
        peer = self.peers[host]
        await asyncio.sleep(0.0005)
        admitted = peer.admits()
        if admitted == "refused":
            self.world.mark("refused")
            raise ConnectionRefusedError(111, "Connect call failed")
        if admitted == "silent":
            await asyncio.sleep(3600.0)
        protocol = factory()
        wire = Wire(self.world, loop, protocol, peer)
        self.wires = [each for each in self.wires if not each.is_closing()]
        self.wires.append(wire)
        protocol.connection_made(wire)
        return wire, protocol

    def cut(self, peer: Peer) -> None:
        """A server goes: its connections are reset."""
        for wire in self.wires:
            if wire.peer is peer:
                wire.reset()

    def crash(self) -> None:
        """The agent goes: so do its ends of all connections."""
        for wire in self.wires:
            wire.reset()
        self.wires.clear()


class Wire(asyncio.Transport):
    """The agent's end of one connection."""

    def __init__(
        self,
        world: World,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.Protocol,
        peer: Peer,
    ) -> None:
        super().__init__()
        self.peer = peer
        self.world = world
        self.arrives_at = 0.0
        """When the last frame arrives: no later one does before it."""
        self._loop = loop
        self._protocol = protocol
        self._process = world.process
        self._buffer = bytearray()
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether an answer would be read."""
        return not self._closed and self.world.lives(self._process)

    # What aiokafka asks of a transport.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """See asyncio."""
        if not self.is_open:
            return
        self._buffer += data
        while len(self._buffer) >= SIZE_BYTES:
            end = SIZE_BYTES + int.from_bytes(self._buffer[:SIZE_BYTES], "big")
            if len(self._buffer) < end:
                return
            frame = bytes(self._buffer[SIZE_BYTES:end])
            del self._buffer[:end]
            self.peer.asked(self, frame)

    def is_closing(self) -> bool:
        """See asyncio."""
        return self._closed

    def close(self) -> None:
        """See asyncio."""
        self._lose(None)

    def abort(self) -> None:
        """See asyncio."""
        self._lose(None)

    # What servers do.

    def answer(self, data: bytes) -> None:
        """Bytes arrive at the agent now."""
        if not self.is_open:
            return
        frame = len(data).to_bytes(SIZE_BYTES, "big") + data
        cut = self.world.rng.randrange(len(frame)) if self.world.rng.random() < 0.1 else 0
        for piece in (frame[:cut], frame[cut:]):
            if piece:
                self._protocol.data_received(piece)

    def reset(self) -> None:
        """The connection breaks."""
        self._lose(ConnectionResetError(104, "Connection reset by peer"))

    def _lose(self, error: Exception | None) -> None:
        if not self._closed:
            self._closed = True
            if not self._loop.is_closed():
                self._loop.call_soon(self._protocol.connection_lost, error)
