"""The receiver's ordinary life: bulk semantics, authorization, framing, control routes."""

import orjson
import pytest
from isal import isal_zlib

from logagent.demo.server import Options, Receiver, api_key, basic
from logagent.demo.store import MODES, Mode
from tests.demo.client import FILTER, NDJSON, Client, play, rows

ONE = '{"@timestamp":"2026-11-24T10:00:00Z","message":"a"}'


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_rows_are_created(mode: Mode, gzip: bool) -> None:  # noqa: FBT001 (pytest's way)
    """In each mode a good body gets the exact reply of Elasticsearch, and its rows are counted."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        body = rows(ONE, ONE, ONE)
        got = await client.bulk(body, gzip=gzip)
        took = got.body.split(b'"took":')[1].split(b",")[0]
        items = b",".join([b'{"create":{"status":201}}'] * 3)
        assert got.body == b'{"errors":false,"took":%b,"items":[%b]}' % (took, items)
        assert got.headers["x-elastic-product"] == "Elasticsearch"
        stats = receiver.stats
        assert (stats.requests, stats.rows, stats.documents) == (1, 3, 3)
        assert stats.bytes_raw == len(body)
        assert (stats.bytes_wire == len(body)) != gzip
        assert stats.item_statuses == {201: 3}

    play(Receiver(Options(mode=mode)), scenario)


def test_an_id_is_created_once() -> None:
    """The second create of an id is a 409 and changes nothing; another index has its own ids."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        assert (await client.bulk(rows(ONE, ONE, ids="ab"))).item_statuses() == [201, 201]
        got = await client.bulk(rows(ONE, ONE, ids="bc"))
        item = orjson.loads(got.body)["items"][0]["create"]
        assert item["status"] == 409
        assert item["error"]["type"] == "version_conflict_engine_exception"
        assert got.json()["errors"] is True
        assert got.item_statuses() == [409, 201]
        other = await client.bulk(rows(ONE, ids="b"), path=f"/other/_bulk?{FILTER}")
        assert other.item_statuses() == [201]
        assert (receiver.stats.documents, receiver.stats.duplicates_by_id) == (4, 1)
        assert len(receiver.documents()) == 4

    play(Receiver(), scenario)


def test_bodies_that_break_the_rules_are_refused() -> None:
    """A body that isn't n `create` rows, newline-ended, is a 400 and nothing of it is stored."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        async def check(body: bytes, kind: str) -> None:
            got = await client.bulk(body)
            assert got.status == 400
            assert orjson.loads(got.body)["error"]["type"] == kind

        good = rows(ONE)
        await check(b"", "parse_exception")
        await check(good[:-1], "illegal_argument_exception")
        await check(good + b'{"create":{}}\n', "illegal_argument_exception")
        await check(good + b'{"index":{}}\n{}\n', "illegal_argument_exception")
        await check(good + b'{"delete":{"_id":"1"}}\n{}\n', "illegal_argument_exception")
        await check(good + b'{"create":{},"index":{}}\n{}\n', "illegal_argument_exception")
        await check(good + b'{"create":{"version":1}}\n{}\n', "illegal_argument_exception")
        await check(good + b"\n\n", "x_content_parse_exception")
        assert (receiver.stats.rows, receiver.stats.documents) == (0, 0)
        assert receiver.stats.statuses == {400: 8}
        no_index = await client.bulk(good, path="/_bulk")
        assert b"index is missing" in no_index.body
        assert (await client.bulk(good, path="/app/_bulk?colour=red")).status == 400
        assert (await client.ask("POST", "/app/_bulk", good, {})).status == 406

    play(Receiver(), scenario)


def test_broken_gzip_is_refused() -> None:
    """A body that says gzip and isn't, or ends too early, is a 400 in every mode."""

    async def scenario(_: Receiver, client: Client) -> None:
        headers = {**NDJSON, "content-encoding": "gzip"}
        assert (await client.ask("POST", "/app/_bulk", b"no gzip at all", headers)).status == 400
        short = isal_zlib.compress(rows(ONE), 1, 31)[:-12]
        assert (await client.ask("POST", "/app/_bulk", short, headers)).status == 400

    for mode in MODES:
        play(Receiver(Options(mode=mode)), scenario)


def test_documents_are_parsed() -> None:
    """A row that is no JSON object, or lacks the time a data stream needs, fails alone."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        got = await client.bulk(rows(ONE, "{broken", "[1]", ""))
        assert got.item_statuses() == [201, 400, 400, 400]
        assert orjson.loads(got.body)["items"][1]["create"]["error"]["type"] == (
            "document_parsing_exception"
        )
        path = f"/logs-a-b/_bulk?require_data_stream=true&{FILTER}"
        got = await client.bulk(rows(ONE, '{"message":"a"}'), path=path)
        assert got.item_statuses() == [201, 400]
        assert receiver.stats.documents == 2

    play(Receiver(), scenario)


def test_filter_path_chooses_what_is_told() -> None:
    """Without filter_path items are told in full; with it, only what it names."""

    async def scenario(_: Receiver, client: Client) -> None:
        got = await client.bulk(rows(ONE, ids="a"), path="/app/_bulk")
        assert got.json()["items"] == [{"create": {"_index": "app", "_id": "a", "status": 201}}]
        got = await client.bulk(rows(ONE, ids="a"), path="/app/_bulk?filter_path=took")
        assert list(got.json()) == ["took"]
        got = await client.bulk(rows(ONE, ids="a"), path="/app/_bulk?filter_path=items.*.error")
        item = orjson.loads(got.body)["items"][0]["create"]
        assert set(item) == {"error"}
        assert set(item["error"]) == {"type", "reason"}

    play(Receiver(), scenario)


def test_too_large_bodies_get_413() -> None:
    """The limit holds for the body on the wire (refused before it is read) and inflated; the
    connection goes on."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        big = rows(ONE) * 200
        assert (await client.bulk(big)).status == 413
        assert (await client.bulk(big, gzip=True)).status == 413
        assert (await client.bulk(rows(ONE))).status == 200
        assert receiver.stats.documents == 1
        assert receiver.stats.connections == 1

    for mode in ("null", "store"):
        play(Receiver(Options(mode=mode, content_bytes_max=2000)), scenario)


