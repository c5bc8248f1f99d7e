"""What Elasticsearch and OpenSearch answer, and what it means: the two outcome tables, as data.

Knows statuses and the servers' error types (both products' names). Must not know how a reply is
read. In both tables the first rule that fits decides; the last one fits everything.
"""

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from logagent.core.chunk import NextStep

Why = Literal[
    "",
    "unreachable",
    "tls",
    "ambiguous",
    "unavailable",
    "busy",
    "server_error",
    "disk_full",
    "configuration",
    "credentials",
    "too_large",
    "malformed",
    "redirect",
]
"""All values of `Verdict.why`. server_error: the caller may count its repetitions and give up."""

SLOW: Final[frozenset[str]] = frozenset(
    {"configuration", "credentials", "disk_full", "redirect", "tls"}
)
"""Reasons that only a person ends: repeat slowly, and say so."""

PROMPTNESS: Final[tuple[Why, ...]] = (
    "ambiguous",
    "unavailable",
    "busy",
    "server_error",
    "disk_full",
    "configuration",
)
"""When rows of one request wait for different reasons, the one nearest to the front names the
retry: rows that may go soon don't wait for those that a person must free."""

ItemFate = Literal["delivered", "duplicate", "rejected", "retry"]


class Answer(NamedTuple):
    """What is known of a refusal: the HTTP status, the server's error type, its text."""

    status: int
    kind: str = ""
    reason: str = ""


class When(NamedTuple):
    """Which answers a rule is for: statuses from..to, types (empty = any), and a pattern at the
    start of the reason. Patterns match the server's own words only: a reason can quote the
    document further on, and no line may choose its own fate."""

    low: int
    high: int
    kinds: frozenset[str] = frozenset()
    reason: str = ""

    def covers(self, status: int, kind: str) -> bool:
        """Whether the rule can be for an answer of this status and type."""
        return self.low <= status <= self.high and (not self.kinds or kind in self.kinds)

    def fits(self, answer: Answer) -> bool:
        """Whether the rule is for `answer`."""
        return self.covers(answer.status, answer.kind) and (
            not self.reason or re.match(self.reason, answer.reason) is not None
        )


class ItemRule(NamedTuple):
    """The fate of one row in a reply of 200."""

    when: When
    fate: ItemFate
    why: Why = ""


class RequestRule(NamedTuple):
    """What to do about a request that was refused as a whole. `halve` of a single row is the
    rejection of that row."""

    when: When
    step: NextStep
    why: Why


ANYTHING: Final = When(0, 0)
"""The last rule's, which is for whatever is left."""

HTML: Final = "html"
"""The kind of a refusal whose body is a web page: it comes from a proxy, not from the sink."""

_BLOCK: Final = frozenset({"cluster_block_exception"})
_CANCELLED: Final = frozenset({"task_cancelled_exception"})
_DISK_FULL_BEFORE_7: Final = r"index \[[^\]]*\] blocked by: \[FORBIDDEN/12/"
_NO_PIPELINE: Final = r"pipeline with id \["
_PARAMETER: Final = r"request \[[^\]]*\] contains unrecognized parameter"
_CONFLICT: Final = frozenset({"version_conflict_engine_exception"})

