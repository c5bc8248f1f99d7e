"""What Loki's replies to a push mean for its rows.

Source: grafana.com/docs/loki/latest/operations/request-validation-rate-limits (reasons and their
statuses) and grafana/loki: pkg/validation/validate.go (the texts), pkg/ingester/stream.go
("entry with timestamp T ignored, reason: 'R', … total ignored: N out of M for stream: S"),
pkg/distributor/http.go (204, and the error as plain text).

Loki stores what is valid of a request and answers 400 or 429 for the rest, so a refusal says
nothing about a single row. Sending rows twice is harmless: an entry with the same time and line is
kept once, as long as its chunk is open. So a 400 goes on in halves until single rows are refused,
unless the text says that all were ignored; a 429 is sent again as a whole. An ingester answers for
the last stream of a request only (pkg/ingester/instance.go), so the sink sends each stream alone,
and a refusal stands for all of them. Must not raise, whatever the bytes are.
"""

import re
from typing import Final, NamedTuple

from logagent.codecs.outcomes import Why
from logagent.codecs.statuses import StatusJudge, StatusRule, is_page, judge_fault, reject_all
from logagent.core.chunk import Reply, Request, Verdict


class Kind(NamedTuple):
    """One reason why rows are refused: how its text starts, and its name in metrics."""

    pattern: re.Pattern[bytes]
    name: str


KINDS: Final[tuple[Kind, ...]] = (
    Kind(re.compile(rb"entry too far behind"), "too_far_behind"),
    Kind(re.compile(rb"entry out of order|out of order"), "out_of_order"),
    Kind(re.compile(rb"has timestamp too old"), "greater_than_max_sample_age"),
    Kind(re.compile(rb"has timestamp too new"), "too_far_in_future"),
    Kind(re.compile(rb"Max entry size "), "line_too_long"),
    Kind(re.compile(rb"structured metadata too large"), "structured_metadata_too_large"),
    Kind(re.compile(rb"too many structured metadata"), "structured_metadata_too_many"),
)
"""Reasons that are in the row; names as in the metric `loki_discarded_samples_total`."""

CONFIGURATION: Final[tuple[re.Pattern[bytes], ...]] = (
    re.compile(rb"(?i)error parsing labels|couldn't parse labels|label name"),
    re.compile(rb"at least one label pair is required"),
    re.compile(rb"has label value too long|has duplicate label name"),
    re.compile(rb"includes structured metadata, but this feature is disallowed"),
    re.compile(rb"missing required labels|ingestion blocked for user"),
    re.compile(rb"unsupported path requested"),  # VictoriaLogs' way to say 404
    re.compile(rb"no org id|multiple org IDs|is not a valid tenant|tenant ID is"),
)
"""Refusals that hold for every row of the output: labels, tenant, what the server doesn't allow.
By halves each single row would be rejected; somebody has to change an option."""

_STREAM_LIMIT: Final = re.compile(rb"Maximum active stream limit exceeded")
_IGNORED: Final = re.compile(rb"total ignored: ([0-9]{1,9}) out of ([0-9]{1,9}) for stream")
_TEXT_MAX: Final = 64 * 1024
_OPENING: Final = 300
"""Bytes of a text in which its own words are looked for: further on it quotes labels."""

RULES: Final[tuple[StatusRule, ...]] = (StatusRule(500, 599, "retry", "unavailable"),)
"""A 500 is an ingester that isn't there ("at least 2 live replicas required")."""

_JUDGE: Final = StatusJudge(RULES)


def judge_push(request: Request, reply: Reply) -> Verdict:
    """What `reply` means for the rows of `request`."""
    if reply.fault:
        return judge_fault(reply)
    text = reply.body[:_TEXT_MAX]
    match reply.status:
        case 400 if is_page(text):
            return Verdict("hold", why="configuration")
        case 400:
            return _judge_bad(request, reply, text)
        case 429:
            limit = "stream_limit" if _STREAM_LIMIT.search(text, 0, _OPENING) else ""
            # Streams come free when others end; only fewer labels make it go sooner.
            why: Why = "configuration" if limit else "busy"
            return Verdict("again", why=why, detail=limit)
        case _:
            return _JUDGE(request, reply)


def _judge_bad(request: Request, reply: Reply, text: bytes) -> Verdict:
    kind = next((each.name for each in KINDS if each.pattern.search(text, 0, _OPENING)), "")
    if not kind and any(each.search(text, 0, _OPENING) for each in CONFIGURATION):
        return Verdict("hold", why="configuration")
    if request.rows == 1 or _all_ignored(request, text):
        return reject_all(request, reply, kind or "malformed")
    return Verdict("halve", why="malformed", detail=kind)


def _all_ignored(request: Request, text: bytes) -> bool:
    """Whether each row was refused: the text has one stream's count, and it is all of them."""
    found = _IGNORED.findall(text)
    return len(found) == 1 and all(int(each) == request.rows for each in found[0])
