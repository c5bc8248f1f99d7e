"""The fast routes are taken where they should be: none of them is dead."""

from __future__ import annotations

import json

import pytest

from logagent.core.chunk import Frame, Mark, Rows
from logagent.render import splice
from logagent.render.edit import Editor
from logagent.render.framing import Opening
from logagent.render.metadata import build
from logagent.render.program import Renderer, Spec, compile_program

NOW = 1_795_000_000.5
FRAME = Frame(b'{"create":{}}\n', b"", b"\n")
IDS = Frame(b'{"create":{"_id":"', b'"}}\n', b"\n")
META = build("ecs", {"POD_NAME": "p", "SERVICE_NAME": "s"}, {"team": "t"}, path=b"/a.log")


class Edited(AssertionError):
    """The careful route was taken."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Renderer:
    """Make a renderer whose careful route raises."""

    def refuse(
        self: Editor, raw: bytes, start: int, now: float, mark: Mark, *, singly: bool = False
    ) -> Rows:
        raise Edited(raw)

    monkeypatch.setattr(Editor, "render", refuse)
    return compile_program(Spec("auto")).bind(META, FRAME, 7)


@pytest.mark.parametrize(
    "lines",
    [
        ['{"@timestamp":"2026-11-24T10:00:00Z","a":1}'] * 3,
        ['{"a":1}', '{"b":"{}"}'],
        ['{"a":{"b":[{}]}}', '{"b":{}}'],
        ['{"a":1,"time":"2026-11-24T10:00:00.1Z"}', '{"b":1,"time":"2026-11-24T10:00:00.123Z"}'],
        ['{"ts":1700000000.25}', '{"ts":"noon"}'],
        ['{"a":1}', '{"@timestamp":"x"}', '{"time":"2026-11-24T10:00:00Z"}'],
        ['{"team":"x","a":1}', '{"team":"y","a":1}'],
        ['{"team":"x","a":1}', '{"a":1}', '{"team.name":1}'],
        ['{"service":"x"}', '{"service.name":"x"}', '{"log":{"level":1}}', '{"log.level":"info"}'],
        ['{"a":"team","b":["service"],"c":"kubernetes","d":{"kubernetes":1,"team":2}}'] * 2,
        ['{"a":"\\u003cb\\u003e \\u00e9","b":"schön"}'] * 2,
        ["plain", 'GET "x" \\ ü', "", "{", "100%"],
    ],
)
def test_fast_routes(made: Renderer, lines: list[str]) -> None:
    """Chunks like these never need the careful route; only text does, here for a line of `{`."""
    data = "".join(f"{line}\n" for line in lines).encode()
    if "{" in lines:
        with pytest.raises(Edited):
            made.render(data, 0, NOW)
        data = data.replace(b"{\n", b"(\n")
    for _ in range(3):
        rows = made.render(data, 0, NOW)
        assert rows is not None
        assert rows.count == len([line for line in lines if line])


@pytest.mark.parametrize(
    "line",
    [
        '{"kubernetes":1}', '{"kubernetes.pod.name":1}', '{"k8s.pod":1}', '{"\\u006b8s.pod":1}',
        '{"logagent":{}}', '{"data_stream.type":"x"}', '{"a":1', "text", '{"a":1}{"b":2}', "",
    ],
)  # fmt: skip
def test_careful_route(made: Renderer, line: str) -> None:
    """One line that could forge, or isn't JSON, sends its chunk to the careful route."""
    with pytest.raises(Edited):
        made.render(b'{"a":1}\n' + line.encode() + b'\n{"a":1}\n', 0, NOW)


def test_flat_lines_are_one_replace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines without inner objects aren't taken apart, with ids and several shapes neither."""
    made = compile_program(Spec("auto")).bind(META, IDS, 7)

    def refuse(self: Opening, bodies: list[bytes]) -> bytes:
        raise Edited(bodies)

    monkeypatch.setattr(Opening, "join", refuse)
    for _ in range(3):
        made.render(b'{"@timestamp":"x","a":"100%"}\n{"@timestamp":"y"}\n', 0, NOW)
        made.render(b'{"team":1}\n{"b":2}\n', 0, NOW)
    with pytest.raises(Edited):
        made.render(b'{"a":{"b":1}}\n', 0, NOW)


def test_flat_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a chunk that isn't flat others are taken apart for a while, then it is tried again."""
    tried: list[bytes] = []
    monkeypatch.setattr(splice, "flat_wire", lambda data, *_, **__: tried.append(data))
    made = compile_program(Spec("auto")).bind(META, FRAME, 7)
    for _ in range(splice.FLAT_RETRY * 2 + 1):
        made.render(b'{"a":{"b":1}}\n', 0, NOW)
    assert len(tried) == 3


def test_lines_of_text_between_json() -> None:
    """Few lines of text between JSON cost themselves, and all stay in order."""
    made = compile_program(Spec("auto")).bind(META, FRAME, 7)
    lines = [f'{{"n":{at}}}' if at % 4 else f"text {at}" for at in range(40)]
    rows = made.render("".join(f"{line}\n" for line in lines).encode(), 0, NOW)
    assert rows is not None
    documents = [json.loads(line) for line in rows.wire.split(b"\n")[1::2]]
    assert [each.get("n", each.get("message")) for each in documents] == [
        at if at % 4 else f"text {at}" for at in range(40)
    ]
    assert rows.malformed == 0
