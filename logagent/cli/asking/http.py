"""What can be asked of an HTTP endpoint that may be anything: whether it is there.

Knows what OPTIONS can show. Must not send a body, nor know what the end point is.

OPTIONS, which changes nothing anywhere (RFC 9110 §9.2.1, safe). Not an empty body by the method
that lines are sent with: some servers take that for a line. What OPTIONS can't show is said: most
servers answer it without looking at credentials.
"""

from __future__ import annotations

from collections.abc import Iterator

from logagent.cli.asking import Finding
from logagent.cli.asking.client import Answer, Client, each_host
from logagent.config import Http


def ask(output: Http) -> Iterator[Finding]:
    """What each host says."""

    def options(client: Client, url: str) -> Answer:
        return client.send("OPTIONS", url + output.path)

    def finding(url: str, answer: Answer) -> Finding:
        return _finding(url + output.path.partition("?")[0], answer.status, answer.why)

    return each_host(output, options, finding)


def _finding(url: str, status: int, why: str) -> Finding:
    match status:
        case 0:
            return Finding(f"{url}: {why}", good=False)
        case 401 | 403:
            return Finding(f"{url}: refuses the credentials ({status}); see auth", good=False)
        case 404:
            return Finding(f"{url}: has no such path (404); see path", good=False)
        case status if 300 <= status < 400:
            return Finding(f"{url}: redirects ({status}); name the server itself", good=False)
        case status if status >= 500 and status != 501:
            return Finding(f"{url}: answers {status}: it is there and in trouble", good=False)
        case _:
            # 405 and 501: it doesn't know OPTIONS, but it is there.
            return Finding(f"{url}: reached ({status}); lines may still be refused")
