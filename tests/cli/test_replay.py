"""`logagent replay`: what it prints, what it refuses, and its exit statuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from logagent.cli.main import main
from logagent.cli.progress import Choice, collect
from logagent.config import load
from logagent.core.deadletter import DeadLetter, encode
from logagent.edge.state import lock_state
from tests.cli.conftest import Place


def made(number: int, *, time: str = "2026-11-24T10:00:00.000Z", reason: str = "no") -> DeadLetter:
    """A letter."""
    return DeadLetter(
        time, "out", 400, "strict", reason, f'{{"n":{number}}}', id=f"i{number}", file="/a.log"
    )


def write(place: Place, *letters: DeadLetter, more: bytes = b"") -> Path:
    """Letters on disk; the directory they are in."""
    directory = place.path / "state" / "dead" / "out"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "0000000001.ndjson").write_bytes(encode(letters) + more)
    return directory


def replay(place: Place, *args: str) -> int:
    """Run the command here."""
    return main(["replay", "--config", str(place.config), *args])


def test_without_letters_there_is_nothing_to_do(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even a state directory is needed."""
    assert replay(place) == 0
    assert "has no dead letters" in capsys.readouterr().out
    assert replay(place, "--dry-run") == 0
    assert "out: 0 letters would be sent" in capsys.readouterr().out


def test_letters_go_where_the_output_writes(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also letters of a time when the output was of another kind."""
    directory = write(place, made(1), made(2))
    assert replay(place) == 0
    assert capsys.readouterr().out == "out: 2 letters delivered, 0 left\n"
    assert place.out.read_text() == '{"n":1}\n{"n":2}\n'
    assert not list(directory.iterdir())


def test_a_dry_run_counts_and_changes_nothing(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """By kind and reason; what a server quotes can't move the cursor of a terminal."""
    old = made(1, time="2026-11-01T00:00:00.000Z")
    reasons = [made(n, reason=f"because of {n}\x1b[2J") for n in range(2, 10)]
    directory = write(place, old, made(1), made(1), *reasons)
    before = [(path.name, path.read_bytes()) for path in directory.iterdir()]
    assert replay(place, "--dry-run", "--since", "2026-11-24T11:00:00+01:00") == 0
    out = capsys.readouterr().out
    assert "out: 10 letters would be sent, 70 bytes; 1 are older" in out
    lines = [line.split(maxsplit=1) for line in out.splitlines()[1:]]
    assert ["10", "400 strict"] in lines
    assert ["2", "no"] in lines
    assert ["1", r"because of 2\x1b[2J"] in lines
    assert "and 4 other reasons" in out
    assert ["10", "of /a.log"] in lines
    assert [(path.name, path.read_bytes()) for path in directory.iterdir()] == before
    assert not place.out.exists()


def test_old_letters_stay(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--since 2h` what is older isn't touched."""
    directory = write(place, made(1, time="2020-11-01T00:00:00.000Z"))
    assert replay(place, "--since", "2h") == 0
    assert capsys.readouterr().out == "out: 0 letters delivered, 1 left\n"
    assert len(list(directory.iterdir())) == 1


def test_what_is_no_letter_is_set_aside(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """The status says that something is left."""
    directory = write(place, made(1), more=b"nonsense\n")
    assert replay(place) == 3
    assert "1 letters delivered, 1 unreadable, 0 left" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == {
        "unreadable.txt": b"nonsense\n"
    }


def test_one_replay_at_a_time(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A second one leaves at once; the agent's own lock is another."""
    directory = write(place, made(1))
    with lock_state(str(directory.parent)):
        assert replay(place) == 75
    assert "another replay is running" in capsys.readouterr().err
    with lock_state(str(place.path / "state")):
        assert replay(place) == 0


def test_letters_that_cannot_be_changed_are_said(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """The disk's fault has a status of its own."""
    directory = write(place)
    segment = directory / "0000000001.ndjson"
    segment.unlink()
    segment.symlink_to("/dev/null")
    assert replay(place) == 74
    assert "out: dead letters can't be changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "args", [["--since", "yesterday"], ["--output", "other"], ["--since", "2x"], ["more"]]
)
def test_usage(place: Place, args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be meant is refused before anything is read."""
    assert replay(place, *args) == 64
    assert "logagent replay" in capsys.readouterr().err


def test_a_bad_configuration_is_said(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """As `check` says it."""
    place.config.write_text("outputs: {}\n")
    assert replay(place) == 78
    assert capsys.readouterr().err


def test_letters_of_a_renamed_output_are_told(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are nobody's now; nothing is done to them."""
    directory = write(place, made(1), made(2))
    directory.rename(directory.parent / "older")
    for args in ([], ["--dry-run"]):
        assert replay(place, *args) == 0
        assert "2 letters in" in (err := capsys.readouterr().err)
        assert "dead/older stay: there is no such output" in err
    assert len(list((directory.parent / "older").iterdir())) == 1


def test_positions_tell_of_letters(place: Place) -> None:
    """Where people look first."""
    config = load([str(place.config)], {})
    assert not collect(config, Choice()).outputs[0].notes
    write(place, made(1), made(2))
    (note,) = collect(config, Choice()).outputs[0].notes
    assert note.startswith("2 dead letters")


def test_letters_whose_target_is_unknown_stay(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """An input that the configuration has lost had a name that the target is made of."""
    place.config.write_text(f"""\
agent: {{state_dir: {place.path}/state, admin: ""}}
inputs: {{app: {{paths: ["{place.logs}/*.log"], container: web}}}}
outputs: {{out: {{type: elasticsearch, hosts: ["http://127.0.0.1:1"], index: "a-{{container}}"}}}}
""")
    directory = write(place, made(1))
    assert replay(place) == 74
    assert "letters of input '' have no target" in capsys.readouterr().err
    assert len(list(directory.iterdir())) == 1
