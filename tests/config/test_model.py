"""Nonsense in combination is refused, each with where, why and what to change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logagent.config.fields import clashes
from tests.config.conftest import GOOD, Complain, Load

ELASTIC = """\
inputs: {app: {paths: [/var/log/app/*.log]}}
outputs:
  search:
    type: elasticsearch
"""
HOSTS = "    hosts: [https://es:9200]\n"


def cases() -> Iterator[tuple[str, str]]:
    """Configurations and the only problem of each."""
    yield "outputs: {o: {type: stdout}}", "$.inputs: is empty: there is nothing to read"
    yield "inputs: {app: {paths: [/a/*.log]}}", "$.outputs: is empty: there is nowhere to send to"
    yield (
        GOOD + "    inputs: [ap]\n",
        (
            '$.outputs.search.inputs[0]: is "ap", but no input has this id (known: app); did you'
            ' mean "app"?'
        ),
    )
    yield (
        GOOD + "    inputs: []\n",
        "$.outputs.search.inputs: is an empty list; name at least one, or remove the option",
    )
    yield (
        GOOD.replace('*.log"]', '*.log"]\n    chunk_bytes: 1048576') + "    batch_bytes: 524288\n",
        (
            "$.outputs.search.batch_bytes: 524288 is less than chunk_bytes (1048576) of the input"
            " app; a chunk must fit into a batch"
        ),
    )
    yield (
        GOOD + "  f: {type: file, path: /var/log/app/out.log}\n",
        (
            "$.outputs.f.path: matches /var/log/app/*.log of the input app, so the agent would read"
            " what it writes; move it, or exclude it"
        ),
    )
    yield (
        GOOD + "  f: {type: file, path: /o/x}\n  g: {type: file, path: /o/x}\n",
        "$.outputs.g.path: is the file of the output f too; give each its own",
    )
    yield (
        GOOD + "agent: {state_dir: /var/log/app}\n",
        (
            "$.agent.state_dir: /var/log/app is on the log volume, below /var/log/app of the input"
            " app, where the app can change it; choose a directory elsewhere"
        ),
    )
    yield (
        GOOD.replace('*.log"]', '*.log"]\n    fields: {service: {name: x}}')
        + "metadata: {fields: {service: web}}\n",
        (
            '$.inputs.app.fields.service.name: makes "service.name" clash with metadata.fields: a'
            " name can't be both a value and the parent of others"
        ),
    )
    yield from elastic_cases()
    yield from value_cases()


def elastic_cases() -> Iterator[tuple[str, str]]:
    """Those of one Elasticsearch output."""
    here = "$.outputs.search"
    yield ELASTIC + "    index: a\n", f"{here}.hosts: is missing; name a server, or give cloud_id"
    yield (
        ELASTIC + HOSTS,
        f"{here}.index: is missing; write index: NAME, or data_stream: {{dataset: NAME}}",
    )
    yield (
        ELASTIC + HOSTS + "    index: a\n    data_stream: {}\n",
        f"{here}.index: is given besides data_stream; remove one",
    )
    yield (
        ELASTIC + HOSTS + "    index: a\n    require_data_stream: true\n",
        f"{here}.require_data_stream: needs data_stream, but index is given; remove one",
    )
    yield (
        ELASTIC + HOSTS + "    data_stream: {dataset: a-b}\n",
        (
            f"{here}.data_stream.dataset: has a -, which separates the parts of a data stream's"
            " name; write _"
        ),
    )
    plain = ELASTIC + "    hosts: [http://es:9200]\n    index: a\n"
    yield (
        plain + "    tls: {ca_file: /x}\n",
        f"{here}.tls: is given, but hosts[0] is not https; write https:// or remove tls",
    )
    good = ELASTIC + HOSTS + "    index: a\n"
    for option, expected in {
        "tls: {key_file: /k}": "tls.key_file: needs cert_file",
        "tls: {cert_file: /k}": "tls.cert_file: needs key_file",
        "tls: {cert_file: k, key_file: /k}": "tls.cert_file: is not absolute; start it with /",
        "tls: {ca_file: /k, verify: false}": "tls.verify: is false, so ca_file is never used;"
        " remove one",
        "auth: {}": "auth: is empty; give api_key_file, token_file, or username and password_file",
        "auth: {username: u}": "auth: has a user without password_file",
        "auth: {password_file: /p}": "auth: has a password without username",
        "auth: {username: u, password_file: /p, api_key_file: /k}": "auth: has both an API key and"
        " a user; remove one",
        "auth: {api_key_file: /k, api_key_env: K}": "auth.api_key_env: is given besides"
        " api_key_file; remove one",
        "auth: {api_key_file: k}": "auth.api_key_file: is not absolute; start it with /",
        "auth: {api_key_env: a-b}": "auth.api_key_env: is not the name of an environment variable",
        "pipeline: a/b": "pipeline: is not the name of an ingest pipeline",
        "slots: 0": "slots: must be an integer (1 to 64), found the number 0",
        "slots: '2'": 'slots: must be an integer (1 to 64), found the text "2"; remove the quotes',
        "timeout_s: .nan": "timeout_s: must be a number (1 to 600), found the number nan",
    }.items():
        yield f"{good}    {option}\n", f"{here}.{expected}"


def value_cases() -> Iterator[tuple[str, str]]:
    """Those of single values."""
    for option, expected in {
        "format: text\n    timestamp: {field: t}": "timestamp: names a field, but lines of format:"
        " text have none; use format: json or auto",
        "timestamp: {}": "timestamp.field: is missing; it must be text",
        "timestamp: {field: ''}": "timestamp.field: must not be empty",
        "timestamp: never": 'timestamp: must be auto or none or a map, found the text "never"',
        "exclude: ['']": "exclude[0]: is empty",
        "container: on": "container: must be text, found true (YAML reads on, off, yes and no as"
        " that; put the text in quotes)",
        "container: 1": "container: must be text, found the number 1; put it in quotes",
        "container:": "container: must be text, found nothing",
        "fields: {message: x}": "fields.message: is written by the agent itself; choose another"
        " name",
        "fields: {logagent.x: x}": 'fields["logagent.x"]: is written by the agent itself; choose'
        " another name",
        "fields: {a..b: x}": 'fields["a..b"]: has an empty name between dots',
        "fields: {a: .nan}": "fields.a: is not a number that JSON has",
        "fields: {a: 36893488147419103232}": "fields.a: is an integer of more than 64 bits; write"
        " it as text, in quotes",
        "fields: {a: {b: 1}, a.b: 2}": 'fields["a.b"]: gives "a.b" a second value; remove one',
        "fields: {a: {b: {c: {d: {e: {f: {g: {h: {}}}}}}}}}": "fields.a.b.c.d.e.f.g.h: is nested"
        " more than 8 deep",
    }.items():
        yield GOOD.replace('*.log"]', f'*.log"]\n    {option}'), f"$.inputs.app.{expected}"
    for option, expected in {
        "admin: '9598'": 'admin: is not host:port such as 0.0.0.0:9598 or [::]:9598 ("" turns it'
        " off)",
        "memory_bytes: 1000": "memory_bytes: is below 33554432, which the process itself needs;"
        " raise it, or write 0 for automatic",
        "state_dir: x": "state_dir: is not absolute; start it with /",
        "commit_interval_s: 0": "commit_interval_s: must be a number (more than 0 and at most 60),"
        " found the number 0",
    }.items():
        yield f"{GOOD}agent: {{{option}}}\n", f"$.agent.{expected}"


@pytest.mark.parametrize(("text", "expected"), list(cases()))
def test_nonsense_is_told_once(problems: Complain, text: str, expected: str) -> None:
    """One problem, one line."""
    found = problems(text)
    assert len(found) == 1, found
    assert found[0].partition(": ")[2] == expected or found[0] == expected


def test_what_looks_odd_and_is_fine(load_text: Load) -> None:
    """An excluded output file, a state directory beside the logs, the same field in two layers."""
    config = load_text(
        GOOD.replace('*.log"]', '*.log"]\n    exclude: ["out.*"]\n    fields: {a: {b: 1}}')
        + "  f: {type: file, path: /var/log/app/out.log}\n"
        + "agent: {state_dir: /var/log/app-state, admin: ''}\n"
        + "metadata: {fields: {a.b: 2}}\n"
    )
    assert config.agent.address() is None
    assert config.inputs_of("f") == ("app",)


def test_clashes_of_dotted_names() -> None:
    """Two layers may give the same name; one may not, and no name is both value and parent."""
    assert clashes({"a.b": 1}, {"a": {"b": 2}}) == {}
    assert clashes({"a": {"b": 1}, "a.b": 2}) == {"a.b": ("a.b",)}
    assert clashes({"a": 1}, {"a.b": 2}) == {"a.b": ("a.b",)}
    assert clashes({"a.b.c": 1}, {"a": {"b": 2}}) == {"a.b": ("a", "b")}
    assert clashes({"a": {}}, {"a.b": 1}) == {"a.b": ("a.b",)}
