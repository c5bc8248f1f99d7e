"""Several files are one configuration: maps merge, everything else is set once."""

from __future__ import annotations

from tests.config.conftest import GOOD, Complain, Load


def test_the_platform_has_the_outputs_and_the_team_has_the_inputs(load_text: Load) -> None:
    """Maps merge by id, and an id's options may come from two files."""
    inputs, outputs = GOOD.split("outputs:")
    config = load_text(inputs, "outputs:" + outputs, "outputs: {search: {inputs: [app]}}")
    assert config.outputs["search"].inputs == ("app",)


def test_a_value_that_two_files_set_names_both(problems: Complain) -> None:
    """Neither file wins in silence."""
    assert problems(GOOD, "# one\noutputs: {search: {index: other}}\n") == [
        "b.yaml:2: $.outputs.search.index: is set in a.yaml:8 already; remove one of the two"
    ]
    assert problems(GOOD, "inputs: {app: {paths: [/x/*.log]}}") == [
        "b.yaml:1: $.inputs.app.paths: is set in a.yaml:3 already; remove one of the two"
    ]
    assert "is set in a.yaml:2 already" in problems(GOOD, "inputs: {app: 1}")[0]


def test_an_empty_section_is_no_section(load_text: Load) -> None:
    """`metadata:` with nothing but comments below it is as if it weren't there."""
    assert load_text(GOOD + "metadata:\n  # fields: {}\nagent:\n").metadata.schema == "ecs"


def test_a_file_that_is_no_map_is_told(problems: Complain) -> None:
    """A list or a text at the top is nobody's configuration."""
    assert problems("- a\n", GOOD)[0].startswith("a.yaml:1: is not a map; a configuration has")
