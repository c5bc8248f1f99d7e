"""Model sinks: what a cluster's `_bulk` (or a file) does with a request, and when.

Modelled: latency, refusals, resets before and after the rows were applied, requests that are
applied long after their reply was given up, requests applied in part, unparsable and short replies,
429 and 503 for a request or single rows, 401, 413, mapping rejections, outages; `create` with
conflict by id. Not modelled: roll-over of data streams, several hosts, bytes on a connection.
"""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from logagent.core.chunk import Reply, Request
from tests.sim.outputs import OutputPlan
from tests.sim.rows import Seen
from tests.sim.watch import Faults

if TYPE_CHECKING:
    from tests.sim.world import World

CREATED: Final = b'{"create":{"status":201}}'
CONFLICT: Final = (
    b'{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"x"}}}'
)
BUSY: Final = (
    b'{"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"x"}}}'
)
REFUSED: Final = (
    b'{"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"x"}}}'
)


@dataclass
class Row:
    """One row of a request: its id ("" without), its document."""

    id: bytes
    document: bytes


@dataclass
class Attempt:
    """One request on its way."""

    number: int
    rows: list[Row]
    raw_bytes: int
    applied: list[Seen] = field(default_factory=list)
    """What was done to its rows, as far as the agent doesn't know of it yet."""
    refused: list[Seen] = field(default_factory=list)
    """Rows that were rejected for what is in them."""


