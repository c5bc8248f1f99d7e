"""Producers against librdkafka's mock cluster: what is tried again, and what costs them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder  # type: ignore[import-untyped]

from logagent.core.chunk import Request
from logagent.edge.kafka import KafkaSink, SinkSettings
from logagent.edge.kafka_faults import NOT_SENT, UNKNOWN
from tests.edge.kafka_mock import (
    INIT_PRODUCER_ID,
    NO_LEADER,
    PRODUCE,
    MockKafka,
    mock_kafka,
)
from tests.edge.kafka_pieces import TIMEOUT_S, Piece, codes, request, run


@pytest.mark.parametrize(
    ("code", "answer", "rebuilt"),
    [
        *((code, 0, False) for code in (3, 5, 6, 7, 8, 9, 13, 19, 20, 56, 72, 74, 75)),
        *((code, code, False) for code in (2, 10, 14, 15, 16, 17, 18, 29, 31, 32, 35)),
        *((code, code, False) for code in (43, 44, 53, 58, 76, 87, 89)),
        *((code, code, True) for code in (-1, 45, 47, 48, 49, 59, 90, 120)),
        (46, 45, True),
    ],
)
def test_a_code_is_passed_on_or_tried_again(code: int, answer: int, *, rebuilt: bool) -> None:
    """What is a matter of the leader, or may be appended, is tried again under its sequence; all
    else is the pipeline's. The producer is given up when its sequences are in doubt."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.fail(PRODUCE, code)
        assert codes(await sink.send(request("t:0:a"))) == [answer]
        assert codes(await sink.send(request("t:0:b"))) == [0]
        assert sink.rebuilds == rebuilt

    run(scenario)


@pytest.mark.slow
def test_a_partition_without_leader_resumes_with_the_same_producer() -> None:
    """Leaderless for three times the limit each attempt is code 5; with a leader it goes on."""
    why: list[str] = []

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        sink._waiting = why.append
        assert codes(await sink.send(request("t:0:a"))) == [0]
        mock.lead("t", NO_LEADER)
        mock.fail(PRODUCE, 19)
        for _ in range(3):
            assert codes(await sink.send(request("t:0:b", "t:1:c"))) == [5, 0]
        assert why == ["LEADER_NOT_AVAILABLE (5)"] * 3
        mock.lead("t", 1)
        assert codes(await sink.send(request("t:0:b"))) == [0]
        assert sink.rebuilds == 0

    run(scenario, timeout_s=2.0)


@pytest.mark.slow
def test_a_leader_that_dies_before_it_answers() -> None:
    """The batch is tried again, under its sequence, until somebody leads the partition again."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.lead("t", 1)
        assert codes(await sink.send(request("t:0:a"))) == [0]
        mock.delay(1, 10_000)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(sink.send(request("t:0:b")))
            await asyncio.sleep(0.1)
            mock.down(1)
            mock.delay(1, 0)
            await asyncio.sleep(0.1)
            mock.lead("t", 2)
            assert codes(await sending) == [0]
        assert sink.rebuilds == 0

    # The mock takes up to a second to close a broker's connections.
    run(scenario, brokers=2, timeout_s=5.0)


def test_sequences_are_used_up() -> None:
    """A partition's producer is replaced before its sequence numbers wrap."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.track()
        for _ in range(6):
            assert codes(await sink.send(request("t:0:a", "t:0:b"))) == [0, 0]
        assert sink.rebuilds == 2
        assert mock.tracked().count(INIT_PRODUCER_ID) == 3

    run(scenario, sequences_max=4)


