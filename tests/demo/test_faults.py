"""Each scripted fault does to a client what it says, and to the store what it says."""

import asyncio

import orjson
import pytest

from logagent.demo.faults import Fault, Script, parse_faults
from logagent.demo.server import Options, Receiver
from tests.demo.client import Client, play, rows

ONE = '{"message":"a"}'


def test_a_status_is_for_the_whole_request() -> None:
    """Nothing is stored, Retry-After is there, and the next request is undisturbed."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        got = await client.bulk(rows(ONE))
        assert (got.status, got.headers["retry-after"]) == (503, "2")
        assert receiver.stats.documents == 0
        early = await client.bulk(rows(ONE) * 100_000)
        assert early.status == 429
        assert (await client.bulk(rows(ONE))).item_statuses() == [201]
        assert receiver.faults.fired == {"status": 2}

    faults = [
        Fault("status", status=503, retry_after_s=2),
        Fault("status", status=429, early=True),
    ]
    play(Receiver(faults=faults), scenario)


def test_single_rows_fail() -> None:
    """Each k-th row, or each with some text in it, fails alone and isn't stored."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        got = await client.bulk(rows(ONE, ONE, ONE, ONE, ids="abcd"))
        assert got.item_statuses() == [201, 429, 201, 429]
        got = await client.bulk(rows(ONE, ONE, ids="bd"))
        assert got.item_statuses() == [201, 201]
        got = await client.bulk(rows(ONE, '{"bad":1}'))
        assert got.item_statuses() == [201, 400]
        assert orjson.loads(got.body)["items"][1]["create"]["error"]["type"] == "odd"
        got = await client.bulk(rows(ONE))
        assert got.json()["items"] == [{"create": {"status": 201, "failure_store": "used"}}]
        assert receiver.stats.documents == 6

    faults = [
        Fault("items", status=429, every=2),
        Fault("items", status=400, where="bad", kind="odd", after=2),
        Fault("items", status=201, failure_store="used", after=3),
    ]
    play(Receiver(faults=faults), scenario)


def test_connections_are_cut() -> None:
    """A cut request isn't stored; a lost or truncated reply belongs to rows that are."""

    async def check(fault: Fault, documents: int) -> None:
        async with Receiver(faults=[fault]) as receiver, Client(receiver.port) as client:
            assert (await client.bulk(rows(ONE, ONE))).status == 0
            assert receiver.stats.documents == documents
            async with Client(receiver.port) as again:
                assert (await again.bulk(rows(ONE))).status == 200

    async def scenario() -> None:
        async with asyncio.timeout(20):
            await check(Fault("cut_request", bytes=10), 0)
            await check(Fault("cut_request", bytes=10_000), 0)
            await check(Fault("lose_reply"), 2)
            await check(Fault("truncate_reply", bytes=20), 2)

    asyncio.run(scenario())


def test_replies_lie() -> None:
    """Garbage, missing and extra items come with status 200, and the rows are stored."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        got = await client.bulk(rows(ONE, ONE))
        assert got.status == 200
        with pytest.raises(orjson.JSONDecodeError):
            got.json()
        assert (await client.bulk(rows(ONE, ONE))).item_statuses() == [201]
        assert (await client.bulk(rows(ONE, ONE))).item_statuses() == [201] * 4
        assert receiver.stats.documents == 6

    faults = [Fault("garbage"), Fault("missing_items"), Fault("extra_items", count=2)]
    play(Receiver(faults=faults), scenario)


def test_late_and_slow_replies_arrive() -> None:
    """A delayed reply and one that comes byte by byte are whole in the end, in order."""

    async def scenario(_: Receiver, client: Client) -> None:
        started_at = asyncio.get_running_loop().time()
        assert (await client.bulk(rows(ONE))).item_statuses() == [201]
        assert asyncio.get_running_loop().time() - started_at >= 0.05
        assert (await client.bulk(rows(ONE))).item_statuses() == [201]
        assert (await client.bulk(rows(ONE))).item_statuses() == [201]

    faults = [Fault("delay", seconds=0.06), Fault("drip", seconds=0.0001)]
    play(Receiver(faults=faults), scenario)


def test_a_black_hole_never_answers() -> None:
    """The body is not read and nothing is stored; other connections are served."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.bulk(rows(ONE)), 0.05)
        async with Client(receiver.port) as other:
            assert (await other.bulk(rows(ONE))).status == 200
        assert receiver.stats.documents == 1

    play(Receiver(faults=[Fault("black_hole")]), scenario)


def test_refusing_ends_by_itself() -> None:
    """Connections are reset, new ones refused, and after a while the same port listens again."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        assert (await client.bulk(rows(ONE))).status == 0
        with pytest.raises(ConnectionError):
            await Client(receiver.port).__aenter__()
        while True:
            try:
                async with Client(receiver.port) as again:
                    assert (await again.bulk(rows(ONE))).status == 200
                    break
            except ConnectionError:
                await asyncio.sleep(0.02)
        assert receiver.stats.documents == 1

    play(Receiver(Options(), [Fault("refuse", seconds=0.2)]), scenario)


def test_faults_are_due_as_scripted() -> None:
    """`times`, `after`, the window of seconds and the seed decide; equal seeds, equal runs."""
    script = Script([Fault("delay", times=2, after=1), Fault("garbage", at_s=5, for_s=1, times=0)])
    taken = [script.take(at) for at in (100.0, 100.1, 100.2, 100.3, 105.0, 105.9, 106.0)]
    names = [None if fault is None else fault.do for fault in taken]
    assert names == [None, "delay", "delay", None, "garbage", "garbage", None]

    def draw(seed: int) -> list[bool]:
        chance = Script([Fault("garbage", times=0, probability=0.5)], seed)
        return [chance.take(0) is not None for _ in range(64)]

    assert draw(1) == draw(1) != draw(2)
    assert 10 < sum(draw(1)) < 54


def test_faults_from_json() -> None:
    """What is no fault is refused with a reason."""
    assert parse_faults([{"do": "drip", "seconds": 1}]) == [Fault("drip", seconds=1)]
    for wrong in ({}, 1, {"do": "fly"}, {"do": "status"}, {"do": "drip", "seconds": "1"}):
        with pytest.raises(ValueError, match=r"fault|status|type"):
            parse_faults([wrong])
    with pytest.raises(ValueError, match="no row"):
        parse_faults([{"do": "items", "status": 429, "every": 0}])
