"""Renderers for the tests: frames of each kind, metadata of each schema."""

from __future__ import annotations

import json
from typing import Literal

from logagent.core.chunk import Frame, Mark, Rows
from logagent.render.context import Refusal
from logagent.render.metadata import Metadata, build
from logagent.render.program import Renderer, Spec, compile_program

Kind = Literal["auto", "text", "json"]
NOW = 1_795_000_000.5
START = 4096
FORMATS: tuple[Kind, ...] = ("auto", "json", "text")

PLAIN = Frame(b'{"create":{}}\n', b"", b"\n")
WITH_IDS = Frame(b'{"create":{"_id":"', b'"}}\n', b"\n")
DATED = Frame(b"", b"", b"\n", lambda hour: b'{"create":{"_index":"a-%%-%b"}}\n' % hour.encode())
DATED_IDS = Frame(
    b"", b'"}}\n', b"\n", lambda hour: b'{"create":{"_index":"%b","_id":"' % hour.encode()
)
BARE = Frame(b"", b"", b"\n")
ODD = Frame(b'{"event":', b"", b',"x":"%b"}\n')
FRAMES = (PLAIN, WITH_IDS, DATED, DATED_IDS)

ECS = build(
    "ecs",
    {"POD_NAME": "checkout-1", "NODE_NAME": "node 100%b", "SERVICE_NAME": "checkout"},
    {"team": "pay\x7fments"},
    container="app",
    path=b"/var/log/app.log",
    data_stream={"type": "logs", "dataset": "checkout", "namespace": "prod"},
)
OTEL = build("otel", {"POD_NAME": "checkout-1"}, {"team": "x"}, path=b"/var/log/app.log")
NONE = build("none", {}, {})
METADATA = (ECS, OTEL, NONE)


def renderer(
    kind: Kind,
    meta: Metadata = ECS,
    frame: Frame = PLAIN,
    fields: tuple[str, ...] = Spec("auto").timestamp,
) -> Renderer:
    """Make a renderer of generation 7."""
    return compile_program(Spec(kind, timestamp=fields)).bind(meta, frame, 7)


def render(made: Renderer, data: bytes, start: int = START, mark: Mark = "") -> Rows:
    """Render what is never too dense."""
    rows = made.render(data, start, NOW, mark)
    assert rows is not None
    return rows


def carefully(made: Renderer, data: bytes, start: int = START, mark: Mark = "") -> Rows:
    """Render by the edit route alone."""
    rows = made.editor.render(data, start, NOW, mark, singly=True)
    assert not isinstance(rows, Refusal)
    return rows


def documents(wire: bytes) -> list[dict[str, object]]:
    """Decode every second line of a bulk body."""
    lines = wire.split(b"\n")
    assert lines.pop() == b""
    return [json.loads(line) for line in lines[1::2]]
