"""What the agent counts: the table of all metrics, their cells, and the text that shows them.

Knows names, meanings and the exposition format (Prometheus text 0.0.4). Must not know who counts
or who asks. Counting is `cell.value += n`: a cell is asked for once and kept.
"""

import math
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

PREFIX: Final = "logagent_"

SERIES_MAX: Final = 200
"""Series of one metric with labels from outside. Further values of these labels are counted
together as OTHER: a sink must not be able to fill our memory with statuses."""

OTHER: Final = "other"

OUTSIDE: Final = frozenset({"status", "why", "reason"})
"""Labels whose values may come from a sink or a file system; all others are ids of the user's
configuration or constants of ours."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_PATH: Final = ("input", "output")
"""An output reads each of its inputs for itself, so nearly all is counted per pair."""


class Metric(NamedTuple):
    """One line of the table."""

    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()


METRICS: Final[Mapping[str, Metric]] = {
    # read, cut
    "read_bytes_total": Metric("counter", "Bytes of whole events read from files.", _PATH),
    "truncated_lines_total": Metric(
        "counter", "Lines longer than line_bytes_max, delivered cut and marked.", _PATH
    ),
    "discarded_bytes_total": Metric(
        "counter", "Bytes of over-long lines behind line_bytes_max, not delivered.", _PATH
    ),
    "lost_bytes_total": Metric(
        "counter",
        "Bytes that were seen in a file and could not be read any more, by reason.",
        (*_PATH, "reason"),
    ),
    "truncations_total": Metric(
        "counter", "Files that were truncated or rewritten in place.", _PATH
    ),
    "lag_bytes": Metric("gauge", "Bytes in the files behind the settled positions.", _PATH),
    "files_open": Metric("gauge", "Files that are held open.", ("input",)),
    "files_unreadable": Metric(
        "gauge", "Files that match and can't be opened (permission, I/O).", ("input",)
    ),
    "files_refused": Metric(
        "gauge",
        "Names that match and are never read: FIFOs, sockets, devices, links to the outside.",
        ("input",),
    ),
    # render
    "rendered_rows_total": Metric("counter", "Rows made for the output.", _PATH),
    "filtered_rows_total": Metric(
        "counter", "Events that became no row: blank, or dropped by a rule of the user.", _PATH
    ),
    "malformed_rows_total": Metric(
        "counter", "Rows that aren't what the format says, marked logagent.error.", _PATH
    ),
    "shadowed_rows_total": Metric(
        "counter", "Rows with a reserved key of the app's, moved under shadowed.", _PATH
    ),
    # send, judge
    "sent_requests_total": Metric(
        "counter", "Requests by HTTP status; fault = no complete answer.", ("output", "status")
    ),
    "sent_bytes_total": Metric(
        "counter", "Bytes of request bodies as they went over the wire.", ("output",)
    ),
    "retries_total": Metric(
        "counter", "Requests that have to be sent again, by reason.", ("output", "why")
    ),
    "retried_rows_total": Metric("counter", "Rows that were sent again.", ("output",)),
    "rejected_rows_total": Metric(
        "counter",
        "Rows that a sink refused for what is in them, each time that it did.",
        ("output",),
    ),
    "wrapped_rows_total": Metric(
        "counter", "Rejected rows that were sent once more as text in message.", ("output",)
    ),
    "batches_in_flight": Metric("gauge", "Batches that are being sent.", ("output",)),
    "acks_pending": Metric(
        "gauge", "Requests that Splunk has taken and not yet acknowledged.", ("output",)
    ),
    "kafka_rebuilds_total": Metric(
        "counter", "Kafka producers that were replaced, their sequence in doubt.", ("output",)
    ),
    "slots": Metric("gauge", "Batches that may be sent at the same time.", ("output",)),
    "backpressure_seconds_total": Metric(
        "counter", "Seconds in which reading waited for the sink.", ("output",)
    ),
    # settle, commit
    "settled_rows_total": Metric(
        "counter",
        "Rows with a final outcome: delivered, duplicate, redirected, dead_letter, dropped.",
        ("output", "outcome"),
    ),
    "dead_letters_dropped_total": Metric(
        "counter", "Oldest dead letters that made room for new ones.", ("output",)
    ),
    "dead_letters_bytes": Metric("gauge", "Bytes of dead letters on disk.", ("output",)),
    "commits_total": Metric("counter", "Checkpoints written.", ("output",)),
    "checkpoint_failures_total": Metric(
        "counter", "Checkpoints that could not be written.", ("output",)
    ),
    "checkpoint_age_seconds": Metric(
        "gauge", "Seconds since settled positions were last durable.", ("output",)
    ),
    "pipeline_restarts_total": Metric(
        "counter", "Pipelines that ended by a fault and were started again.", ("output",)
    ),
    # the process
    "loop_lag_seconds": Metric("gauge", "How late the event loop's heartbeat was."),
    "config_last_reload_successful": Metric(
        "gauge", "1 if the configuration last loaded is in use, else 0."
    ),
    "build_info": Metric("gauge", "Always 1; the version is a label.", ("version",)),
    "start_time_seconds": Metric("gauge", "Start of the process, seconds since 1970."),
    "process_cpu_seconds_total": Metric("counter", "User and system CPU time of the process."),
    "process_resident_memory_bytes": Metric("gauge", "Resident memory of the process."),
}


class Cell:
    """One series: add to a counter's value, set a gauge's."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: int | float = 0


