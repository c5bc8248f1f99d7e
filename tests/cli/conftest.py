"""What the tests of the commands share: a directory with logs, and a configuration for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest


class Place(NamedTuple):
    """A directory of a test: `config` reads `logs` and writes `out`."""

    path: Path
    logs: Path
    config: Path
    out: Path

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run the agent as a process of its own, until it ends."""
        return subprocess.run(
            [sys.executable, "-m", "logagent", *args],
            env={**os.environ, "LOGAGENT_CONFIG": str(self.config)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Two log files with three lines each, and a file output."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text("one\ntwo\nthree\n")
    (logs / "b.log").write_text('{"message": "four"}\nfive\nsix\n')
    config = tmp_path / "logagent.yaml"
    config.write_text(f"""\
agent: {{state_dir: {tmp_path}/state, admin: ""}}
metadata: {{schema: none}}
inputs: {{app: {{paths: ["{logs}/*.log"]}}}}
outputs: {{out: {{type: file, path: {tmp_path}/out.ndjson}}}}
""")
    return Place(tmp_path, logs, config, tmp_path / "out.ndjson")
