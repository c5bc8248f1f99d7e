"""What a plain HTTP status means for the rows of a request, for servers that say nothing more.

Knows numbers only: such a server takes all rows or none. The table is data, the first rule that
fits decides; a user's own rules stand in front of it. Must not raise, whatever the bytes are.
Source of the statuses: RFC 9110 §15, RFC 6585 §4 (429), RFC 8470 §5.2 (425), RFC 4918 §11 (507).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from logagent.codecs.outcomes import Why
from logagent.codecs.refusal import REASON_MAX, why_fault
from logagent.core.chunk import Rejection, Reply, Request, Verdict

Fate = Literal["delivered", "rejected", "halve", "retry", "credentials", "hold"]
"""delivered: every row is there. rejected: no row will ever be taken. halve: some row won't be, or
there are too many: find out by halves, a single one is rejected. retry: the same again.
credentials: the same after reading secrets again. hold: only a person helps."""


class StatusRule(NamedTuple):
    """What statuses from `low` to `high` mean."""

    low: int
    high: int
    fate: Fate
    why: Why = ""


RULES: Final[tuple[StatusRule, ...]] = (
    StatusRule(200, 299, "delivered"),
    StatusRule(300, 399, "hold", "redirect"),
    StatusRule(400, 400, "halve", "malformed"),
    StatusRule(401, 401, "credentials", "credentials"),
    StatusRule(403, 403, "credentials", "credentials"),
    StatusRule(408, 408, "retry", "unavailable"),
    StatusRule(413, 413, "halve", "too_large"),
    StatusRule(422, 422, "halve", "malformed"),
    StatusRule(425, 425, "retry", "unavailable"),
    StatusRule(429, 429, "retry", "busy"),
    StatusRule(400, 499, "hold", "configuration"),
    StatusRule(507, 507, "retry", "disk_full"),
    StatusRule(502, 504, "retry", "unavailable"),
    StatusRule(500, 599, "retry", "server_error"),
    StatusRule(0, 999, "retry", "ambiguous"),
)
"""The last rule is for what is no final status at all."""

_WHY: Final[Mapping[Fate, Why]] = {
    "halve": "malformed",
    "retry": "unavailable",
    "credentials": "credentials",
    "hold": "configuration",
}
"""Why, where a user's rule gives a status another fate than the table."""

_BOM: Final = b"\xef\xbb\xbf"
_RANGE: Final = re.compile(r"([1-5])xx|([1-5][0-9]{2})")


def own_rules(fates: Mapping[Fate, Sequence[int | str]]) -> tuple[StatusRule, ...]:
    """A user's statuses (200, "5xx") as rules, single ones in front of classes. Raises ValueError
    for what is no status."""
    rules = []
    for fate, statuses in fates.items():
        for status in statuses:
            match = _RANGE.fullmatch(str(status))
            if match is None:
                raise ValueError(f"{status!r} is not a status such as 409 or 5xx")
            low = int(match[1]) * 100 if match[1] else int(match[2])
            high = low + 99 if match[1] else low
            known = rule_of(low, RULES)
            why = known.why if known.fate == fate else _WHY.get(fate, "")
            rules.append(StatusRule(low, high, fate, why))
    return tuple(sorted(rules, key=lambda rule: rule.high - rule.low))


def rule_of(status: int, rules: Sequence[StatusRule]) -> StatusRule:
    """The first rule that is for a status."""
    found = (rule for rule in rules if rule.low <= status <= rule.high)
    return next(found, RULES[-1])


class StatusJudge:
    """Judges replies by their status. own: a user's rules, in front of the table."""

    def __init__(self, own: Sequence[StatusRule] = ()) -> None:
        self._own = frozenset(own)
        self._rules = (*own, *RULES)

    def __call__(self, request: Request, reply: Reply) -> Verdict:
        """What `reply` means for the rows of `request`."""
        if reply.fault:
            return judge_fault(reply)
        rule = rule_of(reply.status, self._rules)
        about_rows = rule.why == "malformed" or rule.fate == "delivered"
        if about_rows and rule not in self._own and is_page(reply.body):
            # A proxy's, which doesn't know what we speak: each single row would be rejected, or
            # none stored behind a sign-in form. (A 413 is mostly a proxy's too, and right.)
            rule = StatusRule(rule.low, rule.high, "hold", "configuration")
        rejected = rule.fate == "rejected" or (rule.fate == "halve" and request.rows == 1)
        if rejected:
            return reject_all(request, reply, rule.why or f"status_{reply.status}")
        match rule.fate:
            case "delivered":
                return Verdict("done", delivered=request.rows)
            case "retry":
                return Verdict("again", why=rule.why)
            case "halve" | "credentials" | "hold":
                return Verdict(rule.fate, why=rule.why)
        raise AssertionError("a rejection was dealt with")


def is_page(body: bytes) -> bool:
    """Whether a body is a web page, or XML."""
    return body.removeprefix(_BOM).lstrip()[:1] == b"<"


def judge_fault(reply: Reply) -> Verdict:
    """The verdict when no complete answer came."""
    why = why_fault(reply)
    # A certificate that isn't trusted: only other files help, so they are read again.
    return Verdict("hold" if why == "tls" else "again", why=why)


def reject_all(request: Request, reply: Reply, kind: str) -> Verdict:
    """The verdict that no row of the request will ever be taken."""
    reason = reply.body[: 4 * REASON_MAX].decode("utf-8", "replace")[:REASON_MAX]
    each = tuple(Rejection(row, reply.status, kind, reason) for row in range(request.rows))
    return Verdict("done", rejected=each)
