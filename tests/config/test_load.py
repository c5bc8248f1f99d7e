"""Files and directories become one configuration, or a list of all that is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from logagent.config import ConfigError, Elasticsearch, Problem, load
from tests.config.conftest import GOOD, Complain, Load


def test_the_shortest_configuration_gets_all_defaults(load_text: Load) -> None:
    """Eight lines are enough; everything else has a default."""
    config = load_text(GOOD)
    assert config.inputs["app"].format == "auto"
    assert config.agent.admin == "0.0.0.0:9598"
    assert config.inputs_of("search") == ("app",)
    search = config.outputs["search"]
    assert isinstance(search, Elasticsearch)
    assert search.endpoints() == ("https://es.example:9200",)


def test_all_problems_of_one_load_are_told_with_line_and_advice(problems: Complain) -> None:
    """A slip, a wrong type, nonsense and an unset variable in one file: one line each, at once."""
    found = problems("""\
agent:
  grace_s: soon
  state_dir: /var/log/app/state
  admn: ""
inputs:
  app:
    paths: ["/var/log/app/**/*.log"]
    formt: json
    line_bytes_max: 300000
outputs:
  search:
    type: elasticsearch
    hosts: [es:9200]
    index: Foo-%Y
    slots: ${SLOTS}
    compression: gzi
    inputs: [ap]
""")
    assert found == [
        'a.yaml:2: $.agent.grace_s: must be a number (0 to 3600), found the text "soon"',
        (
            "a.yaml:3: $.agent.state_dir: /var/log/app/state is on the log volume, below "
            "/var/log/app of the input app, where the app can change it; "
            "choose a directory elsewhere"
        ),
        'a.yaml:4: $.agent.admn: unknown option; did you mean "admin"?',
        'a.yaml:8: $.inputs.app.formt: unknown option; did you mean "format"?',
        (
            "a.yaml:9: $.inputs.app.line_bytes_max: 300000 is more than chunk_bytes (262144); a "
            "line must fit into a chunk"
        ),
        "a.yaml:13: $.outputs.search.hosts[0]: needs a scheme: write https://es:9200",
        "a.yaml:14: $.outputs.search.index: has capital letters; write foo-%Y",
        (
            "a.yaml:15: $.outputs.search.slots: needs the variable SLOTS, which is not set; "
            "set it, or give a default: ${SLOTS:-…}"
        ),
        (
            'a.yaml:16: $.outputs.search.compression: must be gzip or none, found the text "gzi"; '
            'did you mean "gzip"?'
        ),
    ]


def test_what_is_left_without_the_problems_is_usable(tmp_path: Path) -> None:
    """`check` can go on with the files that a wrong configuration names."""
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.replace("index: app", "index: app\n    slots: many"))
    with pytest.raises(ConfigError) as raised:
        load([str(path)], {})
    usable = raised.value.usable
    assert usable is not None
    assert usable.inputs["app"].paths == ("/var/log/app/*.log",)
    assert isinstance(search := usable.outputs["search"], Elasticsearch)
    assert search.slots == 2


def test_a_problem_does_not_drag_others_behind_it(problems: Complain) -> None:
    """A misspelt required option is told once, not again as missing or as empty."""
    assert problems(GOOD.replace("hosts:", "hostz:")) == [
        'a.yaml:7: $.outputs.search.hostz: unknown option; did you mean "hosts"?'
    ]
    assert problems(GOOD.replace("paths:", "path:")) == [
        'a.yaml:3: $.inputs.app.path: unknown option; did you mean "paths"?'
    ]


def test_a_broken_file_does_not_make_the_others_look_incomplete(problems: Complain) -> None:
    """What isn't there may be in the file that can't be parsed."""
    found = problems("inputs:\n  app: [\n", GOOD.split("outputs:")[1].join(["outputs:", ""]))
    assert len(found) == 1
    assert found[0].startswith("a.yaml:3: YAML syntax at line 3, column 1: ")


def test_directories_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Only *.yaml, *.yml and *.json count; what the kubelet hides behind a dot doesn't."""
    inputs, outputs = GOOD.split("outputs:")
    (tmp_path / "2.yml").write_text(inputs)
    (tmp_path / "1.json").write_text('{"agent": {"grace_s": 5}}')
    (tmp_path / "3.yaml").write_text("outputs:" + outputs)
    (tmp_path / "..data.yaml").write_text("nonsense: 1")
    (tmp_path / "notes.txt").write_text("nonsense")
    config = load([str(tmp_path)], {})
    assert config.agent.grace_s == 5
    assert list(config.inputs) == ["app"]


def test_files_that_are_not_there_are_problems_of_their_own(tmp_path: Path) -> None:
    """A missing file, an empty directory and no path at all are told, without a traceback."""

    def check(paths: list[str], expected: str) -> None:
        with pytest.raises(ConfigError) as raised:
            load(paths, {})
        assert expected in str(raised.value)

    check([f"{tmp_path}/x.yaml"], f"{tmp_path}/x.yaml: reading it: No such file or directory")
    check([str(tmp_path)], "is a directory without *.yaml, *.yml, *.json")
    check([], "no configuration is named")
    check(["a\0b"], "is not a path")


def test_a_secret_variable_that_is_not_set_is_a_problem(
    problems: Complain, load_text: Load
) -> None:
    """A variable with a secret never comes later, so it must be there at the start."""
    text = GOOD + "    auth: {api_key_env: KEY}\n"
    assert problems(text) == [
        "a.yaml:9: $.outputs.search.auth.api_key_env: names KEY, which is not set"
    ]
    assert "search" in load_text(text, env={"KEY": "x"}).outputs


@given(st.text(max_size=200))
def test_no_text_makes_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever a file holds, it is a configuration or a list of problems."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(ConfigError):
        load([str(path)], {})


REFERENCE = Path(__file__).parents[2] / "config" / "reference.yaml"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(option=st.sampled_from(["agent", "metadata", "inputs", "outputs"]), value=VALUES)
def test_no_value_makes_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, option: str, value: object
) -> None:
    """Whatever stands where a section belongs, it loads or it is a list of problems."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps({option: value}))
    with pytest.raises(ConfigError) as raised:
        load([str(path)], {})
    assert all(str(problem) for problem in raised.value.problems)


@st.composite
def damaged(draw: st.DrawFn) -> object:
    """The reference with one to three values replaced by others, or given another name."""
    tree = yaml.safe_load(REFERENCE.read_text())
    for _ in range(draw(st.integers(1, 3))):
        holder: object = tree
        while isinstance(holder, dict | list) and holder:
            key = draw(
                st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder)))
            )
            inner = holder[key]
            if isinstance(inner, dict | list) and inner and draw(st.integers(0, 3)):
                holder = inner
                continue
            if isinstance(holder, dict) and draw(st.booleans()):
                holder[draw(st.text(max_size=8))] = holder.pop(key)
            else:
                holder[key] = draw(VALUES)
            break
    return tree


@given(tree=damaged())
def test_no_damage_makes_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, tree: object
) -> None:
    """A configuration with some nonsense in it loads, or says where the nonsense is."""
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    path.write_text(json.dumps(tree))
    problems: tuple[Problem, ...] = ()
    try:
        load([str(path)], {})
    except ConfigError as error:
        problems = error.problems
    assert all(problem.path for problem in problems)