@pytest.mark.slow
def test_a_cancelled_send_costs_the_producer() -> None:
    """Its batch may be appended under a sequence that nobody knows."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        assert codes(await sink.send(request("t:0:a"))) == [0]
        mock.delay(1, 300)
        sending = asyncio.ensure_future(sink.send(request("t:0:b")))
        await asyncio.sleep(0.1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        mock.delay(1, 0)
        assert codes(await sink.send(request("t:0:c"))) == [0]
        assert sink.rebuilds == 1

    run(scenario)


class Spy(BatchBuilder):  # type: ignore[misc]
    """A batch that tells its first sequence number."""

    seen: ClassVar[list[int]] = []

    def _set_producer_state(self, producer_id: int, epoch: int, base_sequence: int) -> None:
        self.seen.append(base_sequence)
        super()._set_producer_state(producer_id, epoch, base_sequence)


def spying(request: Request, partitions: Callable[[str], int]) -> Sequence[Piece]:
    """All rows in one spy."""
    assert partitions("t")
    batch = Spy(1 << 20, 0)
    for row in range(request.rows):
        batch.append(timestamp=0, key=None, value=b"%d" % row, headers=[])
    return [Piece("t", 0, range(request.rows), batch)]


def test_sequences_have_no_gaps() -> None:
    """A batch that was refused has taken no sequence numbers, one that was tried again none twice,
    and one waits for the other: a gap or an overlap stops a partition for good."""
    Spy.seen.clear()

    async def main(mock: MockKafka) -> None:
        sink = KafkaSink(spying, ("t",), SinkSettings(mock.servers, timeout_s=TIMEOUT_S))
        three = request("a", "b", "c")
        for failures, answer in (
            ((0,), 0),
            ((10,), 10),
            ((7,), 0),
            ((6,), 0),
            ((29,), 29),
            ((7, 46), 0),
        ):
            mock.fail(PRODUCE, *failures)
            assert codes(await sink.send(three)) == [answer] * 3
        assert codes(await sink.send(three)) == [0] * 3
        mock.delay(1, 20)
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(sink.send(three))
        await sink.close()

    with mock_kafka() as mock:
        mock.create("t")
        asyncio.run(main(mock))
    assert Spy.seen == [0, 3, 3, 6, 9, 9, 12, 15, 18, 21]


def test_who_waits_for_a_producer_in_doubt_sends_nothing() -> None:
    """A second batch waits for the partition while the first ends in doubt: under the doubtful
    number it would read as the first one's duplicate, and be lost. It isn't sent."""
    Spy.seen.clear()

    async def main(mock: MockKafka) -> None:
        sink = KafkaSink(spying, ("t",), SinkSettings(mock.servers, timeout_s=TIMEOUT_S))
        assert codes(await sink.send(request("a"))) == [0]
        mock.fail(PRODUCE, 7, *[29] * 2)  # perhaps appended, then refused: nobody knows
        first, second = await asyncio.gather(sink.send(request("a")), sink.send(request("b")))
        assert codes(first) != [0]
        assert codes(second) == [NOT_SENT]
        await sink.close()

    with mock_kafka() as mock:
        mock.create("t")
        asyncio.run(main(mock))
    assert Spy.seen == [0, 1]


@pytest.mark.slow
def test_what_may_be_appended_stays_in_doubt() -> None:
    """A refusal by a later leader doesn't prove that the first one hadn't appended it; without
    such a doubt it is only told."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.fail(PRODUCE, *[19] * 3)
        assert codes(await sink.send(request("t:0:a"))) == [19]
        assert codes(await sink.send(request("t:0:a"))) == [0]
        assert sink.rebuilds == 0
        mock.fail(PRODUCE, 7, *[19] * 4)
        assert codes(await sink.send(request("t:0:a"))) == [UNKNOWN]
        await sink.send(request("t:0:a"))
        assert sink.rebuilds == 1

    run(scenario, timeout_s=0.4)


@pytest.mark.slow
def test_a_leader_that_resigns_may_have_appended() -> None:
    """A leader that is deposed while its replicas are waited for answers 6, and its successor can
    have the batch: another one of the same size under that number would read as its duplicate, and
    be lost."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        assert codes(await sink.send(request("t:0:a"))) == [0]
        mock.fail(PRODUCE, 6)
        mock.lead("t", NO_LEADER)
        assert codes(await sink.send(request("t:0:b"))) == [UNKNOWN]
        mock.lead("t", 1)
        assert codes(await sink.send(request("t:0:c"))) == [0]
        assert sink.rebuilds == 1

    run(scenario, timeout_s=0.4)


@pytest.mark.slow
def test_a_leader_that_cannot_be_reached() -> None:
    """Its rows were not sent, which is certain; the producer goes on."""

    async def scenario(sink: KafkaSink, mock: MockKafka) -> None:
        mock.lead("t", 1)
        mock.lead("t", 2, partition=1)
        assert codes(await sink.send(request("t:0:a", "t:1:a"))) == [0, 0]
        mock.down(1)
        await asyncio.sleep(1.5)  # the mock takes up to a second to close its connections
        assert codes(await sink.send(request("t:0:b", "t:1:b"))) == [NOT_SENT, 0]
        mock.up(1)
        assert codes(await sink.send(request("t:0:b"))) == [0]
        assert sink.rebuilds == 0

    run(scenario, brokers=2)
