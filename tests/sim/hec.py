"""A model of HTTP Event Collectors behind the exchange of HTTP: what polls for acks is real.

Modelled: receipts with a number per channel, events that are indexed later, or never though there
was a receipt, acknowledgements that come late, not at all, or once in an answer that gets lost,
hosts that restart and count from 0 again, a busy collector, invalid events (those in front may have
been taken), a token that is refused until it is read again, answers that don't come. Not modelled:
bytes of HTTP, the collector's queues.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson

from logagent.codecs.splunk import PATH, SplunkCodec, document
from logagent.codecs.splunk_reply import ACK_LATE, NO_ACKS, ack_id, ack_question, acked
from logagent.core.chunk import Reply, Request
from logagent.edge.hec import CHANNEL, HecSink, Language
from logagent.ends.splunk import ACK_PATH
from tests.sim.accounts import Key
from tests.sim.outputs import HecPlan, OutputPlan
from tests.sim.rows import Seen
from tests.sim.watch import Attempt, Model, Watched, current

if TYPE_CHECKING:
    from tests.sim.world import World

PORT: Final = 8088
BUSY: Final = b'{"text":"Server is busy","code":9}'
BAD_TOKEN: Final = b'{"text":"Invalid token","code":4}'
INVALID: Final = b'{"text":"Invalid data format","code":6,"invalid-event-number":%d}'
SUCCESS: Final = b'{"text":"Success","code":0}'
RECEIPT: Final = b'{"text":"Success","code":0,"ackId":%d}'


@dataclass(frozen=True)
class Event:
    """One event of a request. id: its field `logagent_id`."""

    seen: Seen
    id: bytes


@dataclass
class Channel:
    """One channel of one life of a host. receipts: whether asking for a number is answered true."""

    next_id: int = 0
    receipts: dict[int, bool] = field(default_factory=dict)


class HecModel(Model):
    """The collectors of one output, and the index behind them."""

    def __init__(self, world: World, plan: OutputPlan) -> None:
        super().__init__(world, plan)
        assert plan.hec is not None
        self.hec: HecPlan = plan.hec
        self.hosts = [
            Collector(self, f"http://{plan.name}-{number}:{PORT}")
            for number in range(self.hec.hosts)
        ]

    def sink(self, codec: SplunkCodec) -> Watched:
        """A process's sink."""
        made = HecSink(
            [(host.url, host) for host in self.hosts],
            Language(PATH, ACK_PATH, ack_id, ack_question, acked, ACK_LATE, NO_ACKS),
            channel=lambda: str(UUID(int=self.world.rng.getrandbits(128), version=4)),
            wait="auto",
            poll_s=self.hec.poll_s,
            timeout_s=self.hec.timeout_s,
        )
        return Watched(self, made, codec, _heard)

    def index(self, attempt: Attempt, events: list[Event]) -> None:
        """Events are in the index."""
        self.world.note("indexed", self.plan.name, attempt.number, len(events))
        records = self.world.oracle.records[self.plan.name]
        for event in events:
            self.applied(attempt, event.seen)
            records.identified(event.seen, event.id)
        self.world.dies("send")


