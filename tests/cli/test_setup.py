"""`logagent setup`: its arguments, its output, its exit status."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logagent.cli.main import main
from tests.cli.asking.serving import Served, serving
from tests.cli.conftest import Place

OPENSEARCH = b'{"cluster_name": "o", "version": {"number": "2.19", "distribution": "opensearch"}}'


@pytest.fixture
def server() -> Iterator[Served]:
    """An OpenSearch that takes everything."""
    with serving(
        {
            "/": (200, OPENSEARCH),
            "POST /_index_template/_simulate/logagent-search": (200, b"{}"),
            "PUT /_plugins/_ism/policies/logagent-search": (200, b"{}"),
            "PUT /_index_template/logagent-search": (200, b"{}"),
        }
    ) as served:
        yield served


def configure(place: Place, url: str) -> None:
    """One output to a search server, one to a file."""
    place.config.write_text(f"""\
agent: {{state_dir: {place.path}/state, admin: ""}}
inputs: {{app: {{paths: ["{place.logs}/*.log"]}}}}
outputs:
  search: {{type: elasticsearch, hosts: ["{url}"], index: "app-%Y"}}
  out: {{type: file, path: {place.path}/out.ndjson}}
""")


def test_it_prints_what_it_made_and_what_an_administrator_runs(
    place: Place, server: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only outputs that have something to set up; a dry run asks and shows, and changes nothing."""
    configure(place, server.url)
    assert main(["setup", "-c", str(place.config)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"setup\n  search       {server.url}: OpenSearch 2.19")
    assert "  search       index template logagent-search: made\n" in said
    assert "an administrator runs:\n\nPUT /_plugins/_security/api/roles/logagent-search\n{" in said
    server.asked.clear()
    dry = ["setup", "-c", str(place.config), "--dry-run", "--keep", "7d", "--output", "search"]
    assert main(dry) == 0
    said = capsys.readouterr().out
    assert said.startswith("setup (dry run: nothing is changed)\n")
    assert "lifecycle policy logagent-search: would make it\n" in said
    assert '"app-*"' in said
    assert not [asked for asked in server.asked if asked.method == "PUT"]


def test_its_own_credentials_are_used(
    place: Place, server: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """In place of the output's, and a path may be relative."""
    configure(place, server.url)
    (place.path / "password").write_text("b")
    args = ["setup", "-c", str(place.config), "--username", "a", "--password-file"]
    assert main([*args, str(place.path / "password")]) == 0
    assert {asked.headers["authorization"] for asked in server.asked} == {"Basic YTpi"}
    assert main([*args, str(place.path / "none")]) == 69
    assert "none: No such file or directory" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--keep", "a week"], "an age looks like 30d or 12h"),
        (["--output", "out"], "no such Elasticsearch output (known: search)"),
        (["--username", "a"], "has a user without password_file"),
    ],
)
def test_wrong_arguments_are_told(
    place: Place, args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With 64, and nothing is asked."""
    configure(place, "http://127.0.0.1:1")
    assert main(["setup", "-c", str(place.config), *args]) == 64
    assert said in capsys.readouterr().err


def test_without_such_an_output_there_is_nothing_to_do(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said, as wrong usage; a configuration with problems has its own status."""
    assert main(["setup", "-c", str(place.config)]) == 64
    assert "nothing to set up" in capsys.readouterr().err
    place.config.write_text("outputs: 3\n")
    assert main(["setup", "-c", str(place.config)]) == 78
