"""The question: what the verdict on a reply costs, row by row."""

from __future__ import annotations

from bench.conftest import Measure
from bench.renderers import codec
from logagent.core.chunk import Reply, Request

ROWS = 12_000
"""Rows of a batch of 4 MiB."""
CREATED = b'{"create":{"status":201}}'
CONFLICT = b'{"create":{"status":409}}'


def judge(measure: Measure, items: list[bytes], *, ids: bool) -> None:
    """Measure the verdict on these items."""
    body = b'{"errors":false,"took":30,"items":[' + b",".join(items) + b"]}"
    request = Request(b"", len(items), 0, gzipped=True)
    speak = codec(ids=ids)
    assert speak.judge(request, Reply(200, body)).step == "done"
    measure(lambda reply: speak.judge(request, Reply(200, reply)), [body] * 4, 4 * len(items))


def test_judge_all_created(measure: Measure) -> None:
    """Every row was created: one comparison."""
    judge(measure, [CREATED] * ROWS, ids=False)


def test_judge_one_duplicate(measure: Measure) -> None:
    """One row was there already, so all items are read."""
    judge(measure, [*[CREATED] * (ROWS - 1), CONFLICT], ids=True)
