"""A real Elasticsearch with TLS and users: what is delivered, and what holds until somebody helps.

Secrets and certificates are files; the agent reads them again when the server refuses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
import trustme

from tests.e2e.search_scene import (
    UNUSABLE,
    connect,
    deliver_all,
    numbers,
    search_config,
    write_lines,
)
from tests.e2e.search_support import Agent, eventually, start_agent
from tests.e2e.servers import SecureServer

LINES: Final = 1000
TROUBLE: Final = "sending will be tried again"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with LINES lines."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write_lines(folder / "a.log", [f'{{"n":{n}}}' for n in range(LINES)])
    return folder


@pytest.fixture
def stream(secure_elasticsearch: SecureServer, unused_name: str) -> str:
    """A data stream that the agent's user may write to; its first line makes it."""
    pattern = f"logs-app-{unused_name}"
    body = {"index_patterns": [pattern], "data_stream": {}, "priority": 600}
    secure_elasticsearch.rest.must("PUT", f"/_index_template/{unused_name}", body)
    return pattern


def secured(
    server: SecureServer, logs: Path, output: Mapping[str, object], **tls: str
) -> dict[str, object]:
    """A configuration whose user and password stand in files beside the logs."""
    (logs.parent / "user").write_text(f"{server.user}\n")
    if not (logs.parent / "password").exists():
        (logs.parent / "password").write_text(f"{server.password}\n")
    auth = {"username_file": f"{logs.parent}/user", "password_file": f"{logs.parent}/password"}
    more = {"auth": auth, "tls": {"ca_file": str(server.ca_file), **tls}}
    return search_config([f"{logs}/*.log"], [server.url], {**output, **more})


def into(stream: str) -> dict[str, object]:
    """What an output says to write to a data stream."""
    _, dataset, namespace = stream.split("-")
    return {"data_stream": {"dataset": dataset, "namespace": namespace}, "ids": True}


def troubles(agent: Agent) -> str:
    """The lines of the agent's log that say why nothing is taken."""
    return "\n".join(line for line in agent.log_text().splitlines() if TROUBLE in line)


def all_arrived(server: SecureServer, index: str) -> bool:
    """Whether each line is there once."""
    return server.rest.count(index) == LINES and numbers(server.rest, index, "n") == Counter(
        range(LINES)
    )


def test_delivered_with_a_user_and_an_authority_from_files(
    secure_elasticsearch: SecureServer, logs: Path, stream: str, tmp_path: Path
) -> None:
    """The user may create documents and nothing else, and that is enough."""
    deliver_all(secured(secure_elasticsearch, logs, into(stream)), tmp_path)
    assert all_arrived(secure_elasticsearch, stream)


def test_a_wrong_password_holds_until_the_file_is_right(
    secure_elasticsearch: SecureServer, logs: Path, stream: str, tmp_path: Path
) -> None:
    """Nothing is lost and nothing restarted: it says 401, and goes on with the new secret."""
    server = secure_elasticsearch
    (tmp_path / "password").write_text("wrong")
    with start_agent(secured(server, logs, into(stream)), tmp_path) as agent:
        eventually("the refusal to be told", lambda: TROUBLE in agent.log_text())
        assert '"why":"credentials","status":401' in troubles(agent)
        assert server.rest.count(stream) == 0
        (tmp_path / "password").write_text(server.password)
        eventually("all lines to be there", lambda: all_arrived(server, stream))
        eventually("the good news", lambda: "sending works again" in agent.log_text())
        assert agent.stop() == 0
        assert server.password not in agent.log_text()


def test_a_secret_that_is_not_there_yet_is_waited_for(
    secure_elasticsearch: SecureServer, logs: Path, stream: str, tmp_path: Path
) -> None:
    """`run` starts without it, names the file, and goes on when it comes."""
    server = secure_elasticsearch
    config = secured(server, logs, into(stream))
    (tmp_path / "password").unlink()
    with start_agent(config, tmp_path) as agent:
        eventually("the missing file to be named", lambda: TROUBLE in agent.log_text())
        reason = f"reading secret {tmp_path}/password: No such file or directory"
        assert reason in troubles(agent)
        (tmp_path / "password").write_text(server.password)
        eventually("all lines to be there", lambda: all_arrived(server, stream))
        assert agent.stop() == 0