ITEM_RULES: Final[tuple[ItemRule, ...]] = (
    ItemRule(When(200, 201), "delivered"),
    # With `create` and our own id: this very row is there already. Without ids: see `item_fate`.
    ItemRule(When(409, 409, _CONFLICT), "duplicate"),
    # TOO_MANY_REQUESTS/12: the disk's flood stage; anything else with 429 is load.
    ItemRule(When(429, 429, _BLOCK), "retry", "disk_full"),
    ItemRule(When(429, 429), "retry", "busy"),
    ItemRule(When(403, 403, _BLOCK, _DISK_FULL_BEFORE_7), "retry", "disk_full"),
    # Not the row's fault: it goes as soon as somebody opens the index or gives the privilege.
    ItemRule(When(401, 401), "retry", "configuration"),
    ItemRule(When(403, 404), "retry", "configuration"),
    ItemRule(
        When(400, 400, frozenset({"index_closed_exception", "invalid_index_name_exception"})),
        "retry",
        "configuration",
    ),
    ItemRule(
        When(400, 400, frozenset({"illegal_argument_exception"}), _NO_PIPELINE),
        "retry",
        "configuration",
    ),
    # A time-out that some versions dress as the client's fault.
    ItemRule(When(400, 400, _CANCELLED), "retry", "unavailable"),
    ItemRule(When(408, 408), "retry", "unavailable"),
    ItemRule(When(413, 413), "rejected", "too_large"),
    # document_parsing_exception (mapper_parsing_exception in OpenSearch and before 8.9),
    # illegal_argument_exception (limit of fields), strict_dynamic_mapping_exception …
    ItemRule(When(400, 499), "rejected"),
    ItemRule(When(502, 504), "retry", "unavailable"),
    ItemRule(When(500, 599), "retry", "server_error"),
    ItemRule(ANYTHING, "retry", "ambiguous"),
)

REQUEST_RULES: Final[tuple[RequestRule, ...]] = (
    RequestRule(When(300, 399), "hold", "redirect"),
    RequestRule(When(400, 400, _CANCELLED), "again", "unavailable"),
    # A parameter that this server doesn't know, a media type that it doesn't speak, a proxy's
    # page ("plain HTTP request was sent to HTTPS port"): halving would reject every single row.
    RequestRule(
        When(400, 400, frozenset({"illegal_argument_exception"}), _PARAMETER),
        "hold",
        "configuration",
    ),
    RequestRule(
        When(400, 400, frozenset({"media_type_header_exception", HTML})), "hold", "configuration"
    ),
    RequestRule(When(400, 400), "halve", "malformed"),
    RequestRule(When(403, 403, _BLOCK), "hold", "configuration"),
    RequestRule(When(401, 401), "credentials", "credentials"),
    RequestRule(When(403, 403), "credentials", "credentials"),
    RequestRule(When(408, 408), "again", "unavailable"),
    RequestRule(When(413, 413), "halve", "too_large"),
    RequestRule(When(429, 429, _BLOCK), "again", "disk_full"),
    RequestRule(When(429, 429), "again", "busy"),
    RequestRule(When(400, 499), "hold", "configuration"),
    RequestRule(When(502, 504), "again", "unavailable"),
    RequestRule(When(500, 599), "again", "server_error"),
    RequestRule(ANYTHING, "again", "ambiguous"),
)

_KIND: Final = re.compile(r"[a-z0-9_]{1,64}")


def item_fate(answer: Answer, *, ids: bool) -> tuple[ItemFate, Why]:
    """What `answer` means for its row. Without our ids a conflict is no proof that it is there."""
    rule = item_rule(answer)
    return ("rejected" if rule.fate == "duplicate" and not ids else rule.fate), rule.why


def item_rule(answer: Answer) -> ItemRule:
    """The first rule that fits. A reply has thousands of items and few kinds of them."""
    rules = _item_rules(answer.status, answer.kind)
    if not rules[0].when.reason:
        return rules[0]
    return next((rule for rule in rules if rule.when.fits(answer)), rules[-1])


@lru_cache(maxsize=128)
def _item_rules(status: int, kind: str) -> tuple[ItemRule, ...]:
    """The rules that can be for an answer, and the last one."""
    return (*(rule for rule in ITEM_RULES if rule.when.covers(status, kind)), ITEM_RULES[-1])


def request_rule(answer: Answer) -> RequestRule:
    """What to do about a request that was answered by `answer` as a whole."""
    return next((rule for rule in REQUEST_RULES if rule.when.fits(answer)), REQUEST_RULES[-1])


def safe_kind(answer: Answer) -> str:
    """The error type, as far as it looks like one, fit for a log line or a label."""
    return answer.kind if _KIND.fullmatch(answer.kind) else f"status_{answer.status}"
