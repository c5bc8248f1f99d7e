"""From a request's rows to Kafka's batches: a piece for each partition, none too large.

Knows how `kafka.KafkaCodec` lays out a request, and which partition a row goes to. Must not know
what is in a record (`kafka_records`), nor a broker.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from io import BytesIO
from itertools import groupby
from typing import Final

from logagent.codecs.columns import documents_of, field_texts
from logagent.codecs.kafka_partition import partition_of
from logagent.codecs.kafka_plan import HEAD, Place, Plan
from logagent.codecs.kafka_records import Columns, Piece, encode_key, encode_records
from logagent.codecs.kafka_stamps import read_times, spell_hour
from logagent.core.chunk import Request

STEP_BYTES: Final = 256 * 1024
"""How much of a body becomes records at a time: what the steps work on stays in the cache."""

_STICKY_BYTES: Final = 64
"""So much of a request's first row chooses the partition of rows without a key."""
_NEWLINE: Final = 0x0A
_HOUR_MS: Final = 3_600_000
_RECORD_BYTES: Final = 40
"""More than the lengths and numbers of a record take."""


class _Growing:
    """A batch in the making. partition -1: rows of a topic that there isn't."""

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.count = 0
        self.bytes = 0
        self.first_ms = self.highest_ms = 0
        self._ranges: list[range] = []
        self._parts: list[bytes] = []

    def add(self, rows: Columns, indices: range | list[int]) -> None:
        """Append rows, the request's rows `indices`."""
        if not self.count:
            self.first_ms = self.highest_ms = rows.times.first()
        self.highest_ms = max(self.highest_ms, rows.times.highest())
        part = encode_records(rows, self.count, self.first_ms)
        self._parts.append(part)
        self.bytes += len(part)
        self.note(indices)

    def note(self, indices: range | list[int]) -> None:
        """Take down rows without making records of them."""
        runs = [indices] if isinstance(indices, range) else [range(i, i + 1) for i in indices]
        for run in runs:
            if self._ranges and self._ranges[-1].stop == run.start:
                self._ranges[-1] = range(self._ranges[-1].start, run.stop)
            else:
                self._ranges.append(run)
        self.count += len(indices)

    def rows(self) -> range | tuple[int, ...]:
        """The rows in it."""
        if len(self._ranges) == 1:
            return self._ranges[0]
        return tuple(index for run in self._ranges for index in run)

    def parts(self) -> list[bytes]:
        """The records, in parts; they aren't kept."""
        parts, self._parts = self._parts, []
        return parts


