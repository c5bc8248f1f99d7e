"""A sink of objects: each request is a PUT of its own, under a name made of its content.

Knows hashes and which names are taken. Must not know what a key looks like or what a reply means.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from logagent.core.chunk import Reply, Request
from logagent.edge.http import HttpSink

REMEMBERED: Final = 1024
"""Names of the last delivered objects that are kept: 0.2 MiB. Two batches of the very same content
follow each other closely, or not at all."""

Key = Callable[[Request, str, int], str]
"""Makes a key of a request, its body's SHA-256 and the number of other objects with it."""
Taken = Callable[[Request, Reply], bool]
"""Whether a reply says that the request is stored: a proxy's page under a 200 says no such thing,
and a name that only seems taken would make the next attempt another object."""


class ObjectSink:
    """`ports.Sink` that PUTs each body below an HttpSink's hosts.

    A request that is sent again has the same key, so what was stored already is stored once. Two
    requests with the same content (lines that repeat to the byte, their times included) are two
    objects: as long as this process remembers the first one.
    """

    def __init__(self, http: HttpSink, key: Key, taken: Taken) -> None:
        self._http = http
        self._key = key
        self._taken = taken
        self._stored: dict[str, None] = {}
        self._busy: set[str] = set()

    async def send(self, request: Request) -> Reply:
        """See `ports.Sink.send`."""
        digest = await asyncio.to_thread(hashlib.sha256, request.body)  # 64 MiB take 50 ms
        name, copy = digest.hexdigest(), 0
        while (key := self._key(request, name, copy)) in self._stored or key in self._busy:
            copy += 1
        self._busy.add(key)
        try:
            # Encoded as SigV4 wants it for S3: once, and slashes stay.
            path = "/" + quote(key, safe="/-_.~")
            # A bucket with Object Lock takes nothing without a checksum; others keep it.
            checksum = base64.b64encode(digest.digest()).decode()
            reply = await self._http.send(request, path, {"x-amz-checksum-sha256": checksum})
        finally:
            self._busy.discard(key)
        if self._taken(request, reply):
            self._stored[key] = None
            if len(self._stored) > REMEMBERED:
                del self._stored[next(iter(self._stored))]
        return reply

    async def refresh(self) -> None:
        """See `ports.Sink.refresh`."""
        await self._http.refresh()

    async def close(self) -> None:
        """See `ports.Sink.close`."""
        await self._http.close()
