"""The first mistakes that somebody makes: each is one line that says where, what and what instead.

More of them, one by one, are in tests/config; here is what the terminal shows.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from logagent.cli.main import main
from tests.cli.conftest import Place

ROOT: Final = Path(__file__).parents[2]
NOBODY: Final = 65534

FIRST: Final = """\
agent: {state_dir: PLACE/state, admin: ""}
inputs:
  app:
    paths: ["PLACE/logs/*.log"]
outputs:
  search:
    type: elasticsearch
    hosts: ["https://es.example:9200"]
    index: app
"""
"""What somebody writes first, without a mistake."""

Mistake = tuple[str, str, str]
"""What is replaced in FIRST, by what, and the one line that tells."""

SYNTAX: Final[list[Mistake]] = [
    (
        "    paths",
        "\tpaths",
        (
            "4: YAML syntax at line 4, column 1: found character that cannot start any"
            " token; indent with spaces, not with a tab"
        ),
    ),
    (
        "type: elasticsearch",
        "type elasticsearch",
        (
            "8: YAML syntax at line 8, column 10: mapping values are not allowed in this"
            " context; is the indentation right, and is text with a colon in quotes?"
        ),
    ),
    (
        '*.log"]',
        "*.log]",
        "8: YAML syntax at line 8, column 14: did not find expected ',' or ']'",
    ),
    (
        "index: app\n",
        "index: app\n    index: other\n",
        "10: $.outputs.search.index: is given a second time; the first is in line 9",
    ),
]
TYPES: Final[list[Mistake]] = [
    (
        '["https://es.example:9200"]',
        "https://es.example:9200",
        (
            "8: $.outputs.search.hosts: must be a list, found the text"
            ' "https://es.example:9200"; write it in brackets: ["https://es.example:9200"]'
        ),
    ),
    ("app:\n    paths", "- paths", "2: $.inputs: must be a map, found a list"),
    (
        "index: app\n",
        "index: app\n    batch_bytes: 4MB\n",
        (
            "10: $.outputs.search.batch_bytes: must be an integer (262144 to 67108864), found"
            " the text"
            ' "4MB"'
        ),
    ),
    (
        "index: app\n",
        'index: app\n    ids: "yes"\n',
        '10: $.outputs.search.ids: must be true or false, found the text "yes"',
    ),
]
NAMES: Final[list[Mistake]] = [
    ("outputs:", "output:", '5: $.output: unknown option; did you mean "outputs"?'),
    (
        "index: app\n",
        "index: app\n    batch-bytes: 300000\n",
        '10: $.outputs.search.batch-bytes: unknown option; did you mean "batch_bytes"?',
    ),
    (
        "type: elasticsearch",
        "type: elastic",
        (
            "7: $.outputs.search.type: must be one of elasticsearch, kafka, splunk_hec, "
            "loki, otlp_http, http, s3, file, stdout, found the text"
            ' "elastic"; did you mean "elasticsearch"?'
        ),
    ),
    (
        "outputs:",
        "ids: true\noutputs:",
        "5: $.ids: unknown option; remove it (known: agent, metadata, inputs, outputs)",
    ),
]
NONSENSE: Final[list[Mistake]] = [
    (
        "index: app\n",
        "index: app\n    inputs: [ap]\n",
        (
            '10: $.outputs.search.inputs[0]: is "ap", but no input has this id (known:'
            ' app); did you mean "app"?'
        ),
    ),
    (
        "PLACE/state",
        "PLACE/logs/state",
        (
            "1: $.agent.state_dir: PLACE/logs/state is on the log volume, below PLACE/logs of"
            " the input app, where the app can change it; choose a directory elsewhere"
        ),
    ),
    (
        "https://es.example:9200",
        "${ELASTICSEARCH_HERE}",
        (
            "8: $.outputs.search.hosts[0]: needs the variable ELASTICSEARCH_HERE, which is not"
            " set; set it, or give a default: ${ELASTICSEARCH_HERE:-…}"
        ),
    ),
]
ABSENT: Final[list[Mistake]] = [
    (
        "logs/*.log",
        "logz/**/*.log",
        "$.inputs.app.paths: listing PLACE/logz: No such file or directory",
    ),
    (
        "index: app\n",
        "index: app\n    auth: {api_key_file: PLACE/key}\n",
        "$.outputs.search.auth.api_key_file: reading PLACE/key: No such file or directory",
    ),
]


def check(text: str, place: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of `check` for a configuration with mistakes; the last one counts them."""
    config = place / "app.yaml"
    config.write_text(text.replace("PLACE", str(place)))
    assert main(["check", "--config", str(config)]) == 78
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err.replace(f"{place}/", "PLACE/").splitlines()


