"""Every output, the same file: lines per CPU-second and memory, in one table.

    python -m bench.outputs --size 250MB elasticsearch kafka

Knows a configuration for each kind and who receives it. All that a user has on by default is on:
metadata, guards, fsynced checkpoint. Outputs take turns; figures are of the agent's process alone.
This module stays small on purpose: see `Usage.rss_bytes_max`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from bench import table
from bench.processes import (
    ROOT,
    ProcessError,
    Usage,
    ask_local,
    cores,
    measure,
    pinned,
    receiver,
)
from bench.whole import POD, make_corpus, parse_size

CONFIG: Final = """\
agent: {{state_dir: "{state}", admin: ""}}
metadata: {metadata}
inputs:
  app: {{paths: ["{path}"], container: app, format: json}}
outputs:
  out: {output}
"""
HTTP: Final = '{{type: {kind}, hosts: ["http://127.0.0.1:{port}"]{more}}}'
METADATA: Final = '{schema: ecs, fields: {team: payments, service.version: "1.4.2"}}'
"""It makes 540 bytes of a line of 223."""
BARE: Final = "_bare"
"""What follows a kind whose documents are the app's lines and nothing else, without ids."""
OUTPUTS: Final = {
    "elasticsearch": HTTP.replace("{more}", ", data_stream: {{dataset: shop, namespace: prod}}"),
    "kafka": '{{type: kafka, bootstrap_servers: ["127.0.0.1:{port}"], topic: logs}}',
    "kafka_bare": '{{type: kafka, bootstrap_servers: ["127.0.0.1:{port}"], topic: logs,'
    ' id_header: ""}}',
    "splunk_hec": HTTP.replace("{more}", ", token_file: {secret}"),
    "loki": HTTP.replace("{more}", ""),
    "otlp_http": HTTP.replace("{more}", ""),
    "http": HTTP.replace("{more}", ""),
    "s3": HTTP.replace(
        "{more}",
        ", bucket: logs, aws: {{region: eu-central-1, access_key_file: {secret},"
        " secret_key_file: {secret}}}",
    ),
    "file": '{{type: file, path: "{state}/out.ndjson"}}',
}
TARGETS: Final = {"kafka": 800.0}
"""Thousand lines a CPU-second that are wanted."""


class Place(NamedTuple):
    """A kind of output, where it sends to, and how to ask what came since the last time."""

    kind: str
    port: int
    came: Callable[[], int]


@contextmanager
def place_for(kind: str, core: int) -> Iterator[Place]:
    """A receiver for a kind of output, on a core of its own."""
    if kind == "elasticsearch":
        with receiver(core) as search:

            def rows() -> int:
                count = search.stats().rows
                search.reset()
                return count

            yield Place(kind, search.port, rows)
        return
    command = [sys.executable, "-m", "bench.receivers", kind.removesuffix(BARE)]
    with pinned(core):
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    try:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        yield Place(kind, port, counter(kind.removesuffix(BARE), process, port))
    finally:
        process.terminate()
        process.wait(timeout=10)


def counter(kind: str, process: subprocess.Popen[str], port: int) -> Callable[[], int]:
    """A function that asks a receiver how many rows came since it was last asked."""
    if kind != "kafka":
        return lambda: int(ask_local(port, "/_count"))
    seen = 0

    def records() -> int:
        nonlocal seen
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        before, seen = seen, int(process.stdout.readline())
        return seen - before

    return records


@contextmanager
def nobody() -> Iterator[Place]:
    """For what stays on this machine."""
    yield Place("file", 0, lambda: -1)


def run_agent(place: Place, path: Path, lines: int, folder: Path) -> Usage:
    """One run on a fresh state directory. Raises ProcessError, also when lines are missing."""
    with tempfile.TemporaryDirectory(dir=folder) as state:
        secret = Path(state) / "secret"
        secret.write_text("a-secret\n")
        output = OUTPUTS[place.kind].format(
            kind=place.kind, port=place.port, secret=secret, state=state
        )
        config = Path(state) / "config.yaml"
        metadata = "{schema: none}" if place.kind.endswith(BARE) else METADATA
        config.write_text(
            CONFIG.format(state=f"{state}/state", path=path, output=output, metadata=metadata)
        )
        place.came()
        command = [sys.executable, "-m", "logagent", "run", "--once", "--config", str(config)]
        used = measure(command, cores().subject, env=POD, log=folder / "agent.log")
        came = place.came()
        if place.kind == "file":
            with (Path(state) / "out.ndjson").open("rb") as file:
                came = sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
    if came != lines:
        raise ProcessError(f"{place.kind}: {lines} lines were sent, and {came} arrived")
    return used


def rows_of(kind: str, lines: int, runs: Sequence[Usage], small: Usage) -> Sequence[str]:
    """A line of the table: medians, lowest and highest."""
    klines = [lines / used.cpu_s / 1000 for used in runs]
    target = TARGETS.get(kind, 0.0)
    verdict = ("met" if median(klines) >= target else "MISSED") if target else ""
    return (
        kind,
        f"{median(klines):,.0f} ({min(klines):,.0f}-{max(klines):,.0f})",
        f"{target:,.0f}" if target else "-",
        verdict,
        f"{small.rss_bytes_max / 2**20:.1f}",
        f"{max(used.rss_bytes_max for used in runs) / 2**20:.1f}",
        f"{median([used.system_s / used.cpu_s for used in runs]):.0%}",
    )


HEADINGS: Final = (
    "output", "klines/CPU-s", "target", "", "RSS MiB, few lines", "RSS MiB, full load", "system",
)  # fmt: skip


def main() -> int:
    """Run the outputs that were asked for and print a table; 1 when rows were lost."""
    parser = argparse.ArgumentParser(prog="bench.outputs", description=__doc__)
    parser.add_argument("outputs", nargs="*", help=f"of {', '.join(OUTPUTS)} (default: all)")
    parser.add_argument("--size", default="250MB", help="of the file (default: 250MB)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each output (default: 3)")
    chosen = parser.parse_args()
    kinds = chosen.outputs or list(OUTPUTS)
    if unknown := [kind for kind in kinds if kind not in OUTPUTS]:
        parser.error(f"no output {unknown[0]!r} (known: {', '.join(OUTPUTS)})")
    where = cores()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        places = [
            stack.enter_context(nobody() if kind == "file" else place_for(kind, where.receiver))
            for kind in kinds
        ]
        small, few, _, _ = make_corpus("json", 1_000_000)
        path, lines, _, _ = make_corpus("json", parse_size(chosen.size))
        runs: dict[str, list[Usage]] = {kind: [] for kind in kinds}
        try:
            idle = {place.kind: run_agent(place, small, few, folder) for place in places}
            for _ in range(chosen.rounds):
                for place in places:
                    runs[place.kind].append(run_agent(place, path, lines, folder))
        except ProcessError as error:
            print(error, file=sys.stderr)
            return 1
    rows = [rows_of(kind, lines, runs[kind], idle[kind]) for kind in kinds]
    print(table.render(HEADINGS, rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