def test_a_wrong_authority_holds_until_the_file_is_right(
    secure_elasticsearch: SecureServer, logs: Path, stream: str, tmp_path: Path
) -> None:
    """Nothing is sent to a server that isn't trusted; the new file is read without a restart."""
    server = secure_elasticsearch
    ca_file = tmp_path / "ca.crt"
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    config = secured(server, logs, into(stream), ca_file=str(ca_file))
    with start_agent(config, tmp_path) as agent:
        eventually("the refusal to be told", lambda: TROUBLE in agent.log_text())
        assert '"why":"tls"' in troubles(agent)
        assert server.rest.count(stream) == 0
        ca_file.write_bytes(server.ca_file.read_bytes())
        eventually("all lines to be there", lambda: all_arrived(server, stream))
        assert agent.stop() == 0


def test_a_forbidden_index_holds_until_it_is_allowed(
    secure_elasticsearch: SecureServer, logs: Path, unused_name: str, tmp_path: Path
) -> None:
    """Each row is answered with 403: none is dropped, the log says what it is, and when the user
    gets the privilege all arrive.
    """
    server = secure_elasticsearch
    with start_agent(secured(server, logs, {"index": unused_name, "ids": True}), tmp_path) as agent:
        eventually("the refusal to be told", lambda: TROUBLE in agent.log_text())
        assert '"why":"configuration"' in troubles(agent)
        assert '"detail":"403 security_exception"' in troubles(agent)
        assert "rows were rejected" not in agent.log_text()
        assert not (tmp_path / "state" / "dead" / "search").exists()
        grant(server, unused_name)
        eventually("all lines to be there", lambda: all_arrived(server, unused_name))
        assert agent.stop() == 0


def grant(server: SecureServer, index: str) -> None:
    """Let the agent's user write to one more index: the server reads the file again within 5 s."""
    roles = server.ca_file.parents[1] / "roles.yml"
    text = roles.read_text()
    assert '"logs-app-*"' in text
    roles.write_text(text.replace('"logs-app-*"', f'"logs-app-*", "{index}"'))


@pytest.fixture
def certificate(mutual_elasticsearch: SecureServer) -> dict[str, str]:
    """TLS options of a client that shows a certificate."""
    server = mutual_elasticsearch
    return {
        "cert_file": str(server.client_certificate_file),
        "key_file": str(server.client_key_file),
    }


def test_delivered_with_a_client_certificate(
    mutual_elasticsearch: SecureServer,
    logs: Path,
    unused_name: str,
    tmp_path: Path,
    certificate: dict[str, str],
) -> None:
    """Where the server wants a certificate, `cert_file` and `key_file` show it."""
    server = mutual_elasticsearch
    stream = f"logs-app-{unused_name}"
    body = {"index_patterns": [stream], "data_stream": {}, "priority": 600}
    server.rest.must("PUT", f"/_index_template/{unused_name}", body)
    deliver_all(secured(server, logs, into(stream), **certificate), tmp_path)
    assert all_arrived(server, stream)


def test_a_check_needs_the_client_certificate_too(
    mutual_elasticsearch: SecureServer, logs: Path, tmp_path: Path, certificate: dict[str, str]
) -> None:
    """`check --connect` says that one is wanted, and with it what the server is."""
    server = mutual_elasticsearch
    output = {"index": "logs-app-check"}
    bare, shown = secured(server, logs, output), secured(server, logs, output, **certificate)
    (refused,) = connect(tmp_path, [server.url], search_of(bare), status=UNUSABLE)
    assert refused.startswith(f"{server.url}: TLS: ")
    assert refused.endswith("; it wants a client certificate, see tls")
    found = connect(tmp_path, [server.url], search_of(shown), status=0)
    assert found[0] == f"{server.url}: Elasticsearch 8.19.21, cluster test"


def search_of(config: Mapping[str, object]) -> dict[str, object]:
    """The options of a configuration's output."""
    outputs = config["outputs"]
    assert isinstance(outputs, dict)
    return dict(outputs["search"])
