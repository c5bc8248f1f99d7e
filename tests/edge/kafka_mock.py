"""librdkafka's mock cluster: brokers in this process, with errors on demand.

It stands inside the library that comes with confluent-kafka, which doesn't show it to Python; its C
functions (src/rdkafka_mock.h) are called by ctypes. It keeps records and checks their CRC, but no
sequence numbers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import files
from typing import Final

import confluent_kafka

PRODUCE: Final = 0
METADATA: Final = 3
INIT_PRODUCER_ID: Final = 22
ADD_PARTITIONS_TO_TXN: Final = 24
END_TXN: Final = 26
NO_LEADER: Final = -1

_TEXT_BYTES: Final = 512


def _library() -> ctypes.CDLL:
    """The librdkafka that confluent-kafka has loaded already."""
    found = files("confluent-kafka") or ()
    path = next(file for file in found if file.name.startswith("librdkafka"))
    library = ctypes.CDLL(str(path.locate()))
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    signatures: dict[str, tuple[object, list[object]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, text, ctypes.c_size_t]),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_topic_set_error": (None, [pointer, text, number]),
        "rd_kafka_mock_partition_set_leader": (
            number,
            [pointer, text, ctypes.c_int32, ctypes.c_int32],
        ),
        "rd_kafka_mock_broker_set_down": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_rtt": (number, [pointer, ctypes.c_int32, number]),
        "rd_kafka_mock_push_request_errors_array": (
            None,
            [pointer, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(number)],
        ),
        "rd_kafka_mock_start_request_tracking": (None, [pointer]),
        "rd_kafka_mock_get_requests": (
            ctypes.POINTER(pointer),
            [pointer, ctypes.POINTER(ctypes.c_size_t)],
        ),
        "rd_kafka_mock_request_api_key": (ctypes.c_int16, [pointer]),
        "rd_kafka_mock_request_destroy_array": (
            None,
            [ctypes.POINTER(pointer), ctypes.c_size_t],
        ),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class MockKafka:
    """A running mock cluster; brokers are numbered from 1."""

    def __init__(self, library: ctypes.CDLL, cluster: int) -> None:
        self._library = library
        self._cluster = cluster
        self.servers: tuple[str, ...] = tuple(
            library.rd_kafka_mock_cluster_bootstraps(cluster).decode().split(",")
        )

    def create(self, topic: str, partitions: int = 1, replicas: int = 1) -> None:
        """Create a topic."""
        self._call("topic_create", topic.encode(), partitions, replicas)

    def refuse(self, topic: str, code: int) -> None:
        """Answer questions about a topic's metadata with an error."""
        self._library.rd_kafka_mock_topic_set_error(self._cluster, topic.encode(), code)

    def lead(self, topic: str, broker: int, partition: int = 0) -> None:
        """Make a broker the leader of a partition, or NO_LEADER."""
        self._call("partition_set_leader", topic.encode(), partition, broker)

    def down(self, *brokers: int) -> None:
        """Stop brokers: connections are closed, new ones refused."""
        for broker in brokers:
            self._call("broker_set_down", broker)

    def up(self, *brokers: int) -> None:
        """Start brokers again."""
        for broker in brokers:
            self._call("broker_set_up", broker)

    def delay(self, broker: int, milliseconds: int) -> None:
        """Let a broker's answers take so long."""
        self._call("broker_set_rtt", broker, milliseconds)

    def fail(self, api_key: int, *codes: int) -> None:
        """Answer the next requests of a kind with these codes, one each."""
        array = (ctypes.c_int * len(codes))(*codes)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, api_key, len(codes), array
        )

    def track(self) -> None:
        """Remember requests from now on."""
        self._library.rd_kafka_mock_start_request_tracking(self._cluster)

    def tracked(self) -> list[int]:
        """The kinds of the requests so far, in their order."""
        count = ctypes.c_size_t()
        requests = self._library.rd_kafka_mock_get_requests(self._cluster, ctypes.byref(count))
        keys = [
            self._library.rd_kafka_mock_request_api_key(requests[i]) for i in range(count.value)
        ]
        self._library.rd_kafka_mock_request_destroy_array(requests, count)
        return keys

    def _call(self, name: str, *arguments: object) -> None:
        code = getattr(self._library, f"rd_kafka_mock_{name}")(self._cluster, *arguments)
        assert code == 0, f"{name}{arguments}: {code}"


@contextmanager
def mock_kafka(brokers: int = 1) -> Iterator[MockKafka]:
    """A mock cluster as long as the block lasts."""
    library = _library()
    why = ctypes.create_string_buffer(_TEXT_BYTES)
    configuration = library.rd_kafka_conf_new()
    library.rd_kafka_conf_set(configuration, b"log_level", b"2", why, _TEXT_BYTES)
    client = library.rd_kafka_new(0, configuration, why, _TEXT_BYTES)
    assert client, why.value
    cluster = library.rd_kafka_mock_cluster_new(client, brokers)
    try:
        yield MockKafka(library, cluster)
    finally:
        library.rd_kafka_mock_cluster_destroy(cluster)
        library.rd_kafka_destroy(client)


def read_back(servers: Sequence[str], topic: str, *, settled: bool = True) -> list[bytes]:
    """The values of all records of a topic, partition after partition, CRCs checked. settled:
    without those of transactions that aren't committed."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": ",".join(servers),
            "group.id": "reader",
            "check.crcs": True,
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "isolation.level": "read_committed" if settled else "read_uncommitted",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, each, 0) for each in partitions])
        values: dict[int, list[bytes]] = {each: [] for each in partitions}
        open_ends = set(partitions)
        while open_ends:
            message = consumer.poll(10)
            assert message is not None, "a record or an end comes within 10 s"
            error, partition = message.error(), message.partition()
            assert partition is not None
            if error is not None:
                assert error.code() == confluent_kafka.KafkaError._PARTITION_EOF, error
                open_ends.discard(partition)
            else:
                values[partition].append(message.value() or b"")
        return [value for each in sorted(values) for value in values[each]]
    finally:
        consumer.close()
