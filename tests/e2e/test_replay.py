"""`logagent replay`: what was refused arrives once it is taken, however often we are killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from logagent.core.deadletter import DeadLetter, decode, encode
from tests.e2e.apps import Receiver, config_for, receiving
from tests.e2e.search_support import command, eventually, run_agent, start_agent, write_config

QUIET: Final = {"admin": ""}
MANY: Final = 100_000
BATCH_BYTES: Final = 262_144
REFUSE_ALL: Final = {"do": "items", "status": 400, "times": 0}
REFUSE_BAD: Final = {**REFUSE_ALL, "where": "bad"}


def stored_letters(folder: Path) -> list[DeadLetter]:
    """All letters on disk, oldest segment first."""
    directory = folder / "state" / "dead" / "main"
    names = sorted(directory.iterdir()) if directory.exists() else []
    return [decode(line) for path in names for line in path.read_bytes().splitlines()]


def write_log(folder: Path, lines: list[str], name: str = "app.log") -> Path:
    """A log file with these lines."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    path = logs / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def deliver(config: dict[str, object], folder: Path) -> None:
    """Run the agent over what is there."""
    done = run_agent(config, folder)
    assert done.returncode == 0, done.stderr


def replay(
    config: dict[str, object], folder: Path, *args: str, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a replay to its end."""
    done = run_agent(config, folder, args, verb="replay")
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("ids", [False, True], ids=["without ids", "with ids"])
@pytest.mark.parametrize("policy", ["wrap", "dead_letter"])
def test_what_a_mapping_refused_arrives_after_a_replay(
    tmp_path: Path, policy: str, *, ids: bool
) -> None:
    """Letters name the very bytes of each line; once the mapping is mended, a replay delivers
    them as they were, deletes them, and a second one has nothing to do."""
    lines = [f'{{"n":{n},"say":"{"bad" if n % 7 == 3 else "fine"}"}}' for n in range(2000)]
    lines[10] = ""  # no row, but bytes
    log = write_log(tmp_path, lines)
    with receiving(tmp_path, "store") as receiver:
        config = config_for(
            log.parent, receiver.url, ids=ids, on_reject=policy, batch_bytes=BATCH_BYTES, slots=1
        )
        config["agent"] = QUIET
        receiver.script(REFUSE_BAD)
        deliver(config, tmp_path)
        refused = [n for n in range(2000) if n % 7 == 3 and n != 10]
        letters = stored_letters(tmp_path)
        data = log.read_bytes()
        assert [json.loads(each.document)["n"] for each in letters] == refused
        for each in letters:
            raw = data[each.offset : each.offset + each.length]
            assert json.loads(raw)["n"] == json.loads(each.document)["n"]
            assert raw.endswith(b"\n")
            assert (each.file, each.input, each.output) == (str(log), "app", "main")
            assert (each.exact, each.attempts, each.status) == (True, 1, 400)
        assert len({each.id for each in letters}) == len(letters)

        shown = replay(config, tmp_path, "--dry-run").stdout
        assert f"main: {len(refused):,} letters would be sent" in shown
        assert len(stored_letters(tmp_path)) == len(refused)
        again = replay(config, tmp_path, status=3).stdout
        assert f"{len(refused):,} refused again, {len(refused):,} left" in again
        assert {each.attempts for each in stored_letters(tmp_path)} == {2}

        receiver.script()
        said = replay(config, tmp_path, "--output", "main").stdout
        assert said == f"main: {len(refused):,} letters delivered, 0 left\n"
        assert not list((tmp_path / "state" / "dead" / "main").iterdir())
        arrived = sorted(int(str(document["n"])) for document in receiver.documents())
        assert arrived == [n for n in range(2000) if n != 10]
        assert not any("logagent" in document for document in receiver.documents())
        assert "0 letters delivered" in replay(config, tmp_path).stdout


def test_letters_since_a_time(tmp_path: Path) -> None:
    """Older letters stay, also those in the same segment, and are sent when they are asked for."""
    with receiving(tmp_path, "store") as receiver:
        receiver.script(REFUSE_ALL)
        log = write_log(tmp_path, ["old"])
        config = config_for(log.parent, receiver.url, on_reject="dead_letter")
        config["agent"] = QUIET
        deliver(config, tmp_path)
        (old,) = stored_letters(tmp_path)
        time.sleep(0.01)
        write_log(tmp_path, ["new"], "b.log")
        deliver(config, tmp_path)
        receiver.script()
        _, new = stored_letters(tmp_path)
        assert new.time > old.time
        said = replay(config, tmp_path, "--since", new.time).stdout
        assert said == "main: 1 letters delivered, 1 left\n"
        assert stored_letters(tmp_path) == [old]
        replay(config, tmp_path, "--since", "1h")
        assert receiver.messages() == ["new", "old"]


def test_letters_in_an_index_of_their_own(tmp_path: Path) -> None:
    """With `dead_letter_index` a letter is a document there, its own document a text in it; what
    that index refuses too is on disk."""
    log = write_log(tmp_path, ['{"say":"bad"}', '{"say":"fine"}', '{"say":"bad","worst":1}'])
    with receiving(tmp_path, "store") as receiver:
        receiver.script(
            {**REFUSE_BAD, "times": 1},
            {**REFUSE_ALL, "where": "worst", "times": 1},
        )
        config = config_for(
            log.parent,
            receiver.url,
            on_reject="dead_letter",
            dead_letter_index="dead-%Y",
            ids=True,
        )
        config["agent"] = QUIET
        deliver(config, tmp_path)
        fine, dead = receiver.documents()
        assert fine["say"] == "fine"
        assert (dead["offset"], dead["length"], dead["status"]) == (0, 14, 400)
        assert json.loads(str(dead["document"]))["say"] == "bad"
        assert dead["@timestamp"] == dead["time"]
        (left,) = stored_letters(tmp_path)
        assert json.loads(left.document)["worst"] == 1


def test_a_replay_waits_for_a_server_or_gives_up(tmp_path: Path) -> None:
    """A server that is away is tried again; with --timeout the end comes, and all letters stay."""
    with receiving(tmp_path, "store") as receiver:
        receiver.script(REFUSE_ALL)
        log = write_log(tmp_path, ["one"])
        config = config_for(log.parent, receiver.url, on_reject="dead_letter", retry_max_s=0.2)
        config["agent"] = QUIET
        deliver(config, tmp_path)
        before = stored_letters(tmp_path)
        receiver.script({"do": "status", "status": 503, "times": 0})
        done = replay(config, tmp_path, "--timeout", "1", status=3)
        assert "0 letters delivered, 1 left" in done.stdout
        assert "sending will be tried again" in done.stderr
        assert stored_letters(tmp_path) == before
        receiver.script({"do": "status", "status": 503, "times": 5})
        assert "1 letters delivered, 0 left" in replay(config, tmp_path).stdout


def test_a_replay_beside_a_running_agent(tmp_path: Path) -> None:
    """The agent goes on writing letters while a replay takes those that are there."""
    with receiving(tmp_path, "store") as receiver:
        receiver.script(REFUSE_BAD)
        log = write_log(tmp_path, ["bad 1"])
        config = config_for(log.parent, receiver.url, on_reject="dead_letter", linger_s=0.05)
        config["agent"] = QUIET
        with start_agent(config, tmp_path) as agent:
            eventually("a letter", lambda: len(stored_letters(tmp_path)) == 1)
            receiver.script()
            replay(config, tmp_path)
            assert receiver.messages() == ["bad 1"]
            receiver.script(REFUSE_BAD)
            with log.open("a") as file:
                file.write("bad 2\n")
            eventually("another letter", lambda: len(stored_letters(tmp_path)) == 1)
            assert agent.stop() == 0
        receiver.script()
        replay(config, tmp_path)
        assert receiver.messages() == ["bad 1", "bad 2"]


def test_a_signal_ends_a_replay_and_keeps_the_rest(tmp_path: Path) -> None:
    """One SIGINT: while the server is away the batch under way is given up after the grace; a
    second one does that at once. Nothing is lost."""
    with receiving(tmp_path, "store") as receiver:
        receiver.script(REFUSE_ALL)
        log = write_log(tmp_path, ["one", "two"])
        config = config_for(log.parent, receiver.url, on_reject="dead_letter")
        config["agent"] = QUIET
        deliver(config, tmp_path)
        receiver.script({"do": "status", "status": 503, "times": 0})
        argv = command(write_config(config, tmp_path), [], verb="replay")
        before = receiver.stat("requests")
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            eventually("a request", lambda: receiver.stat("requests") > before)
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
        assert (process.returncode, out) == (3, "main: 0 letters delivered, 2 left\n")
        receiver.script()
        replay(config, tmp_path)
        assert receiver.messages() == ["one", "two"]


def test_an_older_version_s_letters_are_replayed(tmp_path: Path) -> None:
    """Its one file is a segment, its rows keep their ids."""
    with receiving(tmp_path, "store") as receiver:
        (tmp_path / "logs").mkdir()
        config = config_for(tmp_path / "logs", receiver.url, ids=True)
        config["agent"] = QUIET
        directory = tmp_path / "state" / "dead" / "main"
        directory.mkdir(parents=True)
        letter = {
            "time": "2026-11-24T10:00:00.000Z",
            "output": "main",
            "status": 400,
            "kind": "k",
            "reason": "r",
            "document": '{"n":1}',
            "row": '{"create":{"_id":"old"}}',
        }
        (directory / "letters.ndjson").write_text(json.dumps(letter) + "\n")
        assert "1 letters delivered, 0 left" in replay(config, tmp_path).stdout
        rows = receiver.ask("docs?n=10")
        assert isinstance(rows, list)
        assert [(row["id"], row["document"]) for row in rows] == [("old", {"n": 1})]


def refuse_many(receiver: Receiver, folder: Path, *, ids: bool) -> dict[str, object]:
    """Let the agent make MANY dead letters; returns its configuration."""
    receiver.script(REFUSE_ALL)
    lines = [json.dumps({"writer": "app", "seq": n, "text": "x" * (n % 50)}) for n in range(MANY)]
    log = write_log(folder, lines)
    config = config_for(
        log.parent, receiver.url, on_reject="dead_letter", ids=ids, batch_bytes=BATCH_BYTES
    )
    config["agent"] = QUIET
    deliver(config, folder)
    receiver.script()
    return config


def has_begun(receiver: Receiver, before: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether a replay has delivered something, or has ended."""
    return receiver.stat("documents") > before or process.poll() is not None


@pytest.mark.parametrize("ids", [False, True], ids=["without ids", "with ids"])
def test_a_replay_that_is_killed_loses_nothing(tmp_path: Path, *, ids: bool) -> None:
    """SIGKILL at random moments within a hundred thousand letters, and run again: none is lost; a
    kill doubles one batch at most, and with ids nothing."""
    rng = random.Random(7)
    with receiving(tmp_path, "ledger") as receiver:
        config = refuse_many(receiver, tmp_path, ids=ids)
        letters = stored_letters(tmp_path)
        assert len(letters) == MANY
        assert all(letter.exact for letter in letters)
        batch_rows = BATCH_BYTES // min(len(encode([letter])) for letter in letters[:1000])
        del letters
        argv = command(write_config(config, tmp_path), [], verb="replay")
        kills = within = 0
        while kills < 8:
            before = receiver.stat("documents")
            process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            eventually("a first batch or the end", partial(has_begun, receiver, before, process))
            time.sleep(rng.uniform(0.0, 0.15))
            if process.poll() is not None:
                break
            process.kill()
            process.wait()
            kills += 1
            within += receiver.stat("documents") < MANY
        assert within >= 3, "the kills came before the end"
        replay(config, tmp_path)
        account = receiver.account("app", MANY)
        print(f"{kills} kills, {account}")
        assert (account.lost, account.delivered) == (0, MANY)
        assert account.doubled <= (0 if ids else kills * batch_rows)
        assert not list((tmp_path / "state" / "dead" / "main").iterdir())
