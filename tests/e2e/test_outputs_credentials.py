"""A token that is wrong and then corrected in its file, for the outputs that take any bearer token.

Elasticsearch, Kafka, Splunk and S3 have tests of their own with servers of their own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.collecting import collecting
from tests.e2e.search_support import eventually, start_agent
from tests.e2e.servers.ports import free_port

LINES = 500


@pytest.mark.parametrize("kind", ["loki", "otlp_http", "http"])
def test_a_corrected_token_is_taken_up(kind: str, tmp_path: Path) -> None:
    """Each request is refused until the file is right; then all lines arrive, without a restart,
    and none of them was made a dead letter."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "app.log").write_text("".join(f"line seq={n} writer=app\n" for n in range(LINES)))
    token = tmp_path / "token"
    token.write_text("wrong\n")
    with collecting("right") as server:
        config = {
            "inputs": {"app": {"paths": [f"{logs}/*.log"]}},
            "outputs": {
                "out": {
                    "type": kind,
                    "hosts": [f"http://127.0.0.1:{server.port}/{kind}"],
                    "auth": {"token_file": str(token)},
                    "linger_s": 0.1,
                    "retry_max_s": 0.2,
                }
            },
        }
        with start_agent(config, tmp_path, admin_port=free_port()) as agent:
            eventually("two refusals", lambda: server.refused > 1, within_s=60)
            assert server.distinct(kind) == 0
            token.write_text("right\n")
            eventually("all lines", lambda: server.distinct(kind) == LINES, within_s=60)
            assert agent.status is None
            assert agent.stop() == 0
        assert server.doubled(kind) == 0
        assert not list((tmp_path / "state" / "dead").rglob("*.ndjson"))
