"""What a collector of Splunk's says of its health, of a token, and of acknowledgements.

Knows that an event's end point answers an empty body with "no data" when the token is good: that
writes nothing. Whether the token may write to an index can't be asked without an event. Must not
send an event.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from logagent.cli.asking import Finding
from logagent.cli.asking.client import Answer, Client
from logagent.codecs.splunk import PATH
from logagent.codecs.splunk_reply import read_answer
from logagent.config import SplunkHec
from logagent.edge.secrets import splunk
from logagent.ends.trust import secret_of

HEALTH: Final = "/services/collector/health"
ACK: Final = "/services/collector/ack"
CHANNEL: Final = "00000000-0000-4000-8000-000000000000"
"""A channel to ask in; nothing is ever sent over it."""

NO_DATA, HEALTHY, ACK_DISABLED = 5, 17, 14


def ask(output: SplunkHec) -> Iterator[Finding]:
    """What can be said of a collector, for each host: health, token, acknowledgements."""
    try:
        token = output.token_file or output.token_env
        made = (
            splunk(secret_of(output.token_file, output.token_env, os.environ))() if token else None
        )
        client = Client(output, made)
    except (OSError, ValueError) as error:
        yield Finding(str(error), good=False)
        return
    for url in output.endpoints():
        health = _health(url, client.get(url + HEALTH))
        yield health
        if health.good:
            token_good = _token(url, client.send("POST", url + PATH, headers=_headers()))
            yield token_good
            if token_good.good and output.acks != "never":
                body = b'{"acks":[0]}'
                place = f"{url}{ACK}?channel={CHANNEL}"
                answer = client.send("POST", place, body, _headers())
                yield _acks(output, url, answer)
    if output.index:
        yield Finding(
            f"index {output.index}: whether the token may write to it shows the first line"
        )


def _headers() -> dict[str, str]:
    return {"Content-Type": "application/json", "X-Splunk-Request-Channel": CHANNEL}


def _health(url: str, answer: Answer) -> Finding:
    code = _code(answer)
    match answer.status:
        case 0:
            return Finding(f"{url}: {answer.why}", good=False)
        case 200 if code == HEALTHY:
            return Finding(f"{url}: a healthy collector")
        case 200:
            return Finding(f"{url}: reached; it takes Splunk's events, but isn't Splunk")
        case 401 | 403:
            return Finding(f"{url}: reached; it doesn't tell its health ({answer.status})")
        case 503:
            # It will take lines later, and they wait.
            return Finding(f"{url}: reached, but not healthy: {_text(answer)}")
        case status if 300 <= status < 400:
            return Finding(f"{url}: redirects ({status}); name the server itself", good=False)
        case 404:
            return Finding(f"{url}: has no collector (404); its port is 8088 as a rule", good=False)
        case _:
            return Finding(f"{url}: {_text(answer)}", good=False)


def _token(url: str, answer: Answer) -> Finding:
    match answer.status, _code(answer):
        case 0, _:
            return Finding(f"{url}: {answer.why}", good=False)
        case (400, 5) | (200, _):
            return Finding(f"{url}: takes the token")
        case 401 | 403, _:
            return Finding(f"{url}: refuses the token: {_text(answer)}; see token_file", good=False)
        case 503 | 429, _:
            return Finding(f"{url}: doesn't say whether it takes the token: {_text(answer)}")
        case _:
            return Finding(f"{url}: refuses events: {_text(answer)}", good=False)


def _acks(output: SplunkHec, url: str, answer: Answer) -> Finding:
    needed = output.acks == "required"
    if answer.status == 200 and b'"acks"' in answer.body:
        return Finding(f"{url}: lines are done when they are indexed (indexer acknowledgement)")
    if answer.status in (400, 404, 405):
        text = "the token has no indexer acknowledgement"
        if needed:
            return Finding(f"{url}: {text}, but acks is required: no line is sent", good=False)
        return Finding(f"{url}: {text}: lines are done when the collector has received them")
    return Finding(
        f"{url}: can't be asked about acknowledgements: {_text(answer)}", good=not needed
    )


def _code(answer: Answer) -> int | None:
    read = read_answer(answer.body)
    return None if read is None else read.code


def _text(answer: Answer) -> str:
    """What an answer says, in the collector's words if they are such."""
    read = read_answer(answer.body)
    if read is None or not read.text.isprintable():
        return f"it answers {answer.status}" if answer.status else answer.why
    return f"{read.text[:100]} ({answer.status}, code {read.code})"
