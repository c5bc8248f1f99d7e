"""Waiting for a configuration: alive, not ready, and gone on as soon as it is good."""

from __future__ import annotations

import asyncio
import http.client
import json

import pytest

from logagent.cli.waiting import Waiting
from logagent.config import Config, ConfigError, load
from logagent.edge.log import StderrLog
from tests.cli.conftest import Place

Lines = asyncio.Queue[dict[str, str]]


def waiting_for(place: Place, lines: Lines) -> Waiting:
    """A wait for a configuration that names an admin port, and has a problem."""
    place.config.write_text('agent: {admin: "127.0.0.1:0"}\nmetadata: {schema: no}\n' + INPUTS)
    paths = [str(place.config)]
    with pytest.raises(ConfigError) as raised:
        load(paths, {})
    log = StderrLog(write=lambda line: lines.put_nowait(json.loads(line)))
    return Waiting(paths, {}, raised.value, log=log, poll_s=0.01)


async def told(lines: Lines, message: str) -> dict[str, str]:
    """The next log line with a message."""
    async with asyncio.timeout(30):
        while (line := await lines.get())["msg"] != message:
            pass
    return line


INPUTS = "inputs: {app: {paths: [/var/log/app/*.log]}}\noutputs: {o: {type: stdout}}\n"
PROBLEM = "configuration can't be used, waiting for a better one"


def test_it_serves_until_the_configuration_is_good(place: Place) -> None:
    """/livez is 200 and /readyz 503 with the problem; then the new configuration is returned."""

    def get(port: int, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return reply.status, text

    async def scenario() -> Config | None:
        lines: Lines = asyncio.Queue()
        task = asyncio.create_task(waiting_for(place, lines).run())
        assert "$.metadata.schema" in (await told(lines, PROBLEM))["reason"]
        port = int((await told(lines, "admin port is open"))["port"])
        assert await asyncio.to_thread(get, port, "/livez") == (200, "ok\n")
        status, text = await asyncio.to_thread(get, port, "/readyz")
        assert status == 503
        assert "$.metadata.schema: must be ecs, otel or none" in text
        place.config.write_text("agent: {admin: ''}\n" + INPUTS)
        await told(lines, "configuration is good now")
        return await task

    config = asyncio.run(scenario())
    assert config is not None
    assert config.agent.admin == ""


def test_each_new_problem_is_told_once(place: Place) -> None:
    """The same problem again and again is one line; another one is another line."""

    async def scenario() -> tuple[Config | None, int]:
        lines: Lines = asyncio.Queue()
        waiting = waiting_for(place, lines)
        task = asyncio.create_task(waiting.run())
        await told(lines, "admin port is open")
        place.config.write_text("agent: {admin: x}\n" + INPUTS)
        assert "$.agent.admin" in (await told(lines, PROBLEM))["reason"]
        waiting.stop()
        return await task, lines.qsize()

    assert asyncio.run(scenario()) == (None, 0)
