"""What an OTLP receiver says when it is asked: a request without records, which writes nothing.

Knows what the answers to it mean. Must not send a record.

Source: opentelemetry-proto docs/specification.md, "Full Success": an empty request SHOULD be
answered with success.
"""

from __future__ import annotations

from collections.abc import Iterator

from logagent.cli.asking import Finding
from logagent.cli.asking.client import Answer, Client, each_host
from logagent.config import OtlpHttp

NOTHING = b'{"resourceLogs":[]}'


def ask(output: OtlpHttp) -> Iterator[Finding]:
    """What can be said of each host: reached, and whether it takes logs from us."""

    def export(client: Client, url: str) -> Answer:
        headers = {"Content-Type": "application/json"}
        return client.send("POST", url + output.path, NOTHING, headers)

    return each_host(output, export, _finding)


def _finding(url: str, answer: Answer) -> Finding:
    said = answer.body[:200].decode("utf-8", "replace").strip()
    match answer.status:
        case 0:
            return Finding(f"{url}: {answer.why}", good=False)
        case 200 if answer.body.lstrip()[:1] == b"<":
            return Finding(f"{url}: answers with a web page, not as a receiver does", good=False)
        case status if 200 <= status < 300:
            return Finding(f"{url}: takes logs ({status})")
        case 401 | 403:
            text = f"{url}: refuses the credentials ({answer.status}); see auth"
            return Finding(text, good=False)
        case 400 if "unsupported path" in said:
            return Finding(f"{url}: {said}; see path", good=False)
        case 404 | 405:
            text = f"{url}: takes no logs at this path ({answer.status}); see path"
            return Finding(text, good=False)
        case 415:
            return Finding(f"{url}: takes no OTLP as JSON (415), only protobuf", good=False)
        case 429 | 502 | 503 | 504:
            text = f"{url}: is there, but can't take logs just now ({answer.status})"
            return Finding(text)
        case status if 300 <= status < 400:
            return Finding(f"{url}: redirects ({status}); name the server itself", good=False)
        case status:
            return Finding(f"{url}: answers {status} to an empty request: {said}", good=False)
