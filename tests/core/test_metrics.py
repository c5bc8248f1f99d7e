"""The table of metrics, its cells and the text they are shown as."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from logagent.core.metrics import METRICS, OTHER, PREFIX, SERIES_MAX, Registry, reference

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


def parsed(registry: Registry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of the exposition by name (without prefix) and labels."""
    text = registry.exposition().decode()
    return {
        (sample.name.removeprefix(PREFIX), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_one_cell_for_the_same_labels() -> None:
    """Whoever asks with the same labels counts in the same cell, with others in another."""
    registry = Registry()
    one = registry.cell("read_bytes_total", "app", "search")
    one.value += 5
    registry.cell("read_bytes_total", "app", "search").value += 2
    registry.cell("read_bytes_total", "search", "app").value += 1
    assert one.value == 7
    assert parsed(registry) == {
        ("read_bytes_total", (("input", "app"), ("output", "search"))): 7,
        ("read_bytes_total", (("input", "search"), ("output", "app"))): 1,
    }


def test_every_metric_is_shown_as_the_table_says() -> None:
    """A foreign parser finds each metric with its kind, its help text, its labels and its value."""
    registry = Registry()
    for number, (name, metric) in enumerate(METRICS.items()):
        registry.cell(name, *(f"v{i}" for i in range(len(metric.labels)))).value = number
    families = {
        family.name: family
        for family in text_string_to_metric_families(registry.exposition().decode())
    }
    assert len(families) == len(METRICS)
    for number, (name, metric) in enumerate(METRICS.items()):
        # The parser names a counter's family without its suffix.
        full = PREFIX + (name.removesuffix("_total") if metric.kind == "counter" else name)
        family = families[full]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
        (sample,) = family.samples
        assert sample.name == PREFIX + name
        assert sample.value == number
        assert sample.labels == {label: f"v{i}" for i, label in enumerate(metric.labels)}


def test_counters_and_only_counters_end_in_total() -> None:
    """The names follow the convention that tools rely on."""
    for name, metric in METRICS.items():
        assert name.endswith("_total") == (metric.kind == "counter"), name


@given(st.text())
def test_any_label_value_survives(value: str) -> None:
    """Quotes, backslashes, newlines and control characters come out of the parser as they went
    in."""
    registry = Registry()
    registry.cell("build_info", value).value = 1
    assert parsed(registry) == {("build_info", (("version", value),)): 1}


def test_a_surrogate_is_no_reason_to_fail() -> None:
    """A label that isn't text (from a path's bytes, say) doesn't cost the whole page."""
    registry = Registry()
    registry.cell("build_info", "\udc80").value = 1
    assert parsed(registry) == {("build_info", (("version", "?"),)): 1}


@pytest.mark.parametrize("value", [0, 2**70, 0.1, 1e-300, math.inf, -math.inf])
def test_any_number_survives(value: float) -> None:
    """Integers of any size and all floats are read back as what they are."""
    registry = Registry()
    registry.cell("loop_lag_seconds").value = value
    assert parsed(registry) == {("loop_lag_seconds", ()): float(value)}


def test_nan_is_shown() -> None:
    """A gauge without a value is NaN for the parser too."""
    registry = Registry()
    registry.cell("loop_lag_seconds").value = math.nan
    assert math.isnan(parsed(registry)["loop_lag_seconds", ()])


def test_labels_from_outside_are_bounded() -> None:
    """A sink that answers a thousand statuses costs 200 series and one for all the others."""
    registry = Registry()
    for status in range(1000):
        registry.cell("sent_requests_total", "search", str(status)).value += 1
    samples = parsed(registry)
    assert len(samples) == SERIES_MAX + 1
    others = samples["sent_requests_total", (("output", "search"), ("status", OTHER))]
    assert others == 1000 - SERIES_MAX
    registry.cell("sent_requests_total", "search", "0").value += 1
    assert parsed(registry)["sent_requests_total", (("output", "search"), ("status", "0"))] == 2


def test_labels_of_the_configuration_are_not_bounded() -> None:
    """Three hundred inputs have three hundred series: their number is the user's choice."""
    registry = Registry()
    for number in range(300):
        registry.cell("files_open", f"input-{number}").value = 1
    assert len(parsed(registry)) == 300


@pytest.mark.parametrize("call", [("no_such_total",), ("read_bytes_total", "app"), ("slots",)])
def test_a_wrong_name_or_number_of_labels_is_our_bug(call: tuple[str, ...]) -> None:
    """A cell that isn't in the table can't be counted in."""
    with pytest.raises(AssertionError):
        Registry().cell(*call)


def test_nothing_counted_shows_nothing() -> None:
    """A registry without cells is an empty page, not a page of headings."""
    assert Registry().exposition() == b""


def test_the_reference_is_fresh() -> None:
    """docs/metrics.md is what the table says; write `reference()` to it when this fails."""
    assert DOCS.read_text(encoding="utf-8") == reference()