class Collector:
    """One host: `hec.Http`. life: how often it was started."""

    def __init__(self, model: HecModel, url: str) -> None:
        self.model = model
        self.url = url
        self.world = model.world
        self.life = 0
        self.channels: dict[str, Channel] = {}
        self.token_refused_until = 0.0

    async def refresh(self) -> None:
        """See `hec.Http`."""

    async def close(self) -> None:
        """See `hec.Http`."""

    async def send(self, request: Request, path: str, headers: Mapping[str, str]) -> Reply:
        """See `hec.Http`."""
        model, world = self.model, self.world
        outage = model.outage()
        if outage == "refused" or model.roll("refused"):
            await asyncio.sleep(0.001)
            world.mark("refused")
            return Reply(0, fault="refused")
        latency = model.latency()
        if model.roll("slow"):
            latency += world.rng.uniform(0.5, 3.0)
        process = world.process
        await asyncio.sleep(latency / 2)
        if outage == "silent" or model.roll("reset"):
            await asyncio.sleep(2.0)
            return Reply(0, fault="time-out", sent=True)
        if not world.lives(process) or world.dies("send"):
            return Reply(0, fault="dead", sent=True)
        if outage == "busy" or model.roll("busy"):
            world.mark("hec_busy")
            return Reply(503, BUSY, retry_after_s=world.rng.choice([0.0, 0.0, 1.0]))
        if model.roll("proxy"):
            return Reply(502, b"<html>no upstream</html>")
        name = headers[CHANNEL]
        channel = self.channels.setdefault(name, Channel())
        if self.refuses():
            reply = Reply(403, BAD_TOKEN)
        elif path == PATH:
            reply = self.take(request, name)
        else:
            world.expect(path == f"{ACK_PATH}?channel={name}", "a question names its channel")
            reply = self.tell(request, channel)
        await asyncio.sleep(latency / 2)
        return reply

    def refuses(self) -> bool:
        """Whether the token is refused just now."""
        world = self.world
        if self.model.roll("token"):
            self.token_refused_until = world.clock.now + world.rng.uniform(0.2, 3.0)
        if world.calm or world.clock.now >= self.token_refused_until:
            return False
        world.mark("hec_token")
        return True

    # `/services/collector/event`.

    def take(self, request: Request, name: str) -> Reply:
        """Take events, give a receipt, or not."""
        model, world, attempt = self.model, self.world, current()
        events = self.parse(request)
        if request.raw_bytes > model.plan.limit_bytes and not world.calm:
            world.mark("hec_too_large")
            if len(events) == 1:
                attempt.refused.append(events[0].seen)
            return Reply(413, b"too large")
        invalid = self.invalid(events)
        if invalid is not None:
            world.mark("hec_invalid_event")
            attempt.refused.append(events[invalid].seen)
            if world.rng.random() < 0.5 and invalid:
                world.mark("hec_taken_in_part")
                model.index(attempt, events[:invalid])
            return Reply(400, INVALID % invalid)
        if model.roll("late_apply"):
            later = world.clock.now + world.rng.uniform(0.1, 5.0)
            world.clock.at(later, partial(self.receive_late, attempt, events, name))
            return Reply(0, fault="time-out", sent=True)
        reply = self.receive(attempt, events, name)
        if model.roll("lost_reply"):
            world.mark("hec_reply_lost")
            return Reply(0, fault="reset", sent=True)
        return reply

    def receive(self, attempt: Attempt, events: list[Event], name: str) -> Reply:
        """Take events in: the indexer works later, if at all."""
        model, world = self.model, self.world
        if not model.hec.has_acks:
            model.index(attempt, events)
            return Reply(200, SUCCESS)
        if model.roll("restart"):
            world.mark("hec_restart")
            self.channels.clear()
            self.life += 1
        channel = self.channels.setdefault(name, Channel())
        number = channel.next_id
        channel.next_id += 1
        world.note("receipt", self.url, self.life, number)
        if model.roll("ack_lost"):
            world.mark("hec_lost")
            return Reply(200, RECEIPT % number)
        delay = world.rng.uniform(0.0, 0.01 if world.calm else 2 * model.hec.poll_s)
        if model.roll("ack_late"):
            world.mark("hec_late")
            delay = world.rng.uniform(1.0, 2.0) * model.hec.timeout_s
        indexed = partial(self.indexed, attempt, events, channel, number, self.life)
        world.clock.at(world.clock.now + delay, indexed)
        return Reply(200, RECEIPT % number)

    def receive_late(self, attempt: Attempt, events: list[Event], name: str) -> None:
        """Take in what the agent gave up: nobody reads the receipt."""
        self.receive(attempt, events, name)

    def indexed(
        self, attempt: Attempt, events: list[Event], channel: Channel, number: int, life: int
    ) -> None:
        """The indexer has done its work: what it took down before a restart it may have lost."""
        if life != self.life and self.world.rng.random() < 0.5:
            self.world.mark("hec_lost_in_restart")
            return
        self.model.index(attempt, events)
        if self.model.roll("ack_mute"):
            self.world.mark("hec_mute")
            return
        channel.receipts[number] = True

    def invalid(self, events: list[Event]) -> int | None:
        """The first event that a collector doesn't take."""
        plan = self.model.plan
        if not plan.poison_every or self.world.calm:
            return None
        poison = (self.world.oracle.is_poison(plan, event.seen) for event in events)
        return next((index for index, is_bad in enumerate(poison) if is_bad), None)

    def parse(self, request: Request) -> list[Event]:
        """The events of a request, as a collector reads them."""
        world = self.world
        body = zlib.decompress(request.body, 31) if request.gzipped else request.body
        world.expect(len(body) == request.raw_bytes, "a body has another size than announced")
        events = []
        for line in body.splitlines():
            envelope = orjson.loads(line)
            world.expect(float(envelope["time"]) > 0, "an event has a time")
            seen = world.oracle.look(self.model.plan.name, document(line + b"\n"))
            events.append(Event(seen, envelope["fields"]["logagent_id"].encode()))
        world.expect(len(events) == request.rows, "a body holds as many events as announced")
        return events

    # `/services/collector/ack`.

    def tell(self, request: Request, channel: Channel) -> Reply:
        """Say which receipts are indexed; a true is said once."""
        model, world = self.model, self.world
        if model.roll("poll_refused"):
            world.mark("hec_poll_refused")
            return Reply(500, b'{"text":"Internal server error","code":8}')
        asked: list[int] = orjson.loads(request.body)["acks"]
        world.expect(bool(asked), "nobody asks for nothing")
        granted = {str(number): channel.receipts.pop(number, False) for number in asked}
        if model.roll("poll_lost"):
            if any(granted.values()):
                world.mark("hec_ack_answer_lost")
            return Reply(0, fault="reset", sent=True)
        return Reply(200, orjson.dumps({"acks": granted}))


def _heard(attempt: Attempt, reply: Reply) -> set[Key] | None:
    """See `watch.Heard`."""
    del attempt
    return None if reply.status == 200 else set()
