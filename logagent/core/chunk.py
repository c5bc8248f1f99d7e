"""What travels along the path: chunk → rows → batch → request → reply → verdict.

Knows the shapes and what must hold between them. Must not know any format, codec or sink. No
object in here stands for a single line: the smallest thing that travels is a chunk.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from logagent.core.files import Guard, Position

Mark = Literal["", "truncated", "partial", "continued"]
"""What the agent says about all events of a chunk, under `logagent.*`: whole lines (""), an
over-long line cut at its limit, a last line without newline, the rest of such a line."""


class Outcome(Enum):
    """The final state of a row. Nothing else moves a cursor."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    FILTERED = "filtered"


class Chunk(Struct, frozen=True):
    """Whole events of one generation, read at `start`: what `cut` leaves for `render`.

    `data` ends in a newline unless `mark` is truncated or partial. `end` is where reading goes on;
    `end.offset` can be behind `start + len(data)` (a discarded rest) or at `start` (a last line
    that is sent at a stop and will be sent whole later). `anchor` guards what precedes `end`.
    """

    generation: int
    start: int
    data: bytes
    end: Position
    anchor: Guard
    mark: Mark = ""


class Ticket(Struct, frozen=True):
    """The promise for one chunk: raw bytes [start, end.offset) of a generation are settled when
    its `rows` rows are. The ledger owns what is still open."""

    generation: int
    start: int
    end: Position
    anchor: Guard
    rows: int


class Rows(Struct, frozen=True):
    """What `render` makes of a chunk: `wire` holds `count` rows in the output's framing.

    filtered: blank lines and lines dropped by a rule; malformed: rows marked `logagent.error`;
    shadowed: rows whose reserved keys were moved under `shadowed`.
    """

    wire: bytes
    count: int
    filtered: int = 0
    malformed: int = 0
    shadowed: int = 0


class Frame(Struct, frozen=True):
    """The constant bytes that a codec wants around each document.

    A row is `head + document + tail`, or, when `middle` isn't empty, `head + id + middle +
    document + tail`. `tail` ends in the row's newline. When `dated` is given, `head` is unused and
    `dated(hour)` makes it: `hour` is UTC, like "2026-11-24T10".
    """

    head: bytes
    middle: bytes
    tail: bytes
    dated: Callable[[str], bytes] | None = None


class Request(Struct, frozen=True):
    """One body, ready for the wire, with `rows` rows that were `raw_bytes` before compression."""

    body: bytes
    rows: int
    raw_bytes: int
    gzipped: bool


class Origin(Struct, frozen=True):
    """Where rows come from: what an output may name its streams, topics and indices after.

    path: the file's, escaped. names: what is the agent's to say, under the names that templates
    use (input, container, pod, namespace, node, service …), never anything out of a line; the
    unknown and the empty are left out. metadata: what the renderer puts into each document (see
    render/metadata.py), as members: a rejected row is wrapped with it.
    """

    input: str
    path: str
    generation: int
    names: Mapping[str, str]
    metadata: bytes = b""


class Share(NamedTuple):
    """`rows` consecutive rows of a batch that belong to the ticket `key` of the ledger."""

    key: int
    rows: int
    origin: Origin


class Batch(Struct, frozen=True):
    """A closed batch: a request and whose rows are in it, in the request's order."""

    request: Request
    shares: tuple[Share, ...]


class Reply(Struct, frozen=True):
    """What came back for one attempt.

    `fault` is empty when a complete answer was read. Otherwise it says why not, in a few words
    (refused, reset, time-out, tls …), `status` is 0, and `sent` tells whether any byte of the
    request may have been taken: then the outcome is ambiguous. A sink that isn't HTTP (file,
    stdout) answers 200 or a fault.
    """

    status: int
    body: bytes = b""
    retry_after_s: float = 0.0
    fault: str = ""
    sent: bool = False


class Rejection(NamedTuple):
    """A row that the sink will never take as it is. `kind` is safe to log, `reason` quotes it."""

    row: int
    status: int
    kind: str
    reason: str


NextStep = Literal["done", "retry", "again", "halve", "credentials", "hold"]
"""done: no row is open. retry: send `Verdict.retry` again. again: the outcome of the whole request
is open, send the same bytes. halve: too large, send two halves. credentials: read secrets again,
then send. hold: only a change of the sink's configuration helps; send again, slowly and loudly."""


class Verdict(Struct, frozen=True):
    """What a reply means for each row of its request (indices into the request's rows).

    delivered + duplicates + len(rejected) + len(retry) == request.rows, unless the step is again,
    halve, credentials or hold: then no row has an outcome. `why` is a short reason for logs and
    metric labels, `detail` what the sink called it (a status, an error's type; "" = nothing more
    is known): both free of content.
    """

    step: NextStep
    delivered: int = 0
    duplicates: int = 0
    redirected: int = 0
    rejected: tuple[Rejection, ...] = ()
    retry: tuple[int, ...] = ()
    why: str = ""
    detail: str = ""


class Packer(Protocol):
    """One open body: rows go in as they are rendered, compressed as they come."""

    @property
    def raw_bytes(self) -> int:
        """Size of the body so far, before compression."""

    def add(self, wire: bytes, origin: Origin) -> None:
        """Append rendered rows, framed by the codec's `frame(origin)`."""

    def close(self, rows: int) -> Request:
        """End the body; the packer is used up."""


class Codec(Protocol):
    """How an output speaks: framing, packing, and what its replies mean. Pure."""

    def frame(self, origin: Origin) -> Frame:
        """What the renderer puts around the documents of an origin. A codec whose rows need more
        than that, a time or a length, makes them of these in its packer."""

    def packer(self) -> Packer:
        """A packer for a new batch."""

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """What `reply` means for the rows of `request`. Never raises, whatever the bytes are."""

    def split(self, request: Request) -> list[bytes]:
        """The rows of a request, as `pack` takes them."""

    def pack(self, rows: list[bytes]) -> Request:
        """A request of these rows (as `split` returns them)."""

    def document(self, row: bytes) -> bytes:
        """The JSON document inside a row of `split`, without newline."""


class Wrapper(Protocol):
    """A codec that can give a refused row another form, for sinks that judge what is in it."""

    def wrap(self, row: bytes, metadata: bytes, *, kind: str, now: str) -> bytes:
        """The row again in a form that hardly a mapping refuses: same action and id; the document
        is `@timestamp` (its own if it is a date, else `now`), metadata, the raw document as a
        string in `message`, and `logagent.error: kind`."""

    def bare(self, row: bytes) -> bytes:
        """A row of `wrap` again with nothing that a line can have given another type: without
        metadata that isn't the agent's alone, and with the text in `logagent.message`."""

    def unwrap(self, row: bytes) -> bytes:
        """The document that a row of `wrap` or `bare` was made of, without newline."""
