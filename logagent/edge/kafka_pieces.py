"""The pieces of one request on their way: sent in order, in a transaction or not, a code for each.

Knows which piece may be sent when. Must not know how a batch is made, nor what a code means for the
rows that are in it.
"""

import asyncio
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from aiokafka.structs import TopicPartition  # type: ignore[import-untyped]

from logagent.core.chunk import Request
from logagent.edge.kafka_faults import NOT_SENT, OK, UNAUTHORIZED_TOPIC, UNKNOWN_TOPIC
from logagent.edge.kafka_producer import Batch, Producer


class Piece(Protocol):
    """Rows of a request that go to one partition in one batch: indices into the request's rows.
    Without a batch the topic isn't known."""

    @property
    def topic(self) -> str:
        """Where to."""

    @property
    def partition(self) -> int:
        """Which of its partitions."""

    @property
    def rows(self) -> range | tuple[int, ...]:
        """Which rows."""

    @property
    def batch(self) -> Batch | None:
        """Their batch."""


Cut = Callable[[Request, Callable[[str], int]], Sequence[Piece]]
"""The pieces of a request, given how many partitions a topic has (0 = none is known)."""


async def send_all(producer: Producer, pieces: Sequence[Piece]) -> list[int]:
    """Send all pieces, those of one partition one after the other: a code for each."""
    codes: list[int] = [NOT_SENT] * len(pieces)
    chains: dict[TopicPartition, list[tuple[int, Batch]]] = {}
    for index, piece in enumerate(pieces):
        if piece.batch is None:
            hidden = producer.cluster.may_not(piece.topic)
            codes[index] = UNAUTHORIZED_TOPIC if hidden else UNKNOWN_TOPIC
        else:
            place = TopicPartition(piece.topic, piece.partition)
            chains.setdefault(place, []).append((index, piece.batch))

    async def follow(place: TopicPartition, chain: Iterable[tuple[int, Batch]]) -> None:
        async with producer.turn(place):
            for index, batch in chain:
                codes[index] = await producer.produce(place, batch)
                if codes[index] != OK:
                    return  # what comes behind must not overtake it

    async with asyncio.TaskGroup() as group:
        for place, chain in chains.items():
            group.create_task(follow(place, chain))
    return codes


async def transact(producer: Producer, pieces: Sequence[Piece]) -> list[int]:
    """Send all pieces whose topics are known in one transaction, or none: a code for each."""
    homeless = [each for each in pieces if each.batch is None]
    housed = [each for each in pieces if each.batch is not None]
    ends = {id(each): UNKNOWN_TOPIC for each in homeless}
    ends |= zip(map(id, housed), await _commit(producer, housed), strict=True)
    return [ends[id(each)] for each in pieces]


async def _commit(producer: Producer, pieces: Sequence[Piece]) -> list[int]:
    """All pieces in one transaction: a code for each."""
    if not pieces or producer.poisoned:
        return [NOT_SENT] * len(pieces)
    begun = await producer.begin({TopicPartition(each.topic, each.partition) for each in pieces})
    if begun != OK:
        return [begun] * len(pieces)
    try:
        codes = await send_all(producer, pieces)
    except BaseException:  # cancelled: what was sent must not be committed with the next
        producer.poison("cancelled")
        raise
    if not any(codes):
        return [await producer.end(commit=True)] * len(pieces)
    if not producer.poisoned:  # else the next producer's start aborts it
        await producer.end(commit=False)
    return [code or NOT_SENT for code in codes]


def body_of(rows: int, pieces: Sequence[Piece], codes: Sequence[int]) -> bytes:
    """One code a row."""
    if not any(codes):
        return bytes(2 * rows)
    body = array("h", [NOT_SENT]) * rows
    for piece, code in zip(pieces, codes, strict=True):
        for row in piece.rows:
            body[row] = code
    if sys.byteorder == "big":
        body.byteswap()
    return body.tobytes()
