"""What Loki says when it is asked: a push of nothing, which writes nothing.

Knows what the answers to it mean. Must not push an entry.

Source: grafana/loki pkg/distributor/distributor.go and pkg/validation/validate.go: a push without
streams is 204, or 422 with "at least one valid stream is required"; VictoriaLogs answers 200.
"""

from __future__ import annotations

from collections.abc import Iterator

from logagent.cli.asking import Finding
from logagent.cli.asking.client import Answer, Client, each_host
from logagent.config import Loki

NOTHING = b'{"streams":[]}'


def ask(output: Loki) -> Iterator[Finding]:
    """What can be said of each host: reached, and whether it takes pushes from us."""
    headers = {"Content-Type": "application/json"}
    if output.tenant:
        headers["X-Scope-OrgID"] = output.tenant

    def push(client: Client, url: str) -> Answer:
        return client.send("POST", url + output.path, NOTHING, headers)

    return each_host(output, push, _finding)


def _finding(url: str, answer: Answer) -> Finding:
    said = answer.body[:200].decode("utf-8", "replace").strip()
    match answer.status:
        case 0:
            return Finding(f"{url}: {answer.why}", good=False)
        case status if 200 <= status < 300:
            return Finding(f"{url}: takes pushes ({status})")
        case 400 | 422 if "at least one valid stream" in said:
            return Finding(f"{url}: takes pushes")
        case 401 if "org id" in said:
            return Finding(f"{url}: wants a tenant (401); see tenant", good=False)
        case 401 | 403:
            text = f"{url}: refuses the credentials ({answer.status}); see auth and tenant"
            return Finding(text, good=False)
        case 400 if "unsupported path" in said:
            return Finding(f"{url}: {said}; see path", good=False)
        case 404 | 405:
            text = f"{url}: has no push API at this path ({answer.status}); see path"
            return Finding(text, good=False)
        case 429:
            return Finding(f"{url}: takes pushes, but limits their rate just now (429)")
        case status if 300 <= status < 400:
            return Finding(f"{url}: redirects ({status}); name the server itself", good=False)
        case status:
            return Finding(f"{url}: answers {status} to an empty push: {said}", good=False)
