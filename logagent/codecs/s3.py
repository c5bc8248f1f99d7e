"""S3: how batches become objects, what they are called, and what the store's answers mean.

Knows keys and error codes. Must not know hosts, buckets or credentials. Source: Amazon S3 API
Reference, "Error responses" and "PutObject"; "Creating object key names" of its User Guide. MinIO,
Ceph and others use the same codes.

An object's name is made of what is in it: of its first row the agent's names and the hour, and a
hash of the body. So the same batch is the same object however often it is sent.
"""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from logagent.codecs.columns import SECOND_NS, times_ns
from logagent.codecs.naming import Legal, Template
from logagent.codecs.outcomes import Why
from logagent.codecs.packing import GzipPacker, PlainPacker, RowPacking
from logagent.codecs.statuses import is_page, judge_fault, reject_all
from logagent.core.chunk import Frame, NextStep, Origin, Reply, Request, Verdict

KEY: Final = Legal(r"a-zA-Z0-9!_.=/\-", 900, starts="/")
"""What no client, shell or query engine stumbles over; S3 allows 1024 bytes, and a name follows."""

_FRAME: Final = Frame(head=b"", middle=b"", tail=b"\n")
_ROWS_PER_STEP: Final = 1024
_NO_TIME: Final = -1
_EPOCH_HOUR: Final = "1970-01-01T00"


class Named(Request, frozen=True):
    """A request whose object goes below `folder`: the filled-in template."""

    folder: str


class ObjectPacker:
    """A body that remembers the folder of its first row."""

    def __init__(self, inner: PlainPacker | GzipPacker, template: Template) -> None:
        self._inner = inner
        self._template = template
        self._folder = ""
        self.raw_bytes = 0

    def add(self, wire: bytes, origin: Origin) -> None:
        """Append rendered rows."""
        if not self._folder and wire:
            first = wire[: wire.index(b"\n") + 1]
            self._folder = self._template.fill(origin.names, hour_of(first))
        self._inner.add(wire, origin)
        self.raw_bytes = self._inner.raw_bytes

    def close(self, rows: int) -> Named:
        """End the body; the packer is used up."""
        return _named(self._inner.close(rows), self._folder)


class S3Codec(RowPacking):
    """NDJSON objects. template: the key's first part; raises ValueError as `bad_key` says.

    A row of `split` has its folder on a line in front, so that its halves stay where it was.
    """

    def __init__(self, template: str, *, gzip: bool) -> None:
        super().__init__(lines=1, gzip=gzip)
        self._template = Template(template, KEY)
        self._suffix = ".ndjson.gz" if gzip else ".ndjson"

    @property
    def names(self) -> frozenset[str]:
        """The agent's names in the template."""
        return self._template.names

    def frame(self, origin: Origin) -> Frame:  # noqa: ARG002 - all files alike
        """A document and its newline."""
        return _FRAME

    def packer(self) -> ObjectPacker:  # type: ignore[override] # the inner one, wrapped
        """A packer for a new batch."""
        return ObjectPacker(super().packer(), self._template)

    def key(self, request: Request, digest: str, copy: int) -> str:
        """The object's key. digest: of the body, in hexadecimal; copy: of how many other objects
        with this very content the name is taken."""
        assert isinstance(request, Named), "requests are packed in here"
        return f"{request.folder}{digest[:32]}{f'-{copy}' if copy else ''}{self._suffix}"

    def judge(self, request: Request, reply: Reply) -> Verdict:
        """See `Codec.judge`."""
        return judge_store(request, reply)

    def split(self, request: Request) -> list[bytes]:
        """The rows of a request, as `pack` takes them: two lines each."""
        assert isinstance(request, Named), "requests are packed in here"
        folder = request.folder.encode() + b"\n"
        return [folder + row for row in super().split(request)]

    def pack(self, rows: list[bytes]) -> Named:
        """A request of these rows (as `split` returns them)."""
        folder = rows[0][: rows[0].index(b"\n")].decode()
        packer = super().packer()
        for at in range(0, len(rows), _ROWS_PER_STEP):
            some = rows[at : at + _ROWS_PER_STEP]
            packer.add(b"".join([row[row.index(b"\n") + 1 :] for row in some]))
        return _named(packer.close(len(rows)), folder)

    def document(self, row: bytes) -> bytes:
        """The JSON document inside a row, without newline."""
        return row[row.index(b"\n") + 1 :].removesuffix(b"\n")


def _named(request: Request, folder: str) -> Named:
    return Named(request.body, request.rows, request.raw_bytes, request.gzipped, folder)