def test_authorization() -> None:
    """With keys set, others get 401; the control routes stay open, and can change the keys."""

    async def scenario(_: Receiver, client: Client) -> None:
        async def check(value: str, status: int) -> None:
            got = await client.ask("GET", "/", headers={"authorization": value})
            assert got.status == status

        await check(api_key("id:key"), 200)
        await check("ApiKey aWQ6a2V5", 200)
        await check(basic("user", "word"), 200)
        await check(basic("user", "other"), 401)
        got = await client.bulk(rows(ONE))
        assert got.status == 401
        assert "ApiKey" in got.headers["www-authenticate"]
        new = orjson.dumps([api_key("new:key")])
        assert (await client.ask("POST", "/_test/auth", new)).status == 200
        await check(api_key("id:key"), 401)
        await check(api_key("new:key"), 200)

    auth = frozenset({api_key("id:key"), basic("user", "word")})
    play(Receiver(Options(auth=auth)), scenario)


def test_version_documents() -> None:
    """`GET /` says what it is; OpenSearch has no product header and fewer parameters."""

    async def elastic(_: Receiver, client: Client) -> None:
        got = await client.ask("GET", "/")
        assert got.json()["version"]["number"] == "8.19.0"  # type: ignore[index]
        assert (await client.ask("GET", "/nothing")).status == 400
        head = await client.ask("GET", "/", headers={"connection": "close"})
        assert head.headers["connection"] == "close"

    async def opensearch(_: Receiver, client: Client) -> None:
        got = await client.ask("GET", "/")
        assert got.json()["version"]["distribution"] == "opensearch"  # type: ignore[index]
        assert "x-elastic-product" not in got.headers
        got = await client.bulk(rows(ONE), path="/app/_bulk?require_data_stream=true")
        assert got.status == 400

    play(Receiver(), elastic)
    play(Receiver(Options(opensearch=True)), opensearch)


def test_the_catalogue() -> None:
    """A client can ask whether an index, a data stream or an ingest pipeline is there."""

    async def scenario(_: Receiver, client: Client) -> None:
        async def check(path: str, status: int) -> None:
            assert (await client.ask("GET", path)).status == status

        await check("/app/_settings", 404)
        await client.bulk(rows(ONE))
        await check("/app/_settings?filter_path=*.settings.index", 200)
        await check("/_data_stream/app", 200)
        await check("/_data_stream/other", 404)
        await check("/_ingest/pipeline/parse", 404)

    play(Receiver(), scenario)


def test_requests_may_come_in_any_pieces() -> None:
    """Pipelined requests, cut anywhere, are answered one after the other; so are chunked ones."""

    async def scenario(receiver: Receiver, client: Client) -> None:
        body = rows(ONE)
        head = f"POST /app/_bulk?{FILTER} HTTP/1.1\r\ncontent-type: application/json\r\n"
        one = head.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        for at in range(0, len(one) * 3, 97):
            client.writer.write((one * 3)[at : at + 97])
            await client.writer.drain()
        for _ in range(3):
            assert (await client.read()).item_statuses() == [201]
        assert receiver.stats.documents == 3
        client.writer.write(b"nonsense\r\n\r\n")
        assert (await client.read()).status == 400
        assert (await client.read()).status == 0

    play(Receiver(), scenario)
    play(Receiver(Options(chunked=True)), scenario)


def test_control_routes() -> None:
    """Counters, documents and comparisons can be asked for, and forgotten."""

    async def scenario(_: Receiver, client: Client) -> None:
        await client.bulk(rows(ONE, ONE, ids="aa"))
        got = (await client.ask("GET", "/_test/stats")).json()
        assert (got["rows"], got["documents"], got["duplicates_by_id"]) == (2, 1, 1)
        assert got["item_statuses"] == {"201": 1, "409": 1}
        assert isinstance(got["cpu_s"], float)
        documents = orjson.loads((await client.ask("GET", "/_test/docs?n=5")).body)
        assert documents == [{"index": "app", "id": "a", "document": orjson.loads(ONE)}]
        assert (await client.ask("POST", "/_test/faults", b'[{"do":"dance"}]')).status == 400
        assert (await client.ask("POST", "/_test/faults", b'[{"du":1}]')).status == 400
        assert (await client.ask("POST", "/_test/faults", b"[{")).status == 400
        assert (await client.ask("GET", "/_test/docs?n=x")).status == 400
        assert (await client.ask("GET", "/_test/nothing")).status == 404
        assert (await client.ask("POST", "/_test/reset")).status == 200
        got = (await client.ask("GET", "/_test/stats")).json()
        assert (got["rows"], got["documents"]) == (0, 0)

    play(Receiver(), scenario)
