"""What the admin port answers: metrics, liveness, readiness, and why nothing flows.

Knows how to say what the agent's parts know. Must not know sockets, nor show content or secrets.
"""

import html
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec

from logagent.core.files import escape
from logagent.core.metrics import CONTENT_TYPE
from logagent.descriptors import Descriptors
from logagent.pipeline import Pipeline


class Answer(NamedTuple):
    """Status, content type, body."""

    status: int
    content_type: str
    body: bytes


class View(Protocol):
    """What the routes need of the agent."""

    descriptors: Descriptors
    pipelines: dict[str, Pipeline]
    stopping: bool

    def measure(self) -> bytes:
        """The metrics' text."""


def routes(agent: View) -> Mapping[str, Callable[[], Answer]]:
    """All GET routes. None of them changes anything."""
    return {
        "/metrics": lambda: Answer(200, CONTENT_TYPE, agent.measure()),
        # That it answers at all is the heartbeat: sinks never affect it, and it stays while
        # draining.
        "/livez": lambda: Answer(200, "text/plain", b"ok\n"),
        "/healthz": lambda: Answer(200, "text/plain", b"ok\n"),
        "/readyz": lambda: _ready(agent),
        "/caughtup": lambda: _caught_up(agent),
        "/status.json": lambda: Answer(
            200, "application/json", msgspec.json.encode(status(agent)) + b"\n"
        ),
        "/": lambda: Answer(200, "text/html; charset=utf-8", _page(agent)),
    }


def status(agent: View) -> dict[str, object]:
    """Outputs and files, with what is in the way of each, for people and programs."""
    return {
        "stopping": agent.stopping,
        "outputs": {name: pipeline.status() for name, pipeline in agent.pipelines.items()},
        "not_read": [
            {"path": f"{root}/{escape(path)}" if path else root, "code": f.code, "why": f.text}
            for (root, path), f in sorted(agent.descriptors.faults.items())
        ],
    }


def _ready(agent: View) -> Answer:
    """Information for people: the chart ties no probe to it."""
    why = [f"output {n}: positions aren't durable" for n, p in agent.pipelines.items() if p.stuck]
    if not agent.pipelines:
        why.append("no output runs yet")
    body = "".join(f"{line}\n" for line in why) or "ok\n"
    return Answer(503 if why else 200, "text/plain", body.encode())


def _caught_up(agent: View) -> Answer:
    lag = sum(pipeline.lag_bytes() for pipeline in agent.pipelines.values())
    return Answer(503 if lag else 200, "text/plain", f"{lag} bytes behind\n".encode())


def _page(agent: View) -> bytes:
    """The status as a page: the JSON, readable, without scripts or styles from elsewhere."""
    text = msgspec.json.format(msgspec.json.encode(status(agent)), indent=2).decode()
    links = " · ".join(f'<a href="{p}">{p}</a>' for p in ("/metrics", "/readyz", "/status.json"))
    return (
        "<!doctype html><meta charset=utf-8><title>logagent</title>"
        f"<h1>logagent</h1><p>{links}</p><pre>{html.escape(text)}</pre>\n"
    ).encode()
