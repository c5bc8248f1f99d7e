"""The agent and plain HTTP endpoints: VictoriaLogs' JSON lines, and a strict one of our own."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.search_support import eventually, run_agent, start_agent
from tests.e2e.servers.ports import free_port
from tests.e2e.servers.victorialogs import VictoriaLogs, victorialogs
from tests.fakes.serving import Handler, serving

LINES: Final = 20_000
JSON_LINES: Final = "/insert/jsonline?_stream_fields=app&_time_field=@timestamp&_msg_field=message"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaLogs]:
    """A server of its own for these tests."""
    with victorialogs(tmp_path_factory.mktemp("victorialogs")) as server:
        yield server


class Strict:
    """What a strict receiver has taken, and how it answers."""

    def __init__(self) -> None:
        self.url = ""
        self.token = "right"
        self.poison = -1
        """The number of a row that no array may hold."""
        self.busy = 0
        """So many requests are answered by 429."""
        self.statuses: Counter[int] = Counter()
        self.numbers: Counter[int] = Counter()

    def take(self, token: str, kind: str, body: bytes) -> int:
        """The status for a request; its rows are counted when it is taken."""
        status = self._status(token, kind)
        if status == 200:
            rows = [row["number"] for row in json.loads(body)]
            status = 422 if self.poison in rows else 200
            self.numbers.update(rows if status == 200 else [])
        self.statuses[status] += 1
        return status

    def _status(self, token: str, kind: str) -> int:
        if token != f"Bearer {self.token}":
            return 401
        if kind != "application/json":
            return 415
        if self.busy > 0:
            self.busy -= 1
            return 429
        return 200


@contextmanager
def strict() -> Iterator[Strict]:
    """A receiver of JSON arrays that wants a token."""
    receiver = Strict()
    lock = threading.Lock()

    class Puts(Handler):
        def do_PUT(self) -> None:
            body = self.body()
            with lock:
                token, kind = self.headers["authorization"], self.headers["content-type"]
                status = receiver.take(token, kind, body)
            self.send_response(status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    with serving(Puts) as port:
        receiver.url = f"http://127.0.0.1:{port}"
        yield receiver


def write_lines(folder: Path, count: int, app: str = "shop") -> None:
    """`count` JSON lines with their numbers."""
    (folder / "logs").mkdir()
    with (folder / "logs" / "app.log").open("w") as file:
        for number in range(count):
            stamp = f"2026-11-24T10:{number // 60 % 60:02}:{number % 60:02}Z"
            line = {"@timestamp": stamp, "app": app, "number": number, "message": f"hello {number}"}
            file.write(json.dumps(line) + "\n")


def config(folder: Path, url: str, **options: object) -> dict[str, object]:
    """A configuration that follows `folder`/logs to an endpoint."""
    return {
        "inputs": {"app": {"paths": [f"{folder}/logs/*.log"]}},
        "outputs": {"there": {"type": "http", "hosts": [url], **options}},
    }


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_json_lines(logs: VictoriaLogs, tmp_path: Path, unused_name: str, compression: str) -> None:
    """All lines are found by a query, each once, with their times and fields."""
    write_lines(tmp_path, LINES, unused_name)
    settings = config(
        tmp_path, logs.url, path=JSON_LINES, compression=compression, batch_bytes=1 << 20
    )
    done = run_agent(settings, tmp_path)
    assert done.returncode == 0, done.stderr
    eventually("all lines", lambda: logs.count(f'{{app="{unused_name}"}}') == LINES)
    assert logs.count(f'{{app="{unused_name}"}} | uniq by (number)') == LINES
    (row,) = logs.query(f'{{app="{unused_name}"}} number:=4711')
    assert (row["_msg"], row["_time"]) == ("hello 4711", "2026-11-24T10:18:31Z")


def test_arrays_a_token_and_a_bad_row(tmp_path: Path) -> None:
    """With a wrong token nothing is lost; corrected in its file, all arrives, as arrays; a row that
    is refused is found by halves and is the only dead letter."""
    write_lines(tmp_path, 1000)
    (tmp_path / "token").write_text("wrong\n")
    with strict() as receiver:
        receiver.poison, receiver.busy = 700, 2
        settings = config(
            tmp_path,
            receiver.url,
            body="array",
            method="PUT",
            auth={"token_file": str(tmp_path / "token")},
            retry_max_s=0.5,
            linger_s=0.2,
        )
        with start_agent(settings, tmp_path, admin_port=free_port()) as agent:
            eventually("a refusal", lambda: receiver.statuses[401] > 0)
            assert not receiver.numbers
            (tmp_path / "token").write_text("right\n")
            eventually("all but one", lambda: len(receiver.numbers) == 999)
            eventually("a dead letter", lambda: bool(list(letters(tmp_path))))
            assert agent.stop() == 0
    assert set(receiver.numbers) == set(range(1000)) - {700}
    assert set(receiver.numbers.values()) == {1}
    assert receiver.statuses[429] == 2
    (letter,) = letters(tmp_path)
    assert json.loads(str(letter["document"]))["number"] == 700
    assert (letter["status"], letter["kind"]) == (422, "malformed")


def letters(folder: Path) -> Iterator[dict[str, object]]:
    """The dead letters of the output."""
    for path in sorted((folder / "state" / "dead" / "there").rglob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            yield json.loads(line)


def test_own_statuses(tmp_path: Path) -> None:
    """What a server calls a conflict can be a delivery."""
    write_lines(tmp_path, 10)
    (tmp_path / "token").write_text("right\n")
    with strict() as receiver:
        receiver.poison = 5
        settings = config(
            tmp_path,
            receiver.url,
            body="array",
            method="PUT",
            auth={"token_file": str(tmp_path / "token")},
            statuses={"delivered": [422]},
        )
        done = run_agent(settings, tmp_path)
    assert done.returncode == 0, done.stderr
    assert receiver.statuses == {422: 1}
    assert not list(letters(tmp_path))


def test_check_connect(logs: VictoriaLogs, tmp_path: Path) -> None:
    """`check --connect` reaches the endpoint, and nothing arrives by it."""
    write_lines(tmp_path, 1)
    before = logs.count()
    settings = config(tmp_path, logs.url, path=JSON_LINES)
    done = run_agent(settings, tmp_path, ("--connect",), verb="check")
    assert (done.returncode, "reached (" in done.stdout) == (0, True), done.stdout + done.stderr
    assert logs.count() == before
