"""Indexer acknowledgement: when a request counts as answered, and who is asked for what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from itertools import count, pairwise
from typing import Final

from logagent.core.chunk import Reply, Request
from logagent.edge.hec import CHANNEL, HecSink, Language, Wait
from tests.fakes.loop import run

REQUEST: Final = Request(b"{}\n", 1, 3, gzipped=False)
POLL_S: Final = 1.0
TIMEOUT_S: Final = 60.0


def issued(reply: Reply) -> int | None:
    """The body of a success is its id."""
    return int(reply.body) if reply.status == 200 and reply.body.isdigit() else None


def question(ids: Collection[int]) -> bytes:
    """A list of ids."""
    return json.dumps(sorted(ids)).encode()


def indexed(reply: Reply) -> frozenset[int]:
    """A list of ids."""
    return frozenset(json.loads(reply.body)) if reply.status == 200 else frozenset()


LANGUAGE: Final = Language("/event", "/ack", issued, question, indexed, "late", "none")


class Collector:
    """One host: gives ids in each channel, grants what is in `granted` (channel and id) once, and
    remembers each question and its time. Restarting, it has forgotten all."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.granted: set[tuple[str, int]] = set()
        self.given: list[tuple[str, int]] = []
        self.questions: list[tuple[float, str, int]] = []
        self.reply: Reply | None = None
        self.refused: Reply | None = None
        self.refreshes = self.closes = 0

    async def send(self, request: Request, path: str, headers: Mapping[str, str]) -> Reply:
        """See `edge.hec.Http`."""
        await asyncio.sleep(0.01)
        channel = headers[CHANNEL]
        if path == "/event":
            if self.reply is not None:
                return self.reply
            issue = self.ids[channel] = self.ids.get(channel, -1) + 1
            self.given.append((channel, issue))
            return Reply(200, b"%d" % issue, sent=True)
        assert path == f"/ack?channel={channel}"
        (issue,) = json.loads(request.body)
        self.questions.append((asyncio.get_running_loop().time(), channel, issue))
        if self.refused is not None:
            return self.refused
        told = (channel, issue) in self.granted
        self.granted.discard((channel, issue))
        return Reply(200, json.dumps([issue] if told else []).encode())

    def grant(self, *places: int) -> None:
        """Grant what was given so far, by place; all without places."""
        for place in places or range(len(self.given)):
            self.granted.add(self.given[place])

    async def refresh(self) -> None:
        """See `edge.hec.Http`."""
        self.refreshes += 1

    async def close(self) -> None:
        """See `edge.hec.Http`."""
        self.closes += 1


def sink(*collectors: Collector, wait: Wait = "auto") -> HecSink:
    """A sink over these hosts."""
    return HecSink(
        [(f"http://h{at}:1", collector) for at, collector in enumerate(collectors)],
        LANGUAGE,
        channel=map(str, count()).__next__,
        wait=wait,
        poll_s=POLL_S,
        timeout_s=TIMEOUT_S,
    )


def test_a_request_is_answered_when_it_is_indexed() -> None:
    """The reply comes back as it was, not before its id is granted; then nobody asks any more."""

    async def scene() -> None:
        collector = Collector()
        hec = sink(collector)
        sending = asyncio.ensure_future(hec.send(REQUEST))
        await asyncio.sleep(5)
        assert not sending.done()
        assert hec.pending.value == 1
        collector.grant()
        await asyncio.sleep(1.5)
        assert (await sending).body == b"0"
        times = [time for time, _, _ in collector.questions]
        assert 5 <= len(times) <= 7, "once a second"
        assert min(b - a for a, b in pairwise(times)) >= POLL_S
        await asyncio.sleep(10)
        assert (len(collector.questions), hec.pending.value) == (len(times), 0)

    run(scene())


def test_requests_under_way_share_no_channel() -> None:
    """Eight at once, granted in any order; channels are used again, one request at a time."""

    async def scene() -> None:
        collector = Collector()
        hec = sink(collector)
        sendings = [asyncio.ensure_future(hec.send(REQUEST)) for _ in range(8)]
        await asyncio.sleep(3.5)
        assert len({channel for channel, _ in collector.given}) == 8
        for at, place in enumerate((5, 0, 7, 3)):
            collector.grant(place)
            await asyncio.sleep(1.1)
            assert sum(sending.done() for sending in sendings) == at + 1
        more = asyncio.ensure_future(hec.send(REQUEST))
        await asyncio.sleep(0.5)
        assert collector.given[-1][1] == 1, "the second id of a channel"
        collector.grant()
        await asyncio.gather(more, *sendings)
        assert len(collector.ids) == 8

    run(scene())