class Pieces:
    """The pieces of one request. sticky: what chooses the partition of rows without a key; "" = the
    request's first row."""

    def __init__(
        self, plan: Plan, partitions: Callable[[str], int], *, sticky: bytes = b""
    ) -> None:
        self._plan = plan
        self._partitions = lru_cache(maxsize=None)(partitions)
        self._sticky = sticky
        self._now_ns = plan.tools.now_ns()
        self._made: list[_Growing] = []
        self._open: dict[tuple[str, int], _Growing] = {}

    def of(self, request: Request) -> list[Piece]:
        """All rows of the request."""
        body, lines = request.body, self._plan.lines
        start = body.index(b"\n") + 1
        self._sticky = self._sticky or body[start : start + _STICKY_BYTES]
        first = 0
        for head, wire in steps(body, lines):
            texts = _lines(wire)
            documents, ids = (texts[1::2], texts[::2]) if lines == 2 else (texts, [])
            for low, high in _runs(ids) if ids else ((0, len(documents)),):
                self._take(first + low, head, documents[low:high], ids[low:high])
            first += len(documents)
        assert first == request.rows, "a body has another number of rows than its request"
        return [piece for growing in self._made for piece in self._seal(growing, request)]

    def _take(self, first: int, head: bytes, documents: list[bytes], ids: list[bytes]) -> None:
        """Rows of one file, whose ids are of one length."""
        settings, place = self._plan.settings, self._plan.place(head)
        rows = Columns(
            documents=documents,
            times=read_times(documents, self._now_ns, place.lead),
            ids=ids,
            headers=self._plan.headers(place.path, len(ids[0]) if ids else 0),
            key=encode_key(place.key),
            keys=[],
        )
        if settings.key_field or not place.topic:
            self._scatter(first, rows, place)
        else:
            indices = range(first, first + len(documents))
            self._put((place.topic, self._partition(place.topic, place.key)), rows, indices)

    def _scatter(self, first: int, rows: Columns, place: Place) -> None:
        """Rows that choose their topic, their key or both. About 0.7 µs a row more for each."""
        settings, count = self._plan.settings, len(rows.documents)
        whole = documents_of(rows.documents)
        keys = [place.key] * count
        if settings.key_field:
            texts = field_texts(whole, settings.key_field)
            keys = [place.key if t is None else t.encode("utf-8", "replace") for t in texts]
            rows = rows._replace(keys=list(map(encode_key, keys)))
        topics = [place.topic] * count
        if not place.topic:
            topics = self._topics(rows, whole, place)
        pairs = list(zip(topics, keys, strict=True))
        known = {pair: (pair[0], self._partition(*pair)) for pair in set(pairs)}
        groups: dict[tuple[str, int], list[int]] = {}
        for row, pair in enumerate(pairs):
            groups.setdefault(known[pair], []).append(row)
        for target, members in groups.items():
            indices = [first + row for row in members]
            self._put(target, rows if len(members) == count else rows.pick(members), indices)

    def _topics(self, rows: Columns, whole: bytes, place: Place) -> list[str]:
        """The topic of each row."""
        topic = self._plan.settings.topic
        chosen = {
            name: list(map(choice.of, field_texts(whole, choice.field)))
            for name, choice in topic.choices.items()
        }
        if not topic.dated:
            return topic.fill_each(place.names, "", chosen)
        hours = [time // _HOUR_MS for time in rows.times.each()]
        spelled = {hour: spell_hour(hour) for hour in set(hours)}
        return topic.fill_each(place.names, [spelled[hour] for hour in hours], chosen)

    def _partition(self, topic: str, key: bytes | None) -> int:
        partitions = self._partitions(topic)
        return partition_of(self._sticky if key is None else key, partitions) if partitions else -1

    def _put(self, target: tuple[str, int], rows: Columns, indices: range | list[int]) -> None:
        growing = self._open.get(target)
        if growing is None or self._is_full(growing, rows):
            growing = self._open[target] = _Growing(*target)
            self._made.append(growing)
        if growing.partition < 0:
            growing.note(indices)
        else:
            growing.add(rows, indices)

    def _is_full(self, growing: _Growing, rows: Columns) -> bool:
        """Whether rows would make a batch too large. Only known when it isn't compressed."""
        if self._plan.settings.compression != "none" or not growing.bytes:
            return False
        fixed = len(rows.headers) + len(rows.key) + _RECORD_BYTES
        more = sum(map(len, rows.documents)) + sum(map(len, rows.keys)) + sum(map(len, rows.ids))
        total = growing.bytes + more + fixed * len(rows.documents)
        return total > self._plan.settings.max_message_bytes

    def _seal(self, growing: _Growing, request: Request) -> Iterator[Piece]:
        rows = growing.rows()
        if growing.partition < 0:
            yield Piece(growing.topic, -1, rows, None)
            return
        batch = self._plan.batch(
            growing.parts(), growing.count, (growing.first_ms, growing.highest_ms)
        )
        if batch.size() <= self._plan.settings.max_message_bytes or len(rows) == 1:
            yield Piece(growing.topic, growing.partition, rows, batch)
            return
        del batch
        yield from self._halves_slow(rows, request)

    def _halves_slow(self, rows: range | tuple[int, ...], request: Request) -> Iterator[Piece]:
        """The pieces of rows that are too many for one. Slow, and rare: logs shrink to a tenth."""
        split = split_rows(request, self._plan.lines)
        middle = len(rows) // 2
        for half in (rows[:middle], rows[middle:]):
            part = join_rows([split[row] for row in half])
            for piece in Pieces(self._plan, self._partitions, sticky=self._sticky).of(part):
                yield piece._replace(rows=tuple(half[row] for row in piece.rows))


def split_rows(request: Request, lines: int) -> list[bytes]:
    """The rows of a request, each behind its file's line; `lines` without that."""
    rows: list[bytes] = []
    for head, wire in steps(request.body, lines):
        texts = list(BytesIO(wire))
        rows += [head + b"".join(texts[at : at + lines]) for at in range(0, len(texts), lines)]
    assert len(rows) == request.rows, "a body has another number of rows than its request"
    return rows


def join_rows(rows: list[bytes]) -> Request:
    """A request of rows of `split_rows`."""
    parts: list[bytes] = []
    last = b""
    for row in rows:
        start = row.index(b"\n") + 1
        if row[:start] != last:
            last = row[:start]
            parts.append(last)
        parts.append(row[start:])
    body = b"".join(parts)
    return Request(body, len(rows), len(body), gzipped=False)


def steps(body: bytes, lines: int) -> Iterator[tuple[bytes, bytes]]:
    """Pieces of a body, some whole rows each, and the line in front of them. lines: a row's."""
    end = 0
    while end < len(body):
        start = body.index(b"\n", end) + 1
        head = body[end:start]
        end = body.find(HEAD, start)
        # One byte is found ten times as fast as two. In a document there should be none.
        while end > 0 and body[end - 1] != _NEWLINE:
            end = body.find(HEAD, end + 1)
        end = end if end > 0 else len(body)
        while start < end:
            # A row's document is the only line that starts with a brace.
            cut = body.find(b"\n{", start + STEP_BYTES, end) + 1
            if cut and lines == 2:
                cut = body.rindex(b"\n", 0, cut - 1) + 1
            yield head, body[start : cut or end]
            start = cut or end


def _lines(wire: bytes) -> list[bytes]:
    """Lines without the white space at their ends: an app's own is of no meaning there.

    155 ns a row of 540 bytes with its id; `split`, which looks at each byte, takes 240.
    """
    return list(map(bytes.rstrip, BytesIO(wire)))


def _runs(ids: list[bytes]) -> Iterator[tuple[int, int]]:
    """Stretches of rows whose ids are of one length: nearly always all."""
    sizes = list(map(len, ids))
    low = 0
    if sizes.count(sizes[0]) == len(sizes):
        yield 0, len(sizes)
        return
    for _, run in groupby(sizes):
        high = low + sum(1 for _ in run)
        yield low, high
        low = high
