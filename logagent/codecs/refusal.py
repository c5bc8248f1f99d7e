"""What it means when a request isn't answered by 200, or not at all; and how errors are read.

Knows the form of the error bodies of Elasticsearch and OpenSearch, and that a proxy's looks
different. Must not know what a reply about single rows looks like. Must not raise.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from logagent.codecs.outcomes import HTML, Answer, Why, request_rule, safe_kind
from logagent.core.chunk import Rejection, Reply, Request, Verdict

REASON_MAX: Final = 500
"""Characters kept of a rejection's reason; servers quote documents in it."""

KIND_MAX: Final = 100
"""Characters kept of an error's type: more than any server's longest."""

UNREADABLE: Final = (ValueError, RecursionError)
"""What msgspec raises on any bytes: its own errors and those about UTF-8 are ValueErrors."""


class _Error(Struct):
    type: str | None = None
    reason: str | None = None


class _Body(Struct):
    error: Raw = msgspec.field(default_factory=Raw)


_ERROR: Final = msgspec.json.Decoder(_Error)
_BODY: Final = msgspec.json.Decoder(_Body)


def why_fault(reply: Reply) -> Why:
    """Why there is no complete answer; ambiguous when the sink may have taken the request."""
    if reply.sent:
        return "ambiguous"
    if reply.fault.startswith("secret"):
        return "credentials"
    return "tls" if reply.fault.startswith("tls") else "unreachable"


def judge_refusal(request: Request, reply: Reply) -> Verdict:
    """The verdict on a request that was answered, but not by 200."""
    answer = Answer(reply.status, *_refusal(reply.body))
    rule = request_rule(answer)
    if rule.step == "halve" and request.rows == 1:
        kind = answer.kind if rule.why == "malformed" and answer.kind else rule.why
        kind = safe_kind(answer._replace(kind=kind))
        rejection = Rejection(0, answer.status, kind, answer.reason[:REASON_MAX])
        return Verdict("done", rejected=(rejection,))
    return Verdict(rule.step, why=rule.why, detail=safe_kind(answer) if answer.kind else "")


def read_error(raw: Raw) -> tuple[str, str]:
    """Type and reason of an error object. One that isn't an object of texts has no type, and is
    its own reason."""
    data = bytes(raw)
    try:
        error = _ERROR.decode(data)
    except UNREADABLE:
        return "", data[: 4 * REASON_MAX].decode("utf-8", "replace")
    return (error.type or "")[:KIND_MAX], error.reason or ""


def _refusal(body: bytes) -> tuple[str, str]:
    """Type and reason of an error body; ("html", "") for what isn't the sink's JSON: a web page, or
    the words of a server that knows no such path; ("", "") for anything else."""
    if body.lstrip()[:1] not in {b"", b"{", b'"'}:
        return HTML, ""
    try:
        return read_error(_BODY.decode(body).error)
    except UNREADABLE:
        return "", ""
