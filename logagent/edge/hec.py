"""The sink of Splunk's HTTP Event Collector: a request is answered when its events are indexed.

Knows that a 200 is only a receipt with a number, and what the number is worth: it counts in one
channel, on one host, since that host's start. Must not know what a reply says: pure functions that
are handed in do.

Source: Splunk, "Getting Data In", "About HTTP Event Collector Indexer Acknowledgment": asked for at
`/services/collector/ack` in the same channel; `true` once the events are indexed, and only once:
the server then forgets the id, so that an answer that got lost reads as `false` for ever; `false`
for what isn't indexed yet, and for what isn't known. The page advises to ask every 10 s and to send
again after 5 minutes.

Each request under way has a channel to itself. With one channel for all, as the page has it, a
server that starts again counts from 0 again, and grants a lost request with the number of a new
one: a loss. A channel with at most one open number can't be misread; it costs a question for each
request instead of one for all. After a fault or a time-out a channel isn't used again: what may
still be open in it, on whatever indexer is behind a balancer, is never asked for.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from msgspec import Struct

from logagent.core.chunk import Reply, Request
from logagent.core.metrics import Cell
from logagent.edge.dial import parse_host
from logagent.edge.nodes import Node, choose

CHANNEL: Final = "x-splunk-request-channel"


class Http(Protocol):
    """What is used of `edge.http.HttpSink`, with one host."""

    async def send(self, request: Request, path: str, headers: Mapping[str, str]) -> Reply:
        """One attempt."""

    async def refresh(self) -> None:
        """Read secrets again."""

    async def close(self) -> None:
        """Give connections back."""


class Language(NamedTuple):
    """What is read and written, as the codec has it. event_path, ack_path: below each host.
    issued: the id that a success gives, None if it gives none; question: the body that asks for
    ids; indexed: which of them the answer grants; late: the fault of a request whose id wasn't
    granted in time; without: the fault of one that isn't sent, as the host gives no ids."""

    event_path: str
    ack_path: str
    issued: Callable[[Reply], int | None]
    question: Callable[[Collection[int]], bytes]
    indexed: Callable[[Reply], frozenset[int]]
    late: str
    without: str


Wait = Literal["auto", "required", "never"]
"""When to wait for an acknowledgement: when an id was given; always, so that nothing is sent to a
host that would give none; never."""


class _Peer(Struct):
    """A host, how it has been doing, and channels that nothing is open in. proved: it is known to
    answer questions for ids."""

    http: Http
    node: Node
    idle: list[str]
    proved: bool = False


class HecSink:
    """`ports.Sink` over one or more hosts, by URL.

    A reply that gives no id, or that isn't waited for, is passed on as it came. Else `send` returns
    it once the id is granted, and after `timeout_s` the fault `language.late`. channel: makes a new
    one, a random UUID.
    """

    def __init__(
        self,
        hosts: Sequence[tuple[str, Http]],
        language: Language,
        *,
        channel: Callable[[], str],
        wait: Wait,
        poll_s: float,
        timeout_s: float,
        pending: Cell | None = None,
    ) -> None:
        self._peers = [_Peer(http, Node(parse_host(url), ()), []) for url, http in hosts]
        self._language = language
        self._channel = channel
        self._wait = wait
        self._poll_s = poll_s
        self._timeout_s = timeout_s
        self._turn = 0
        self._secrets = 0
        self.pending = Cell() if pending is None else pending
        """How many requests wait for their acknowledgement."""

    async def send(self, request: Request) -> Reply:
        """See `ports.Sink.send`. Waits for the answer, then for the acknowledgement."""
        index = choose([peer.node for peer in self._peers], self._turn, _now())
        self._turn = (index + 1) % len(self._peers)
        peer, secrets = self._peers[index], self._secrets
        channel = peer.idle.pop() if peer.idle else self._channel()
        reply = await self._send(peer, channel, request)
        # As edge/http.py has it for hosts.
        bad = f"status {reply.status}" if 502 <= reply.status <= 504 else ""
        if reply.fault or bad:
            peer.node.failed(reply.fault or bad, _now())
        else:
            peer.node.worked()
        if not reply.fault and secrets == self._secrets:
            peer.idle.append(channel)
        return reply

    async def refresh(self) -> None:
        """See `ports.Sink.refresh`. Another token has other channels."""
        self._secrets += 1
        for peer in self._peers:
            peer.idle.clear()
            peer.proved = False
            await peer.http.refresh()

    async def close(self) -> None:
        """See `ports.Sink.close`."""
        for peer in self._peers:
            await peer.http.close()

    async def _send(self, peer: _Peer, channel: str, request: Request) -> Reply:
        """The final reply to a request that has a channel to itself."""
        language = self._language
        if self._wait == "required" and not peer.proved:
            refusal = await self._prove(peer, channel)
            if refusal is not None:
                return refusal
        reply = await peer.http.send(request, language.event_path, {CHANNEL: channel})
        issued = language.issued(reply) if self._wait != "never" else None
        if issued is None:
            return reply
        self.pending.value += 1
        try:
            granted = await self._granted(peer, channel, issued)
        finally:
            self.pending.value -= 1
        return reply if granted else Reply(0, fault=language.late, sent=True)

    async def _prove(self, peer: _Peer, channel: str) -> Reply | None:
        """Ask for an id that doesn't exist; None when the host answers, else what is the matter:
        events must not go where nobody says what becomes of them, also not to find that out."""
        reply = await self._ask(peer, channel, 0)
        peer.proved = reply.status == 200
        if peer.proved:
            return None
        passing = reply.fault or reply.status in (401, 403, 429) or reply.status >= 500
        return reply if passing else Reply(0, fault=self._language.without)

    async def _granted(self, peer: _Peer, channel: str, issued: int) -> bool:
        """Ask every `poll_s` until an id is granted: True; False when its time is up."""
        deadline = _now() + self._timeout_s
        while _now() < deadline:
            await asyncio.sleep(self._poll_s)
            reply = await self._ask(peer, channel, issued)
            if issued in self._language.indexed(reply):
                return True
            if reply.status in (401, 403):
                await peer.http.refresh()
        return False

    async def _ask(self, peer: _Peer, channel: str, issued: int) -> Reply:
        body = self._language.question([issued])
        path = f"{self._language.ack_path}?channel={channel}"
        question = Request(body, 1, len(body), gzipped=False)
        return await peer.http.send(question, path, {CHANNEL: channel})


def _now() -> float:
    return asyncio.get_running_loop().time()