def test_an_id_of_a_server_that_started_again_grants_no_older_one() -> None:
    """Ids count from 0 again: a lost request isn't taken for a new one that has its number."""

    async def scene() -> None:
        collector = Collector()
        hec = sink(collector)
        lost = asyncio.ensure_future(hec.send(REQUEST))
        await asyncio.sleep(0.5)
        collector.ids.clear()
        new = asyncio.ensure_future(hec.send(REQUEST))
        await asyncio.sleep(0.5)
        assert [number for _, number in collector.given] == [0, 0]
        collector.grant(1)
        assert (await new).body == b"0"
        assert (await lost).fault == "late"

    run(scene())


def test_an_id_that_is_never_granted_is_late() -> None:
    """After the time-out: an ambiguous fault, the host is set aside, the channel is given up."""

    async def scene() -> None:
        dead, alive = Collector(), Collector()
        hec = sink(dead, alive)
        started = asyncio.get_running_loop().time()
        reply = await hec.send(REQUEST)
        assert (reply.status, reply.fault, reply.sent) == (0, "late", True)
        assert TIMEOUT_S <= asyncio.get_running_loop().time() - started <= TIMEOUT_S + 2
        both = [asyncio.ensure_future(hec.send(REQUEST)) for _ in range(2)]
        await asyncio.sleep(0.5)
        assert len(alive.given) == 2
        alive.grant()
        await asyncio.gather(*both)
        again = asyncio.ensure_future(hec.send(REQUEST))
        await asyncio.sleep(0.5)
        assert len({channel for channel, _ in dead.given}) == len(dead.given) == 2
        dead.grant()
        await again

    run(scene())


def test_failing_questions_change_nothing() -> None:
    """No answer, a busy server: asked again. A refused token is read again."""

    async def scene() -> None:
        collector = Collector()
        hec = sink(collector)
        sending = asyncio.ensure_future(hec.send(REQUEST))
        await asyncio.sleep(0.5)
        collector.grant()
        for refused in (Reply(0, fault="reset", sent=True), Reply(503), Reply(403)):
            collector.refused = refused
            await asyncio.sleep(1.5)
            assert not sending.done()
        assert collector.refreshes >= 1
        collector.refused = None
        await asyncio.sleep(1.5)
        assert sending.done()

    run(scene())


def test_what_gives_no_id_is_passed_on() -> None:
    """A success without an id, a refusal, a fault; and anything when nobody waits."""

    async def scene() -> None:
        collector = Collector()
        hec = sink(collector)
        for reply in (Reply(200, b"ok"), Reply(400, b"1"), Reply(503), Reply(0, fault="refused")):
            collector.reply = reply
            assert await hec.send(REQUEST) == reply
        assert await sink(Collector(), wait="never").send(REQUEST) == Reply(200, b"0", sent=True)
        assert collector.questions == []

    run(scene())


def test_nothing_is_sent_where_acknowledgements_are_missing() -> None:
    """Asked for first, when they are required; a passing trouble is passed on; asked for once, and
    again with another token."""

    async def scene() -> None:
        collector = Collector()
        hec = sink(collector, wait="required")
        for refused in (Reply(404), Reply(400, b"ACK is disabled")):
            collector.refused = refused
            assert await hec.send(REQUEST) == Reply(0, fault="none")
        for refused in (Reply(403), Reply(503), Reply(0, fault="refused")):
            collector.refused = refused
            assert await hec.send(REQUEST) == refused
        assert collector.given == []
        collector.refused = None
        for _ in range(2):
            sending = asyncio.ensure_future(hec.send(REQUEST))
            await asyncio.sleep(0.5)
            collector.grant()
            await sending
        assert len(collector.questions) == 5 + 1 + 2
        await hec.refresh()
        collector.refused = Reply(404)
        assert (await hec.send(REQUEST)).fault == "none"

    run(scene())


def test_a_failing_host_is_set_aside() -> None:
    """A fault and a proxy's 503 send the next request elsewhere."""

    async def scene() -> None:
        bad, good = Collector(), Collector()
        bad.reply, good.reply = Reply(503), Reply(200, b"ok")
        hec = sink(bad, good)
        assert [(await hec.send(REQUEST)).status for _ in range(4)] == [503, 200, 200, 200]

    run(scene())


def test_secrets_and_sockets_of_all_hosts() -> None:
    """Refresh and close reach each host; another token has other channels."""

    async def scene() -> None:
        collector, other = Collector(), Collector()
        hec = sink(collector)
        sending = asyncio.ensure_future(hec.send(REQUEST))
        await asyncio.sleep(0.5)
        await hec.refresh()
        collector.grant()
        await sending
        more = asyncio.ensure_future(hec.send(REQUEST))
        await asyncio.sleep(0.5)
        collector.grant()
        await more
        assert len(collector.ids) == 2, "one of before the refresh isn't used again"
        two = sink(collector, other)
        await two.refresh()
        await two.close()
        assert (collector.refreshes, collector.closes) == (2, 1)
        assert (other.refreshes, other.closes) == (1, 1)

    run(scene())