class Registry:
    """All cells of the process."""

    def __init__(self) -> None:
        self._series: dict[str, dict[tuple[str, ...], Cell]] = {name: {} for name in METRICS}

    def cell(self, name: str, *label_values: str) -> Cell:
        """The cell of the metric `name` (without PREFIX) for these label values, in the table's
        order; the same cell for the same values."""
        assert name in METRICS, f"{name} is not in the table of metrics"
        labels = METRICS[name].labels
        assert len(labels) == len(label_values), f"{name} has the labels {labels}"
        series = self._series[name]
        if (
            label_values not in series
            and len(series) >= SERIES_MAX
            and not OUTSIDE.isdisjoint(labels)
        ):
            label_values = tuple(
                OTHER if label in OUTSIDE else value
                for label, value in zip(labels, label_values, strict=True)
            )
        return series.setdefault(label_values, Cell())

    def exposition(self) -> bytes:
        """All series in the text format 0.0.4, in the table's order. A metric without a series is
        left out."""
        lines: list[str] = []
        for name, metric in METRICS.items():
            series = self._series[name]
            if not series:
                continue
            lines.append(f"# HELP {PREFIX}{name} {_escape_help(metric.help)}\n")
            lines.append(f"# TYPE {PREFIX}{name} {metric.kind}\n")
            lines += [
                f"{PREFIX}{name}{_label_set(metric.labels, values)} {_number(cell.value)}\n"
                for values, cell in sorted(series.items(), key=lambda item: item[0])
            ]
        return "".join(lines).encode("utf-8", "replace")


def reference() -> str:
    """`docs/metrics.md`: the table for people. A test holds the file to it."""
    rows = "".join(
        f"| `{PREFIX}{name}` | {metric.kind} | {_code_list(metric.labels)} | {metric.help} |\n"
        for name, metric in METRICS.items()
    )
    return f"""# Metrics

Generated from `logagent/core/metrics.py`; do not edit. `GET /metrics` on the admin port answers in
the Prometheus text format 0.0.4.

Labels hold ids of the configuration and words of ours, never a path and never log content. A
metric with one of the labels {_code_list(tuple(sorted(OUTSIDE)))} has at most {SERIES_MAX} series;
further values of that label are counted together as `{OTHER}`.

| name | kind | labels | meaning |
|---|---|---|---|
{rows}"""


def _label_set(labels: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not labels:
        return ""
    pairs = zip(labels, values, strict=True)
    return "{" + ",".join(f'{label}="{_escape_label(value)}"' for label, value in pairs) + "}"


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _escape_label(text: str) -> str:
    return _escape_help(text).replace('"', r"\"")


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")


def _code_list(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)
