"""What a Kafka output's options come to, and what its rows' first lines say.

Knows topic, key and headers of a file's records. Must not know which rows are in a batch.
"""

from functools import lru_cache
from typing import Final, Literal, NamedTuple

import orjson
from msgspec import Struct

from logagent.codecs.kafka_records import (
    CODES,
    TRANSACTIONAL,
    Compression,
    RecordBatch,
    Tools,
    encode_headers,
)
from logagent.codecs.naming import Template
from logagent.core.chunk import Origin

HEAD: Final = b"\x1e"
"""How a file's line starts (ASCII's record separator): no row starts with it, and JSON has none."""

_POD: Final = ("namespace", "pod")


class KafkaSettings(Struct, frozen=True, kw_only=True):
    """What an output's options come to.

    key: whose rows stay together; key_field: the dotted name of the field whose text is the key
    ("" = none), then `key` is for rows without it. headers: of each record; id_header, file_header:
    names of those with the event's id and with the file's path, "" = none. dead_topic: for dead
    letters.
    """

    topic: Template
    key: Literal["file", "none"] = "file"
    key_field: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    id_header: str = "logagent-id"
    file_header: str = ""
    compression: Compression = "zstd"
    max_message_bytes: int = 1_000_000
    transactional: bool = False
    dead_topic: str = ""


class Place(NamedTuple):
    """What the first line of a file's rows says. lead: see `times_ms`. topic "": each row chooses,
    with these names."""

    topic: str
    key: bytes | None
    path: bytes
    lead: int
    names: dict[str, str]


class Plan:
    """What is the same for all requests of an output."""

    def __init__(self, settings: KafkaSettings, tools: Tools) -> None:
        self.settings = settings
        self.tools = tools
        self.lines = 2 if settings.id_header else 1
        """Of a row."""
        self._attributes = CODES[settings.compression]
        if settings.transactional:
            self._attributes |= TRANSACTIONAL
        self._static = [(name.encode(), value.encode()) for name, value in settings.headers]
        # Files are few.
        self.place = lru_cache(maxsize=256)(self._place)
        self.headers = lru_cache(maxsize=256)(self._headers)

    def head(self, origin: Origin) -> bytes:
        """The line in front of a file's rows; what it says is the same for all of them."""
        topic = self.settings.topic
        # Where an app's own keys start in a document: behind `{`, the metadata and a comma.
        lead = 1 + len(origin.metadata) + bool(origin.metadata)
        said: list[object] = [file_key(origin), origin.path, lead]
        if topic.constant:
            said.insert(0, topic.fill(origin.names))
        else:
            names = {name: origin.names[name] for name in topic.names if name in origin.names}
            said = ["", *said, names]
        return HEAD + orjson.dumps(said) + b"\n"

    def dead_head(self, path: str) -> bytes:
        """The line in front of a dead letter about a row of a file."""
        return HEAD + orjson.dumps([self.settings.dead_topic, path, path, 1]) + b"\n"

    def batch(self, parts: list[bytes], count: int, times_ms: tuple[int, int]) -> RecordBatch:
        """The batch of records whose first and highest time are `times_ms`."""
        return RecordBatch(
            self.tools.compress(parts),
            count,
            times_ms,
            attributes=self._attributes,
            crc32c=self.tools.crc32c,
        )

    def _place(self, head: bytes) -> Place:
        """What a line of `head` says."""
        topic, key, path, lead, *names = orjson.loads(head.removeprefix(HEAD))
        kept = key.encode() if self.settings.key == "file" else None
        return Place(topic, kept, path.encode(), lead, names[0] if names else {})

    def _headers(self, path: bytes, id_size: int) -> bytes:
        """The headers of a file's records, without the id."""
        headers = list(self._static)
        if self.settings.file_header:
            headers.append((self.settings.file_header.encode(), path))
        return encode_headers(headers, self.settings.id_header.encode(), id_size)


def file_key(origin: Origin) -> str:
    """What tells a file from all others in the cluster: namespace/pod:path. The path alone is the
    same in each pod of a deployment, and would send all of them to one partition. Without a pod:
    node:path."""
    pod = "/".join(origin.names[name] for name in _POD if origin.names.get(name))
    where = pod if origin.names.get("pod") else origin.names.get("node", "")
    return f"{where}:{origin.path}" if where else origin.path
