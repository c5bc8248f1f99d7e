"""`logagent setup` against real servers: made once, nothing to change the second time, and what it
made takes the agent's lines.

None of these servers has a module for lifecycles, and Elasticsearch's have none for data streams:
that is told, and the rest is done.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.search_scene import (
    QUIET,
    UNUSABLE,
    deliver_all,
    documents,
    search_config,
    write_lines,
)
from tests.e2e.search_support import eventually, run_agent, start_agent
from tests.e2e.servers import SecureServer, Server
from tests.e2e.servers.secure import ADMIN

LINES: Final = 500
NO_POLICY: Final = (
    "lifecycle policy logagent-{}: this server has no lifecycle management; nothing is ever deleted"
)


def setup(
    config: Mapping[str, object], folder: Path, *args: str, status: int = 0
) -> tuple[list[str], str]:
    """What `setup` says about the output, line by line, and the request for the administrator."""
    done = run_agent({**config, "agent": QUIET}, folder, args, verb="setup")
    assert done.stderr == ""
    assert done.returncode == status, done.stdout
    head, _, tail = done.stdout.partition("\nFor the agent's own credentials")
    (name,) = outputs_of(config)
    lines = [line.removeprefix(f"  {name}").strip() for line in head.splitlines()[1:]]
    return lines, tail.partition("runs:\n\n")[2]


def config_of(folder: Path, server: Server, name: str, **output: object) -> dict[str, object]:
    """An output to a data stream of its own, and a log that has all that mappings must bear."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    if not (logs / "a.log").exists():
        write_lines(logs / "a.log", (json.dumps(line(n)) for n in range(LINES)))
    stream = {"data_stream": {"dataset": name, "namespace": "prod"}}
    config = search_config([f"{logs}/*.log"], [server.url], {**stream, **output})
    # What is made is named after the output, and servers are shared.
    outputs = {name: outputs_of(config)["search"]}
    return {**config, "outputs": outputs, "metadata": {"schema": "ecs"}}


def outputs_of(config: Mapping[str, object]) -> dict[str, object]:
    """The outputs of a configuration."""
    outputs = config["outputs"]
    assert isinstance(outputs, dict)
    return outputs


def template(name: str) -> str:
    """What `setup` calls the template of an output."""
    return f"index template logagent-{name}"


def template_path(name: str) -> str:
    """Where it is on the server."""
    return f"/_index_template/logagent-{name}"


def line(number: int) -> dict[str, object]:
    """A line; some have labels that clash as fields of their own, or a number that is none."""
    labels = {"app": "shop", "app.kubernetes.io/name": "shop"}
    more: dict[str, object] = {"labels": labels} if number % 10 == 0 else {}
    count: object = "many" if number % 10 == 1 else number
    return {"message": f"line {number}", "n": number, "count": count, **more}


