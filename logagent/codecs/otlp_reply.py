"""What a reply to OTLP/HTTP logs means for the rows of its request.

Source: opentelemetry-proto docs/specification.md, "OTLP/HTTP Response" (full success: 200 without
partialSuccess; partial success: 200 with rejectedLogRecords and errorMessage, which must not be
sent again; 0 rejected with a message is a warning; retryable: 429, 502, 503, 504; 400: never), and
proto/collector/logs/v1/logs_service.proto. Must not raise, whatever the bytes are.

Three decisions, all for lines that must not be lost:

- A partial success says how many records were refused and not which. Sent again in halves, records
  that were taken would be doubled a dozen times, and the specification forbids it. So all rows of
  such a request are rejected as `partial_success`: dead letters hold what was refused, and what was
  taken as well; with ids they can be told apart later (`log.record.uid`).
- A 400 refuses a request whole: halves find the records that it was for. They are other requests.
- 500 and other 5xx are sent again, though only three of them are called retryable: whoever gives up
  then has lost the lines.
"""

from typing import Final

import msgspec
from msgspec import Struct

from logagent.codecs.refusal import REASON_MAX
from logagent.codecs.statuses import StatusJudge, is_page, judge_fault, reject_all
from logagent.core.chunk import Rejection, Reply, Request, Verdict


class _Partial(Struct):
    """`ExportLogsPartialSuccess`: a 64-bit number is text or a number in JSON."""

    rejected: int | float | str | None = msgspec.field(default=0, name="rejectedLogRecords")
    message: str | None = msgspec.field(default="", name="errorMessage")


class _Response(Struct):
    """`ExportLogsServiceResponse`."""

    partial: _Partial | None = msgspec.field(default=None, name="partialSuccess")


_RESPONSE: Final = msgspec.json.Decoder(_Response)
_UNREADABLE: Final = (ValueError, RecursionError)
_JUDGE: Final = StatusJudge()
_NO_PATH: Final = b"unsupported path requested"
"""VictoriaLogs' way to say 404: by halves, each row would be rejected for it."""
_OPENING: Final = 300
_REJECTED: Final = b"rejectedLogRecords"
"""A success that has this and can't be read may be a partial one: rows are kept as for one."""


def judge_logs(request: Request, reply: Reply) -> Verdict:
    """What `reply` means for the rows of `request`."""
    if reply.fault:
        return judge_fault(reply)
    if reply.status == 400 and _NO_PATH in reply.body[:_OPENING]:
        return Verdict("hold", why="configuration")
    if reply.status != 200:
        return _JUDGE(request, reply)
    if is_page(reply.body):
        # A page: whatever answers at this path, it took no logs.
        return Verdict("hold", why="configuration")
    try:
        partial = _RESPONSE.decode(reply.body).partial
        rejected = _number(partial.rejected) if partial else 0
    except _UNREADABLE:
        if _REJECTED in reply.body:
            return reject_all(request, reply, "partial_success")
        # What isn't such a reply says nothing against a 200: many receivers answer nothing, or a
        # word.
        partial, rejected = None, 0
    if partial is None or rejected <= 0:
        return Verdict("done", delivered=request.rows)
    if rejected >= request.rows:
        return reject_all(request, reply, "rejected")
    said = partial.message or ""
    reason = f"{rejected} of {request.rows} records were refused, and not which: {said}"
    each = tuple(
        Rejection(row, 200, "partial_success", reason[:REASON_MAX]) for row in range(request.rows)
    )
    return Verdict("done", rejected=each)


def _number(value: float | str | None) -> int:
    """A count as JSON has it; raises ValueError for what is none."""
    return int(value or 0)
