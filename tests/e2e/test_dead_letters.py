"""Dead letters of a running agent: capped, counted, and right about files that went away."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from logagent.core.deadletter import DeadLetter, decode
from tests.e2e.apps import config_for, receiving
from tests.e2e.search_support import eventually, start_agent
from tests.e2e.servers.ports import free_port

REFUSE_ALL: Final = {"do": "items", "status": 400, "times": 0}


def letters(folder: Path) -> list[DeadLetter]:
    """All letters on disk, oldest first."""
    directory = folder / "state" / "dead" / "main"
    paths = sorted(directory.iterdir()) if directory.exists() else []
    return [decode(line) for path in paths for line in path.read_bytes().splitlines()]


def test_the_oldest_letters_go_and_are_counted(tmp_path: Path) -> None:
    """Beyond the cap each letter is on disk or in a number: in the metrics, and in the log."""
    lines = 2000
    logs = tmp_path / "logs"
    logs.mkdir()
    log = logs / "a.log"
    with receiving(tmp_path, "count") as receiver:
        receiver.script(REFUSE_ALL)
        config = config_for(
            logs,
            receiver.url,
            on_reject="dead_letter",
            dead_letter_bytes_max=100_000,
            linger_s=0.05,
            slots=1,
        )
        with start_agent(config, tmp_path, admin_port=free_port()) as agent:
            with log.open("w") as file:
                for n in range(lines):
                    file.write(f"line {n:05}\n")
                    file.flush()
            name = 'logagent_settled_rows_total{outcome="dead_letter",output="main"}'
            eventually("all letters", lambda: agent.metrics().get(name) == lines)
            samples = agent.metrics()
            dropped = samples['logagent_dead_letters_dropped_total{output="main"}']
            left = letters(tmp_path)
            size = samples['logagent_dead_letters_bytes{output="main"}']
            assert agent.stop() == 0
        assert dropped > 0
        assert len(left) + dropped == lines
        assert [each.offset for each in left] == [11 * n for n in range(int(dropped), lines)]
        assert 100_000 * 3 // 4 < size <= 100_000
        assert "oldest dead letters were dropped" in agent.log_text()


def test_a_truncated_file_is_a_range(tmp_path: Path) -> None:
    """A row that is refused after its file was truncated: its letter says so, and has its text."""
    logs = tmp_path / "logs"
    logs.mkdir()
    log = logs / "a.log"
    log.write_text("one\ntwo\n")
    with receiving(tmp_path, "count") as receiver:
        receiver.script({"do": "status", "status": 503, "times": 0})
        config = config_for(logs, receiver.url, on_reject="dead_letter", retry_max_s=0.2)
        with start_agent(config, tmp_path, admin_port=free_port()) as agent:
            eventually("a request", lambda: receiver.stat("requests") > 0)
            log.write_text("three and more of it\n")
            name = 'logagent_truncations_total{input="app",output="main"}'
            eventually("the truncation", lambda: agent.metrics().get(name, 0) == 1)
            receiver.script(REFUSE_ALL)
            eventually("all letters", lambda: len(letters(tmp_path)) == 3)
            assert agent.stop() == 0
    found = letters(tmp_path)
    assert [(each.offset, each.length, each.exact) for each in found] == [
        (0, 8, False),
        (0, 8, False),
        (0, 21, True),
    ]
    assert len({each.id for each in found}) == 3
    assert '"message":"one"' in found[0].document
