"""Objects: the same batch is the same object, other batches are others."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable

from logagent.core.chunk import Request
from logagent.edge import objects
from logagent.edge.http import HttpSink
from logagent.edge.objects import REMEMBERED, ObjectSink
from tests.edge.servers import OK, Peer, serving

FAILED = b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n"


def request(body: bytes) -> Request:
    """A request of one row."""
    return Request(body, 1, len(body), gzipped=False)


def name_of(body: bytes, copy: int) -> str:
    """The path of an object, as `key` below makes it."""
    return f"/a%3Db/{hashlib.sha256(body).hexdigest()[:8]}-{copy}"


def key(_: Request, digest: str, copy: int) -> str:
    """A key of this test."""
    return f"a=b/{digest[:8]}-{copy}"


def run(
    answer: Callable[[int], bytes],
    use: Callable[[ObjectSink], Awaitable[None]],
    *,
    at_once: int = 1,
) -> list[str]:
    """Use a sink whose n-th request is answered by `answer(n)`, but none before `at_once` requests
    are there; the paths that were written to."""
    paths: list[str] = []
    enough = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            heard = await peer.hear()
            assert heard.start.startswith(b"PUT ")
            digest = base64.b64encode(hashlib.sha256(heard.body).digest())
            assert heard.headers[b"x-amz-checksum-sha256"] == digest
            number = len(paths)
            paths.append(heard.start.split(b" ")[1].decode())
            if len(paths) >= at_once:
                enough.set()
            await enough.wait()
            await peer.say(answer(number))

    async def main() -> None:
        async with serving(script) as served:
            http = HttpSink([served.url], "/", headers={}, method="PUT", connections=2)
            sink = ObjectSink(http, key, lambda _, reply: reply.body == b"ok")
            await use(sink)
            await sink.refresh()
            await sink.close()

    asyncio.run(main())
    return paths


def test_a_page_under_a_success_takes_no_name() -> None:
    """What something in between answered isn't stored: the same object is written again."""

    async def use(sink: ObjectSink) -> None:
        assert [(await sink.send(request(b"one"))).status for _ in range(2)] == [200, 200]

    page = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>"
    paths = run(lambda number: page if number == 0 else OK, use)
    assert paths == [name_of(b"one", 0)] * 2


def test_a_retry_is_the_same_object() -> None:
    """What wasn't stored for sure is written again under its name; then the name is taken."""

    async def use(sink: ObjectSink) -> None:
        same = request(b"one")
        statuses = [(await sink.send(same)).status for _ in range(2)]
        statuses.append((await sink.send(request(b"two"))).status)
        statuses.append((await sink.send(request(b"one"))).status)
        assert statuses == [503, 200, 200, 200]

    paths = run(lambda number: FAILED if number == 0 else OK, use)
    one, two = b"one", b"two"
    assert paths == [name_of(one, 0), name_of(one, 0), name_of(two, 0), name_of(one, 1)]


def test_twins_at_once_are_two_objects() -> None:
    """Two batches of the same content under way at once have names of their own; the one that has
    to be sent again takes a name that isn't stored."""

    async def use(sink: ObjectSink) -> None:
        first, second = request(b"x"), request(b"x")
        replies = await asyncio.gather(sink.send(first), sink.send(second))
        failed = first if replies[0].status == 503 else second
        assert sorted(reply.status for reply in replies) == [200, 503]
        assert (await sink.send(failed)).status == 200

    paths = run(lambda number: FAILED if number == 0 else OK, use, at_once=2)
    assert set(paths[:2]) == {name_of(b"x", 0), name_of(b"x", 1)}
    assert paths[2] == paths[0]


def test_few_names_are_remembered() -> None:
    """Memory for names is bounded: the oldest goes."""

    async def use(sink: ObjectSink) -> None:
        for number in range(5):
            await sink.send(request(b"%d" % number))
        assert list(sink._stored) == [key(request(b""), _digest(n), 0) for n in (2, 3, 4)]

    objects.REMEMBERED, kept = 3, REMEMBERED  # type: ignore[misc]
    try:
        assert len(run(lambda _: OK, use)) == 5
    finally:
        objects.REMEMBERED = kept  # type: ignore[misc]


def _digest(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()
