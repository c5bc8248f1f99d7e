"""What the sink makes of ordinary servers: each a coroutine that asserts it.

All of them, and those of oddities.py, are run by test_http.py on asyncio's loop, and by
`python -m tests.edge.exchanges` on uvloop: that is a process of its own, because the guard against
foreign networks doesn't see uvloop's sockets.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from logagent.core.chunk import Request
from tests.edge import oddities
from tests.edge.servers import OK, Heard, Peer, free_port, polite, serving
from tests.edge.sinks import SMALL, make_sink

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from logagent.edge.http import HttpSink


async def request_is_whole() -> None:
    """What arrives is what was meant: target, headers, body; gzip is said when it is."""
    heard: list[Heard] = []

    async def script(peer: Peer) -> None:
        while True:
            heard.append(await peer.hear())
            await peer.say(OK)

    async with serving(script) as served:
        sink = make_sink([f"{served.url}/prefix/"], auth=lambda: "ApiKey abc")
        reply = await sink.send(SMALL)
        assert (reply.status, reply.body, reply.fault, reply.sent) == (200, b"ok", "", True)
        await sink.send(Request(b"\x1f\x8b", 1, 5, gzipped=True))
        assert served.connections == 1, "kept alive"
        await sink.close()
    assert heard[0].start == b"POST /prefix/_bulk?x=1 HTTP/1.1"
    assert heard[0].body == SMALL.body
    assert heard[0].headers[b"host"] == b"127.0.0.1:%d" % served.port
    assert heard[0].headers[b"content-type"] == b"application/x-ndjson"
    assert heard[0].headers[b"authorization"] == b"ApiKey abc"
    assert b"accept-encoding" not in heard[0].headers
    assert b"content-encoding" not in heard[0].headers
    assert heard[1].headers[b"content-encoding"] == b"gzip"


async def big_body_arrives() -> None:
    """A body larger than any socket buffer arrives unchanged, also by a slow reader."""
    body = bytes(range(256)) * 20_000
    heard: list[Heard] = []

    async def script(peer: Peer) -> None:
        heard.append(await peer.hear())
        await peer.say(OK)

    async with serving(script) as served:
        sink = make_sink([served.url])
        assert (await sink.send(Request(body, 1, len(body), gzipped=False))).status == 200
        await sink.close()
    assert heard[0].body == body


async def closed_while_idle() -> None:
    """A kept connection that the server has closed is seen before it is used: no fault."""

    async def script(peer: Peer) -> None:
        await peer.hear()
        await peer.say(OK)

    async with serving(script) as served:
        sink = make_sink([served.url])
        for _ in range(3):
            assert (await sink.send(SMALL)).status == 200
        await sink.close()
        assert served.connections == 3


async def closed_on_use() -> None:
    """A busy connection that is closed on the next request is a fault: it may have been applied."""

    async def script(peer: Peer) -> None:
        await peer.hear()
        await peer.say(OK)
        await peer.hear()

    async with serving(script) as served:
        sink = make_sink([served.url])
        assert (await sink.send(SMALL)).status == 200
        reply = await sink.send(SMALL)
        assert (reply.fault, reply.sent, served.connections) == ("reset", True, 1)
        await sink.close()


async def stale_is_tried_again() -> None:
    """A connection that idled and is closed on its next use gets one new try, and only one."""
    closing = 0

    async def script(peer: Peer) -> None:
        await peer.hear()
        if closing < 2:
            await peer.say(OK)
            await peer.hear()

    async with serving(script) as served:
        sink = make_sink([served.url])
        assert (await sink.send(SMALL)).status == 200
        age(sink)
        assert (await sink.send(SMALL)).status == 200
        assert served.connections == 2
        age(sink)
        closing = 2
        reply = await sink.send(SMALL)
        assert (reply.fault, reply.sent, served.connections) == ("reset", True, 3)
        await sink.close()


def age(sink: HttpSink) -> None:
    """Make kept connections look as if they had idled for ten seconds."""
    for node in sink._nodes:
        for connection in node.idle:
            connection.idle_since -= 10.0


async def cancelling_closes() -> None:
    """A cancelled call takes its connection along; the next one gets a new one."""
    heard = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.hear()
        heard.set()
        if served.connections > 1:
            await peer.say(OK)
        assert await peer.reader.read() == b""

    async with serving(script) as served:
        sink = make_sink([served.url])
        task = asyncio.create_task(sink.send(SMALL))
        await heard.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert (await sink.send(SMALL)).status == 200
        assert served.connections == 2
        await sink.close()


async def hosts_take_turns() -> None:
    """Healthy hosts take turns; a dead one is set aside after one fault; all dead are tried on."""
    dead = f"http://127.0.0.1:{free_port()}"
    async with serving(polite) as one, serving(polite) as two:
        sink = make_sink([one.url, dead, two.url], connections=4)
        faults = [(await sink.send(SMALL)).fault for _ in range(8)]
        assert faults == ["", "refused", "", "", "", "", "", ""]
        assert [state.failures for state in sink.states()] == [0, 1, 0]
        assert sink.states()[1].fault == "refused"
        assert (one.connections, two.connections) == (1, 1)
        await sink.close()
    sink = make_sink([dead, f"http://127.0.0.1:{free_port()}"])
    assert [(await sink.send(SMALL)).fault for _ in range(5)] == ["refused"] * 5
    await sink.close()


async def connections_are_bounded() -> None:
    """Six calls at once over two connections: never more than two are open, kept ones included."""
    open_now = most = 0

    async def script(peer: Peer) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            await polite(peer)
        finally:
            open_now -= 1

    async with serving(script) as one, serving(script) as two:
        sink = make_sink([one.url, two.url], connections=2)
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(sink.send(SMALL)) for _ in range(6)]
        assert [call.result().status for call in calls] == [200] * 6
        assert sum(len(node.idle) for node in sink._nodes) <= 2
        assert most <= 3, "a closed one may not have been noticed yet"
        await sink.close()
        sink = make_sink([one.url, two.url], connections=1)
        for _ in range(4):
            assert (await sink.send(SMALL)).status == 200
            assert sum(len(node.idle) for node in sink._nodes) == 1
        await sink.close()


SCENARIOS: tuple[Callable[[], Coroutine[None, None, None]], ...] = (
    request_is_whole,
    big_body_arrives,
    oddities.early_reply_wins,
    oddities.early_reply_without_close,
    oddities.framings,
    oddities.faults_after_sending,
    oddities.faults_before_sending,
    oddities.drip_ends,
    oddities.black_hole_ends,
    closed_while_idle,
    closed_on_use,
    stale_is_tried_again,
    cancelling_closes,
    hosts_take_turns,
    connections_are_bounded,
)


def run_on_uvloop() -> None:
    """Run all of them."""
    import uvloop

    for scenario in SCENARIOS:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(scenario())


if __name__ == "__main__":
    run_on_uvloop()