def hour_of(document: bytes) -> str:
    """The UTC hour of one line's `@timestamp`, like "2026-11-24T10"; that of 1970 for a line
    without a time that can be read."""
    times = times_ns(document, 1, _NO_TIME)
    stamp = times.column(1)[0]
    if stamp < 0:
        return _EPOCH_HOUR
    try:
        return datetime.fromtimestamp(stamp // SECOND_NS, UTC).strftime("%Y-%m-%dT%H")
    except (ValueError, OverflowError):
        return _EPOCH_HOUR


class StoreRule(NamedTuple):
    """What answers of these statuses and error codes (empty = any) mean."""

    low: int
    high: int
    codes: frozenset[str]
    step: NextStep
    why: Why = ""


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


ANY: Final[frozenset[str]] = frozenset()
RULES: Final[tuple[StoreRule, ...]] = (
    StoreRule(200, 204, ANY, "done"),
    # The bucket is in another region: its name is in the answer, see `detail_of`.
    StoreRule(300, 399, ANY, "hold", "redirect"),
    StoreRule(400, 499, _codes("AuthorizationHeaderMalformed"), "hold", "redirect"),
    # The clocks differ by more than 15 minutes: no other key helps.
    StoreRule(400, 499, _codes("RequestTimeTooSkewed"), "hold", "configuration"),
    StoreRule(400, 400, _codes("ExpiredToken InvalidToken"), "credentials", "credentials"),
    StoreRule(400, 400, _codes("TokenRefreshRequired"), "credentials", "credentials"),
    StoreRule(400, 400, _codes("RequestTimeout"), "again", "unavailable"),
    StoreRule(400, 499, _codes("SlowDown ThrottlingException"), "again", "busy"),
    # Damaged on its way: the same bytes again.
    StoreRule(
        400,
        400,
        _codes("BadDigest IncompleteBody InvalidDigest XAmzContentSHA256Mismatch"),
        "again",
        "ambiguous",
    ),
    StoreRule(400, 499, _codes("EntityTooLarge MaxMessageLengthExceeded"), "halve", "too_large"),
    StoreRule(401, 401, ANY, "credentials", "credentials"),
    # AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch, AccountProblem …
    StoreRule(403, 403, ANY, "credentials", "credentials"),
    StoreRule(408, 408, ANY, "again", "unavailable"),
    # OperationAborted, ConditionalRequestConflict: somebody else was writing.
    StoreRule(409, 409, ANY, "again", "unavailable"),
    StoreRule(413, 413, ANY, "halve", "too_large"),
    StoreRule(429, 429, ANY, "again", "busy"),
    # A store doesn't look into objects, so no row is at fault: NoSuchBucket, InvalidBucketName,
    # InvalidStorageClass, a policy that wants encryption …
    StoreRule(400, 499, ANY, "hold", "configuration"),
    StoreRule(500, 599, _codes("SlowDown SlowDownWrite ServerBusy"), "again", "busy"),
    StoreRule(500, 599, _codes("XMinioStorageFull QuotaExceeded"), "again", "disk_full"),
    StoreRule(507, 507, ANY, "again", "disk_full"),
    StoreRule(502, 504, ANY, "again", "unavailable"),
    StoreRule(500, 599, ANY, "again", "server_error"),
    StoreRule(0, 999, ANY, "again", "ambiguous"),
)

_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")
_PLACE: Final = re.compile(
    rb"<(?:Region>([a-z0-9-]{1,32})</Region|Endpoint>([a-z0-9.-]{1,100})</Endpoint)>"
)
_ERROR_BYTES: Final = 16 << 10
"""An error's body has less than 1 KiB. No XML parser: nothing is expanded, nested or fetched."""


def judge_store(request: Request, reply: Reply) -> Verdict:
    """What `reply` means for the rows of `request`. Never raises, whatever the bytes are."""
    if reply.fault:
        return judge_fault(reply)
    code = error_code(reply.body)
    rule = rule_of(reply.status, code)
    if rule.step == "done":
        if is_page(reply.body):
            if code:
                return Verdict("again", why="ambiguous", detail=code)
            # A success has no page: something in between answered, not the store. By halves each
            # row would become an object.
            return Verdict("hold", why="configuration")
        return Verdict("done", delivered=request.rows)
    if rule.step == "halve" and request.rows == 1:
        return reject_all(request, reply, rule.why)
    return Verdict(rule.step, why=rule.why, detail=detail_of(code, reply.body))


def rule_of(status: int, code: str) -> StoreRule:
    """The first rule for a status and an error code."""
    found = (r for r in RULES if r.low <= status <= r.high and (not r.codes or code in r.codes))
    return next(found, RULES[-1])


def error_code(body: bytes) -> str:
    """The code of an error document, "" if there is none."""
    match = _CODE.search(body, 0, _ERROR_BYTES)
    return match[1].decode() if match else ""


def detail_of(code: str, body: bytes) -> str:
    """What to tell a person: the code, and where the store says that the bucket is."""
    match = _PLACE.search(body, 0, _ERROR_BYTES)
    place = (match[1] or match[2]).decode() if match else ""
    return " ".join(part for part in (code, f"(it is in {place})" if place else "") if part)