def test_made_once_then_nothing_to_change_then_delivered(
    search_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """A dry run makes nothing; a second run changes nothing; all lines get in and none is wrapped,
    whatever their labels and numbers are."""
    rest = search_server.rest
    stream = f"logs-{unused_name}-prod"
    config = config_of(tmp_path, search_server, unused_name)
    dry, _ = setup(config, tmp_path, "--dry-run")
    assert f"{template(unused_name)}: would make it" in dry
    assert f'"{stream}"' in "".join(dry)
    assert rest.get(template_path(unused_name)).status == 404
    made, key = setup(config, tmp_path)
    assert NO_POLICY.format(unused_name) in made
    assert f"{template(unused_name)}: made" in made
    assert stream in key
    assert ("create_doc" in key) == ("/_security/api_key" in key)
    again, _ = setup(config, tmp_path)
    assert f"{template(unused_name)}: nothing to change" in again
    assert again[-1] == "nothing to change"
    deliver_all(config, tmp_path)
    found = documents(rest, stream)
    assert Counter(str(each["message"]) for each in found) == Counter(
        f"line {n}" for n in range(LINES)
    )
    resolved = rest.get(f"/_resolve/index/{stream}").at("data_streams", 0, "name")
    assert resolved == stream


def test_what_differs_is_shown_and_changed(
    search_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """Somebody has changed a setting by hand: both values are shown; the wanted one comes back."""
    rest = search_server.rest
    config = config_of(tmp_path, search_server, unused_name)
    setup(config, tmp_path)
    there = rest.get(template_path(unused_name))
    body = there.at("index_templates", 0, "index_template")
    assert isinstance(body, dict)
    body["priority"] = 300
    body["template"]["settings"]["index"]["number_of_replicas"] = "0"
    rest.must("PUT", template_path(unused_name), body)
    for args, verb in (("--dry-run",), "would change it"), ((), "changed"):
        said, _ = setup(config, tmp_path, *args)
        assert f"{template(unused_name)}: {verb}" in said
        assert "priority: 300 -> 250" in said
        assert "template.settings.index.number_of_replicas: 0 -> nothing" in said
    assert f"{template(unused_name)}: nothing to change" in setup(config, tmp_path)[0]


def test_what_others_made_is_left_alone(
    search_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """A template of the same name, and one for the same names with the same priority."""
    rest = search_server.rest
    config = config_of(tmp_path, search_server, unused_name)
    theirs = {"index_patterns": [f"logs-{unused_name}-*"], "priority": 250, "data_stream": {}}
    rest.must("PUT", template_path(unused_name), theirs)
    said, _ = setup(config, tmp_path, status=UNUSABLE)
    assert (
        f"{template(unused_name)} is there, but logagent didn't make it; it is left alone" in said
    )
    rest.delete(template_path(unused_name))
    rest.must("PUT", f"/_index_template/{unused_name}", theirs)
    said, _ = setup(config, tmp_path, status=UNUSABLE)
    assert any("the server says 400" in each and unused_name in each for each in said)


def test_a_deletion_that_a_server_can_not_do_is_a_fault(
    elasticsearch_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """Who asks for it counts on it; the template is made all the same."""
    config = config_of(tmp_path, elasticsearch_server, unused_name)
    said, _ = setup(config, tmp_path, "--keep", "30d", status=UNUSABLE)
    assert NO_POLICY.format(unused_name) in said
    assert f"{template(unused_name)}: made" in said


@pytest.fixture
def secured(secure_elasticsearch: SecureServer, tmp_path: Path) -> dict[str, object]:
    """Options of an output whose user may add documents and nothing else."""
    (tmp_path / "password").write_text(secure_elasticsearch.password)
    (tmp_path / "admin").write_text(ADMIN[1])
    user = secure_elasticsearch.user
    return {
        "auth": {"username": user, "password_file": str(tmp_path / "password")},
        "tls": {"ca_file": str(secure_elasticsearch.ca_file)},
    }


def test_the_agent_s_own_credentials_may_not_set_up_but_deliver(
    secure_elasticsearch: SecureServer,
    secured: dict[str, object],
    tmp_path: Path,
    unused_name: str,
) -> None:
    """The writer is told what is missing; the administrator does it; the writer delivers into the
    data stream. A wrong password is told as such."""
    server = secure_elasticsearch
    stream = {"data_stream": {"dataset": "app", "namespace": unused_name}}
    config = config_of(tmp_path, server, unused_name, **{**secured, **stream})
    told, _ = setup(config, tmp_path, status=UNUSABLE)
    needs = "the credentials may not do this (403); they need the privilege manage_index_templates"
    assert f"{template(unused_name)}: {needs}" in told
    admin = ("--username", ADMIN[0], "--password-file", str(tmp_path / "admin"))
    assert f"{template(unused_name)}: made" in setup(config, tmp_path, *admin)[0]
    assert setup(config, tmp_path, *admin)[0][-1] == "nothing to change"
    deliver_all(config, tmp_path)
    name = f"logs-app-{unused_name}"
    assert len(documents(server.rest, name)) == LINES
    assert server.rest.get(f"/_resolve/index/{name}").at("data_streams", 0, "name") == name
    (tmp_path / "admin").write_text("wrong")
    told, key = setup(config, tmp_path, *admin, status=UNUSABLE)
    assert told == [f"{server.url}: refuses the credentials (401); see auth"]
    assert key == ""


def test_a_name_that_is_forbidden_is_refused_row_by_row(
    secure_elasticsearch: SecureServer,
    secured: dict[str, object],
    tmp_path: Path,
    unused_name: str,
) -> None:
    """Lines choose their index: those of the allowed one arrive, the other's wait."""
    rest = secure_elasticsearch.rest
    logs = tmp_path / "logs"
    logs.mkdir()
    write_lines(
        logs / "a.log",
        (json.dumps({"n": n, "team": "forbidden" if n % 2 else "app"}) for n in range(LINES)),
    )
    choose = {"team": {"field": "team", "allow": ["app"], "fallback": "other"}}
    output = {"index": f"logs-{{team}}-{unused_name}", "choose": choose, "ids": True, **secured}
    config = search_config([f"{logs}/*.log"], [secure_elasticsearch.url], output)
    allowed, forbidden = f"logs-app-{unused_name}", f"logs-other-{unused_name}"
    plain = {"index_patterns": [allowed], "priority": 1000}
    rest.must("PUT", f"/_index_template/{unused_name}", plain)
    with start_agent(config, tmp_path) as agent:
        eventually("the refusal to be told", lambda: "403 security_exception" in agent.log_text())
        rest.refresh(allowed)
        eventually("the others to be there", lambda: rest.count(allowed) == LINES // 2)
        assert rest.get(f"/_resolve/index/{forbidden}").status == 404
        agent.kill()