class ModelSink(Faults):
    """`ports.Sink` of one output. The index outlives the agent's processes."""

    def __init__(self, world: World, plan: OutputPlan) -> None:
        super().__init__(world, plan)
        self.ids: set[bytes] = set()
        self.flying: dict[int, Attempt] = {}
        self._count = 0

    async def send(self, request: Request) -> Reply:
        """See `ports.Sink.send`."""
        world = self.world
        self._count += 1
        attempt = Attempt(self._count, self.parse(request), request.raw_bytes)
        self.flying[attempt.number] = attempt
        world.oracle.sending(
            self.plan,
            request.raw_bytes,
            attempt.rows[0].document,
            rows=request.rows,
            flying=len(self.flying),
        )
        world.note("send", self.plan.name, attempt.number, len(attempt.rows))
        process = world.process
        try:
            reply = await self.serve(attempt)
        except asyncio.CancelledError:
            if world.lives(process):
                del self.flying[attempt.number]
                world.oracle.unanswered(self.plan.name, attempt.applied)
            raise
        if world.lives(process):
            del self.flying[attempt.number]
            world.note("reply", self.plan.name, attempt.number, reply.status, reply.fault)
            world.oracle.answered(self.plan.name, attempt.applied)
            for seen in attempt.refused:
                world.oracle.rejected(self.plan.name, seen)
        return reply

    async def refresh(self) -> None:
        """See `ports.Sink.refresh`."""

    async def close(self) -> None:
        """See `ports.Sink.close`."""

    async def serve(self, attempt: Attempt) -> Reply:
        """Everything that can happen to a request."""
        plan, world = self.plan, self.world
        outage = self.outage()
        if outage == "refused" or self.roll("refused"):
            await asyncio.sleep(0.001)
            world.mark("refused")
            return Reply(0, fault="refused")
        latency = (0.001 if world.calm else plan.latency_s) * (world.rng.random() + 0.05)
        if self.roll("slow"):
            latency += world.rng.uniform(0.5, 4.0)
        await asyncio.sleep(latency / 2)
        if outage == "silent" or self.roll("reset"):
            if outage == "silent":
                await asyncio.sleep(2.0)
            world.mark("reset")
            return Reply(0, fault="time-out", sent=True)
        if world.is_dead or world.dies("send"):
            return Reply(0, fault="dead", sent=True)
        refusal = self.refusal(attempt, outage)
        if refusal is not None:
            await asyncio.sleep(latency / 2)
            return refusal
        if self.roll("late_apply"):
            world.mark("late_apply")
            late = world.clock.now + world.rng.uniform(0.1, 5.0)
            world.clock.at(late, partial(self.apply_late, attempt))
            return Reply(0, fault="time-out", sent=True)
        reply = self.apply_and_answer(attempt)
        if world.dies("send"):
            return reply
        await asyncio.sleep(latency / 2)
        return reply

    def refusal(self, attempt: Attempt, outage: str) -> Reply | None:
        """The answer to a request that is refused as a whole."""
        world = self.world
        if attempt.raw_bytes > self.plan.limit_bytes and not world.calm:
            world.mark("http_413")
            if len(attempt.rows) == 1:
                attempt.refused.append(world.oracle.look(self.plan.name, attempt.rows[0].document))
            return Reply(413, b'{"error":{"type":"http_content_too_long","reason":"x"}}')
        if self.roll("http_429") or outage == "busy":
            world.mark("http_429")
            wait = world.rng.choice([0.0, 0.0, 1.0])
            body = b'{"error":{"type":"es_rejected_execution_exception","reason":"x"},"status":429}'
            return Reply(429, body, retry_after_s=wait)
        if self.roll("http_503"):
            world.mark("http_503")
            return Reply(503, b"<html>no upstream</html>")
        if self.roll("http_401"):
            world.mark("http_401")
            return Reply(401, b'{"error":{"type":"security_exception","reason":"x"}}')
        return None

    def apply_and_answer(self, attempt: Attempt) -> Reply:
        """Put rows into the index, and answer, or not."""
        world, rows = self.world, range(len(attempt.rows))
        if self.roll("partial_apply"):
            world.mark("partial_apply")
            self.apply(attempt, range(world.rng.randint(0, len(attempt.rows))), lost=True)
            return Reply(0, fault="reset", sent=True)
        if self.roll("lost_reply"):
            world.mark("lost_reply")
            self.apply(attempt, rows, lost=True)
            return Reply(0, fault="reset", sent=True)
        if self.plan.kind == "file":
            self.apply(attempt, rows)
            return Reply(200)
        doubtful = self.roll("unparsable") or self.roll("short_reply")
        items = self.apply(attempt, rows, lost=doubtful)
        errors = b"false" if all(item is CREATED for item in items) else b"true"
        if not doubtful:
            return Reply(200, _bulk(items, errors))
        if world.rng.random() < 0.5 and len(items) > 1:
            world.mark("short_reply")
            return Reply(200, _bulk(items[: world.rng.randint(0, len(items) - 1)], b"false"))
        world.mark("unparsable")
        body = _bulk(items, errors)
        return Reply(200, body[: world.rng.randint(0, len(body) - 2)])

    def apply(self, attempt: Attempt, rows: range, *, lost: bool = False) -> list[bytes]:
        """Index rows and return each one's item. lost: the agent won't hear of it."""
        oracle, plan, ids = self.world.oracle, self.plan, self.ids
        self.world.note("apply", plan.name, attempt.number, len(rows), lost)
        item_429 = 0.0 if self.world.calm else plan.rates.get("item_429", 0.0)
        items = []
        for index in rows:
            row = attempt.rows[index]
            if item_429 and self.world.rng.random() < item_429:
                self.world.mark("item_429")
                items.append(BUSY)
                continue
            seen = oracle.look(plan.name, row.document)
            if plan.poison_every and not self.world.calm and oracle.is_poison(plan, seen):
                self.world.mark("rejected")
                if not lost:
                    attempt.refused.append(seen)
                items.append(REFUSED)
                continue
            if not lost:
                attempt.applied.append(seen)
            if row.id and row.id in ids:
                self.world.mark("conflict")
                items.append(CONFLICT)
                continue
            if row.id:
                ids.add(row.id)
            oracle.applied(plan.name, seen, lost=lost)
            items.append(CREATED)
        return items

    def apply_late(self, attempt: Attempt) -> None:
        """Apply a request that the agent gave up."""
        self.apply(attempt, range(len(attempt.rows)), lost=True)

    def crash(self) -> None:
        """The agent is gone. What is on the wire may still arrive."""
        world = self.world
        flying, self.flying = list(self.flying.values()), {}
        for attempt in flying:
            if attempt.applied:
                world.mark("kill_in_send")
                world.oracle.unanswered(self.plan.name, attempt.applied)
            elif world.rng.random() < 0.3:
                self.apply_late(attempt)

    def parse(self, request: Request) -> list[Row]:
        """The rows of a request, as a server reads them."""
        body = zlib.decompress(request.body, 31) if request.gzipped else request.body
        self.world.expect(len(body) == request.raw_bytes, "a body has another size than announced")
        lines = body.split(b"\n")
        self.world.expect(lines.pop() == b"", "a body ends in a newline")
        if self.plan.kind == "file":
            rows = [Row(b"", line) for line in lines]
        else:
            rows = [
                Row(_id(action), document)
                for action, document in zip(lines[::2], lines[1::2], strict=True)
            ]
        self.world.expect(len(rows) == request.rows, "a body holds as many rows as announced")
        return rows


def _id(action: bytes) -> bytes:
    """The id in an action line, which may be nothing but a create."""
    if action == b'{"create":{}}':
        return b""
    head, middle, tail = action.partition(b'"_id":"')
    assert head == b'{"create":{', action
    assert middle, action
    assert tail.endswith(b'"}}'), action
    return tail[:-3]


def _bulk(items: list[bytes], errors: bytes) -> bytes:
    return b'{"errors":%b,"took":3,"items":[%b]}' % (errors, b",".join(items))
