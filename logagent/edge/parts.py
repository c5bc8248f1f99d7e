"""A sink for servers whose reply is about a part of a request only.

Knows that each part goes alone, and that one that isn't taken is the reply for all of them. Must
not know how a request is taken apart, nor what a reply says: functions that are handed in do.
"""

from collections.abc import Callable, Sequence

from logagent.core.chunk import Reply, Request
from logagent.ports import Sink


class PartsSink:
    """`ports.Sink` that sends the parts of each request over another one.

    parts: what a request consists of, usually itself. taken: whether a reply says that all of its
    part is stored. Parts in front of one that isn't taken are sent again with it, so the server
    has to keep what comes twice once, or doubles are allowed.
    """

    def __init__(
        self,
        sink: Sink,
        parts: Callable[[Request], Sequence[Request]],
        taken: Callable[[Request, Reply], bool],
    ) -> None:
        self._sink = sink
        self._parts = parts
        self._taken = taken

    async def send(self, request: Request) -> Reply:
        """The reply to the first part that isn't taken, else to the last. Waits for each."""
        *others, last = self._parts(request)
        for part in others:
            reply = await self._sink.send(part)
            if not self._taken(part, reply):
                return reply
        return await self._sink.send(last)

    async def refresh(self) -> None:
        """See ports.Sink."""
        await self._sink.refresh()

    async def close(self) -> None:
        """See ports.Sink."""
        await self._sink.close()
