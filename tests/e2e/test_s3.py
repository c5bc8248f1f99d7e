"""The agent and a real S3 server: objects read back and counted, kills, keys, check --connect."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.agent import installed
from tests.e2e.apps import writing
from tests.e2e.collecting import NUMBER
from tests.e2e.search_support import eventually, run_agent, start_agent
from tests.e2e.servers.ports import free_port
from tests.e2e.servers.versitygw import (
    ACCESS_KEY,
    REGION,
    SECRET_KEY,
    VersityGateway,
    versitygw,
)

LINES: Final = 60_000
HOURS: Final = ("2026-11-24T09", "2026-11-24T10")
UNUSABLE: Final = 69


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VersityGateway]:
    """A server of its own for these tests."""
    with versitygw(tmp_path_factory.mktemp("versitygw")) as server:
        yield server


def write_lines(path: Path, count: int) -> None:
    """`count` JSON lines with their numbers and times: the first half of one hour, then the next.
    A good part of each is noise, so that bodies stay large."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        for number in range(count):
            hour = HOURS[number >= count // 2]
            stamp = f"{hour}:{number // 60 % 60:02}:{number % 60:02}.000Z"
            noise = os.urandom(60).hex()
            file.write(f'{{"@timestamp":"{stamp}","number":{number},"noise":"{noise}"}}\n')


def config(
    store: VersityGateway, bucket: str, folder: Path, secret: str = SECRET_KEY, **options: object
) -> dict[str, object]:
    """A configuration that follows `folder`/logs into a bucket."""
    (folder / "access").write_text(ACCESS_KEY + "\n")
    (folder / "secret").write_text(secret + "\n")
    aws: Mapping[str, object] = {
        "region": REGION,
        "access_key_file": str(folder / "access"),
        "secret_key_file": str(folder / "secret"),
    }
    output = {
        "type": "s3",
        "hosts": [store.url],
        "bucket": bucket,
        "aws": aws,
        "batch_bytes": 1 << 20,
        "key": "{input}/%Y/%m/%d/%H/",
        "retry_max_s": 1,
        **options,
    }
    return {
        "inputs": {"app": {"paths": [f"{folder}/logs/*.log"]}},
        "outputs": {"archive": output},
    }


def await_keys(store: VersityGateway, bucket: str, count: int) -> None:
    """Wait for so many objects."""
    eventually(f"{count} objects", lambda: len(store.keys(bucket)) >= count)


def numbers(store: VersityGateway, bucket: str) -> list[int]:
    """The numbers of all stored lines, sorted."""
    return sorted(json.loads(line)["number"] for line in store.lines(bucket))


def test_objects(store: VersityGateway, unused_name: str, tmp_path: Path) -> None:
    """All lines arrive once, in gzip objects below the hour of their first line."""
    store.make_bucket(unused_name)
    write_lines(tmp_path / "logs" / "app.log", LINES)
    done = run_agent(config(store, unused_name, tmp_path), tmp_path)
    assert done.returncode == 0, done.stderr
    assert numbers(store, unused_name) == list(range(LINES))
    keys = store.keys(unused_name)
    assert len(keys) >= 5
    assert {key.rpartition("/")[0] for key in keys} == {"app/2026/11/24/09", "app/2026/11/24/10"}
    assert all(key.endswith(".ndjson.gz") for key in keys)


def test_repeated_lines_are_all_there(
    store: VersityGateway, unused_name: str, tmp_path: Path
) -> None:
    """Batches that are the same to the byte are objects of their own."""
    store.make_bucket(unused_name)
    (tmp_path / "logs").mkdir()
    line = '{"@timestamp":"2026-11-24T09:00:00Z","number":1,"text":"' + "x" * 400 + '"}\n'
    (tmp_path / "logs" / "app.log").write_text(line * 20_000)
    settings = config(store, unused_name, tmp_path, compression="none")
    settings["metadata"] = {"schema": "none"}
    done = run_agent(settings, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(store.lines(unused_name)) == 20_000


def test_kills(store: VersityGateway, unused_name: str, tmp_path: Path) -> None:
    """Killed again and again in mid-run, the agent loses nothing; a backlog is cut the same way
    each time, so that what was stored and not committed is stored over: nothing is doubled."""
    store.make_bucket(unused_name)
    write_lines(tmp_path / "logs" / "app.log", LINES)
    settings = config(store, unused_name, tmp_path, batch_bytes=262_144, linger_s=300, slots=1)
    settings["agent"] = {"commit_interval_s": 0.5}
    settings["inputs"] = {
        "app": {
            "paths": [f"{tmp_path}/logs/*.log"],
            "chunk_bytes": 65_536,
            "line_bytes_max": 65_536,
        },
    }
    with installed(settings, tmp_path) as installation:
        for stored in (3, 12, 25):
            agent = installation.start()
            await_keys(store, unused_name, stored)
            agent.kill()
            assert len(store.lines(unused_name)) < LINES, "killed in mid-run"
        agent = installation.start("--once")
        assert agent.wait() == 0, agent.log_text()
    assert numbers(store, unused_name) == list(range(LINES))


def test_kills_while_the_app_writes(
    store: VersityGateway, unused_name: str, tmp_path: Path
) -> None:
    """The same while the file grows and rotates: no line is lost, and each object is whole."""
    store.make_bucket(unused_name)
    (tmp_path / "logs").mkdir()
    settings = config(store, unused_name, tmp_path, linger_s=0.3)
    settings["inputs"] = {"app": {"paths": [f"{tmp_path}/logs/*.log*"]}}
    paced = ("--rate", "3000", "--rotate-bytes", str(1 << 20), "--keep", "20")
    with (
        installed(settings, tmp_path) as installation,
        writing(tmp_path, tmp_path / "logs", *paced, form="text") as app,
    ):
        for _ in range(4):
            agent = installation.start()
            await_keys(store, unused_name, len(store.keys(unused_name)) + 8)
            agent.kill()
        written = app.stop()
        agent = installation.start("--once")
        assert agent.wait() == 0, agent.log_text()
    found = Counter(int(NUMBER.findall(line)[0]) for line in store.lines(unused_name))
    print(f"{written} lines, {found.total() - written} of them again")
    assert set(found) == set(range(written))


def test_a_wrong_key_is_corrected(store: VersityGateway, unused_name: str, tmp_path: Path) -> None:
    """With a wrong secret nothing is lost; when the file has the right one, sending goes on."""
    store.make_bucket(unused_name)
    write_lines(tmp_path / "logs" / "app.log", 1000)
    settings = config(store, unused_name, tmp_path, secret="wrong", linger_s=0.2)
    with start_agent(settings, tmp_path, admin_port=free_port()) as agent:
        eventually("a refusal", lambda: "SignatureDoesNotMatch" in agent.log_text())
        assert store.keys(unused_name) == []
        (tmp_path / "secret").write_text(SECRET_KEY + "\n")
        eventually("all lines", lambda: len(store.lines(unused_name)) == 1000)
        assert agent.stop() == 0
    assert SECRET_KEY not in agent.log_text()


def test_no_bucket_holds(store: VersityGateway, unused_name: str, tmp_path: Path) -> None:
    """A bucket that isn't there is said by name of the error, and waited for."""
    write_lines(tmp_path / "logs" / "app.log", 100)
    settings = config(store, unused_name, tmp_path, linger_s=0.2)
    with start_agent(settings, tmp_path, admin_port=free_port()) as agent:
        eventually("a refusal", lambda: "NoSuchBucket" in agent.log_text())
        store.make_bucket(unused_name)
        eventually("all lines", lambda: len(store.lines(unused_name)) == 100)
        assert agent.stop() == 0


def test_check_connect(store: VersityGateway, unused_name: str, tmp_path: Path) -> None:
    """`check --connect` says what is wrong with bucket, region and key, and writes nothing."""
    write_lines(tmp_path / "logs" / "app.log", 1)

    def check(status: int, text: str, secret: str = SECRET_KEY, region: str = REGION) -> None:
        settings = config(store, unused_name, tmp_path, secret=secret)
        outputs = settings["outputs"]
        assert isinstance(outputs, dict)
        outputs["archive"]["aws"]["region"] = region
        done = run_agent(settings, tmp_path, ("--connect",), verb="check")
        assert (done.returncode, text in done.stdout) == (status, True), done.stdout + done.stderr

    check(UNUSABLE, f"bucket {unused_name} is not there")
    store.make_bucket(unused_name)
    check(0, f"bucket {unused_name} is there")
    check(UNUSABLE, "refuses", secret="wrong")
    check(UNUSABLE, "refuses", region="us-west-2")
    assert store.keys(unused_name) == []
