"""`check` is strict: one clear line for each problem, exit 78."""

from __future__ import annotations

import os

import pytest
import trustme

from logagent.cli.main import main
from tests.cli.conftest import Place


def check(place: Place, text: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of `check` for a configuration, without its directory; the last is the count."""
    place.config.write_text(text)
    assert main(["check", "--config", str(place.config)]) == 78
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err.replace(f"{place.path}/", "").strip().split("\n")


def test_a_good_configuration_is_summed_up(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Inputs, outputs, what the memory comes to; exit 0."""
    assert main(["check", "-c", str(place.config)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("The configuration is good.\n")
    assert f"{place.logs}/*.log (auto)" in text
    assert f"file {place.out} ← app" in text
    assert "MiB in all" in text
    assert "(is made at the start)" in text
    assert not (place.path / "state").exists()


def test_each_kind_of_problem_has_its_line(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip, a wrong type, nonsense in combination, a missing secret and a missing directory."""
    lines = check(
        place,
        f"""\
agent: {{state_dir: {place.logs}/state, grace: 3}}
inputs:
  app: {{paths: ["{place.logs}/*.log"]}}
  gone: {{paths: ["{place.path}/gone/*.log"], files_max: many}}
outputs:
  search:
    type: elasticsearch
    hosts: ["https://es:9200"]
    index: app
    auth: {{api_key_file: {place.path}/key}}
    tls: {{ca_file: {place.path}/ca.crt}}
""",
        capsys,
    )
    assert lines == [
        'logagent.yaml:1: $.agent.grace: unknown option; did you mean "grace_s"?',
        (
            "logagent.yaml:1: $.agent.state_dir: logs/state is on the log volume, below"
            " logs of the input app, where the app can change it; choose a directory"
            " elsewhere"
        ),
        (
            "logagent.yaml:4: $.inputs.gone.files_max: must be an integer (1 to 100000), found the"
            ' text "many"'
        ),
        "$.inputs.gone.paths: listing gone: No such file or directory",
        "$.outputs.search.auth.api_key_file: reading key: No such file or directory",
        "$.outputs.search.tls.ca_file: reading ca.crt: No such file or directory",
        "6 problems in logagent.yaml",
    ]


def test_syntax_is_told_with_line_and_column(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """YAML that can't be parsed."""
    lines = check(place, "inputs:\n  app: [1\noutputs: {}\n", capsys)
    assert lines[0].startswith("logagent.yaml:3: YAML syntax at line 3, column 8: ")
    assert len(lines) == 2


def test_secrets_and_certificates_are_opened(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty secret, a directory in its place, a CA file that holds none."""
    for name in ("empty", "ca"):
        (place.path / name).write_text("\n" if name == "empty" else "no certificate")
    (place.path / "directory").mkdir()

    def one(option: str) -> str:
        text = f"""\
inputs: {{app: {{paths: ["{place.logs}/*.log"]}}}}
outputs:
  search: {{type: elasticsearch, hosts: ["https://es"], index: a, {option}}}
"""
        lines = check(place, text, capsys)
        assert len(lines) == 2
        return lines[0]

    assert one(f"auth: {{api_key_file: {place.path}/empty}}") == (
        "$.outputs.search.auth.api_key_file: empty is empty"
    )
    assert one(f"auth: {{api_key_file: {place.path}/directory}}") == (
        "$.outputs.search.auth.api_key_file: reading directory: Is a directory"
    )
    assert one(f"tls: {{ca_file: {place.path}/ca}}").startswith("$.outputs.search.tls: loading CA")


def test_a_good_ca_file_is_good(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """What OpenSSL takes is no problem."""
    trustme.CA().cert_pem.write_to_path(str(place.path / "ca"))
    place.config.write_text(f"""\
inputs: {{app: {{paths: ["{place.logs}/*.log"]}}}}
outputs:
  search:
    type: elasticsearch
    hosts: ["https://es"]
    index: a
    tls: {{ca_file: {place.path}/ca}}
""")
    assert main(["check", "-c", str(place.config)]) == 0
    assert "index a ← app" in capsys.readouterr().out


def test_the_output_files_directory_must_be_there(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """The agent makes the file, not where it is."""
    text = place.config.read_text().replace("out.ndjson", "no/out.ndjson")
    assert check(place, text, capsys)[0] == "$.outputs.out.path: the directory no is not there"


def test_the_state_directory_can_be_made(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Without it nothing runs, so what stands in its way is a problem."""
    (place.path / "file").touch()
    text = place.config.read_text().replace("/state,", "/file/state,")
    assert check(place, text, capsys)[0] == "$.agent.state_dir: file is not a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_the_state_directory_is_writable(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest directory that is there, and who can't write to it."""
    (place.path / "closed").mkdir(0o500)
    text = place.config.read_text().replace("/state,", "/closed/state,")
    assert check(place, text, capsys)[0] == (
        f"$.agent.state_dir: closed is not writable by uid {os.getuid()},"
        " so closed/state can't be made"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_secret_is_told_with_its_owner(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Uid, gid and mode say who would have to change what."""
    (place.path / "key").write_text("x")
    (place.path / "key").chmod(0)
    text = f"""\
inputs: {{app: {{paths: ["{place.logs}/*.log"]}}}}
outputs:
  search:
    type: elasticsearch
    hosts: ["https://es"]
    index: a
    auth: {{api_key_file: {place.path}/key}}
"""
    assert "Permission denied (uid" in check(place, text, capsys)[0]