@pytest.mark.parametrize("mistake", [*SYNTAX, *TYPES, *NAMES, *NONSENSE, *ABSENT])
def test_a_mistake_is_one_line(
    place: Place, capsys: pytest.CaptureFixture[str], mistake: Mistake
) -> None:
    """Nothing else is said than where it is and what would be right, and how many there are."""
    before, after, expected = mistake
    assert FIRST.count(before) == 1
    told = check(FIRST.replace(before, after), place.path, capsys)
    where = "PLACE/app.yaml:" if expected[0].isdigit() else ""
    assert told == [where + expected, "1 problem in PLACE/app.yaml"]


def test_without_a_mistake_nothing_is_told(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the mistakes are made in is good, so each is told for itself."""
    place.config.write_text(FIRST.replace("PLACE", str(place.path)))
    assert main(["check", "-c", str(place.config)]) == 0
    assert capsys.readouterr().err == ""


@contextmanager
def as_nobody() -> Iterator[None]:
    """The rights of an ordinary user, also where tests run as root; modules are loaded before."""
    was_root = os.geteuid() == 0
    if was_root:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)
            os.setegid(0)


def test_an_unreadable_secret_is_told_with_owner_and_mode(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who owns it, who we are: enough to know what to change."""
    # Not below pytest's own folder, which is root's alone.
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o777)
        (place / "logs").mkdir()
        (place / "key").write_text("secret")
        (place / "key").chmod(0)
        text = FIRST.replace("index: app\n", "index: app\n    auth: {api_key_file: PLACE/key}\n")
        (place / "app.yaml").touch()
        (place / "app.yaml").chmod(0o666)
        owner, group = os.geteuid(), os.getegid()
        main(["check", "--config", str(place / "app.yaml")])  # loads what the next one needs
        capsys.readouterr()
        with as_nobody():
            told = check(text, place, capsys)
            ours = f"this process has uid {os.geteuid()}, gid {os.getegid()}"
    assert told == [
        (
            "$.outputs.search.auth.api_key_file: reading PLACE/key: Permission denied"
            f" (uid {owner}, gid {group}, mode 0000; {ours})"
        ),
        "1 problem in PLACE/app.yaml",
    ]


def test_the_readmes_configuration_is_good(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the README tells to write passes `check`, but for the directories of its example."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        text = block.replace("/var/log/app", str(place.logs))
        text = text.replace("/var/lib/logagent", f"{place.path}/state")
        assert text != block
        place.config.write_text(text)
        assert main(["check", "-c", str(place.config)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "check", "positions"])
def test_a_configuration_that_is_not_there(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command that needs one says which file it looked for."""
    assert main([verb, "--config", f"{tmp_path}/app.yaml"]) == 78
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"{tmp_path}/app.yaml: reading it: No such file or directory"


@pytest.mark.slow
def test_run_waits_for_a_directory_and_says_so(place: Place) -> None:
    """`run` with a root that isn't there starts, names it, and reads as soon as it is there."""
    root = place.path / "later"
    place.config.write_text(place.config.read_text().replace(str(place.logs), str(root)))
    command = [sys.executable, "-m", "logagent", "run", "--config", str(place.config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stderr is not None
        said = map(json.loads, process.stderr)
        waiting = next(event for event in said if event["level"] == "warning")
        assert waiting["why"] == f"listing {root}: No such file or directory"
        root.mkdir()
        (root / "a.log").write_text("here I am\n")
        assert any(event["msg"] == "file found" for event in said)
        process.terminate()
        assert process.wait() == 0
        watchdog.cancel()
    (line,) = place.out.read_text().splitlines()
    assert json.loads(line)["message"] == "here I am"
