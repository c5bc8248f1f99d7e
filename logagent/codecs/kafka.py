"""Kafka: how rows are framed, and what becomes of them when they are sent.

Knows the form of a request. What holds for a file is in `kafka_plan`, how rows become batches in
`kafka_pieces`, what codes mean in `kafka_outcomes`. Must not know a broker: how many partitions a
topic has is asked of whoever sends.

A request is made of rows as the render leaves them, uncompressed: a line with the event's id if
there are ids, and the document. In front of each chunk's rows is a line of JSON with what holds for
all rows of a file (topic, key, path …): see `HEAD`. Rows become records
only when they are sent, because only then it is known which partitions there are, and because a
batch of records can't be taken apart for a retry.
"""

from collections.abc import Callable

import msgspec

from logagent.codecs.kafka_outcomes import judge_codes
from logagent.codecs.kafka_pieces import Pieces, join_rows, split_rows
from logagent.codecs.kafka_plan import KafkaSettings, Plan
from logagent.codecs.kafka_records import Piece, Tools
from logagent.codecs.packing import PlainPacker
from logagent.core.chunk import Frame, Origin, Reply, Request, Verdict
from logagent.core.deadletter import DeadLetter


class KafkaPacker(PlainPacker):
    """A request's body: chunks of rows, each behind its file's line."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan

    def add(self, wire: bytes, origin: Origin | None = None) -> None:
        """Append rendered rows."""
        assert origin is not None, "a row's file says where it goes"
        super().add(self._plan.head(origin))
        super().add(wire)


class KafkaCodec:
    """Rows that become records when they are sent."""

    def __init__(self, settings: KafkaSettings, tools: Tools) -> None:
        self._plan = Plan(settings, tools)
        self._frame = Frame(b"", b"\n" if settings.id_header else b"", b"\n")

    def frame(self, origin: Origin) -> Frame:  # noqa: ARG002 - the packer adds what differs
        """An id and a document, a line each."""
        return self._frame

    def packer(self) -> KafkaPacker:
        """A packer for a new batch."""
        return KafkaPacker(self._plan)

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """What `reply` means for the rows of `request`. Never raises, whatever the bytes are.

        status 200: `body` is one little-endian int16 a row: 0 = acknowledged, else Kafka's error
        code, -2 = outcome unknown, -3 = not sent.
        """
        return judge_codes(request, reply, transactional=self._plan.settings.transactional)

    def split(self, request: Request) -> list[bytes]:
        """The rows of a request, each with its file's line in front."""
        return split_rows(request, self._plan.lines)

    def pack(self, rows: list[bytes]) -> Request:
        """A request of these rows (as `split` returns them)."""
        return join_rows(rows)

    def document(self, row: bytes) -> bytes:
        """The JSON document inside a row, without newline."""
        return row[row.rindex(b"\n", 0, -1) + 1 : -1]

    def event_id(self, row: bytes) -> bytes:
        """The event's id inside a row, b"" if rows have none."""
        return row.split(b"\n", 2)[1] if self._plan.settings.id_header else b""

    def to_dead(self, letter: DeadLetter) -> bytes:
        """A row for the topic of dead letters: keyed by the file, with the event's id."""
        stamp = b'{"@timestamp":%b,' % msgspec.json.encode(letter.time)
        spelled = letter.id.encode() + b"\n" if self._plan.settings.id_header else b""
        return b"%b%b%b%b\n" % (
            self._plan.dead_head(letter.file),
            spelled,
            stamp,
            msgspec.json.encode(letter)[1:],
        )

    def split_pieces(self, request: Request, partitions: Callable[[str], int]) -> list[Piece]:
        """The rows as batches, each row in exactly one, in the request's order per partition.

        partitions: how many partitions a topic has; 0 = there is no such topic.
        """
        return Pieces(self._plan, partitions).of(request)
