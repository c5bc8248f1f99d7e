"""A receiver for each kind of output but Elasticsearch: says what is wanted, counts, keeps nothing.

    python -m bench.receivers http

Prints {"port": N}; `GET /_count` tells how many rows came since the last time. Rows are counted by
a word that each line of the corpora has once. Kafka's is librdkafka's mock cluster, which counts by
offsets. It runs on another core than what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

from isal import isal_zlib

WORD: Final = b"corpus"
ANSWERS: Final = {
    "splunk_hec": (b"200 OK", b'{"text":"Success","code":0}'),
    "loki": (b"204 No Content", b""),
    "otlp_http": (b"200 OK", b"{}"),
    "http": (b"200 OK", b""),
    "s3": (b"200 OK", b""),
}
TOPIC: Final = "logs"


class Receiver(asyncio.Protocol):
    """One connection: requests with Content-Length, an answer each."""

    rows = 0

    def __init__(self, kind: str) -> None:
        self._status, self._body = ANSWERS[kind]
        self._data = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See Protocol."""
        # Not a subclass of WriteTransport on every loop, so no isinstance.
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Collect, and answer what is whole."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._data[:end]).lower()
            size = 0
            for line in head.split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name == b"content-length":
                    size = int(value)
            if len(self._data) < end + 4 + size:
                return
            body = bytes(self._data[end + 4 : end + 4 + size])
            del self._data[: end + 4 + size]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        status, answer = self._status, self._body
        if head.startswith(b"get /_count"):
            status, answer = b"200 OK", b"%d" % Receiver.rows
            Receiver.rows = 0
        else:
            plain = isal_zlib.decompress(body, wbits=31) if body[:2] == b"\x1f\x8b" else body
            Receiver.rows += plain.count(WORD)
        assert self._transport is not None
        length = b"" if status.startswith(b"204") else b"content-length: %d\r\n" % len(answer)
        self._transport.write(b"HTTP/1.1 %b\r\n%b\r\n%b" % (status, length, answer))


async def serve_http(kind: str) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Receiver(kind), "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


def serve_kafka() -> None:
    """Run a mock cluster; each line on stdin is answered by the number of records so far.

    It doesn't check sequence numbers; that is the simulator's and the real broker's business."""
    from confluent_kafka import Consumer, Producer, TopicPartition

    mock = Producer({"bootstrap.servers": "the mock's own", "test.mock.num.brokers": 1})
    mock.produce(TOPIC, b"makes the topic")
    mock.flush(10)
    (broker,) = mock.list_topics(timeout=10).brokers.values()
    consumer = Consumer({"group.id": "count", "bootstrap.servers": f"127.0.0.1:{broker.port}"})
    print(json.dumps({"port": broker.port}), flush=True)
    for _ in sys.stdin:
        known = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
        ends = [
            consumer.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=10)[1]
            for number in known
        ]
        print(sum(ends) - 1, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "kafka":
        serve_kafka()
    else:
        asyncio.run(serve_http(sys.argv[1]))
