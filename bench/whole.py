"""The whole path: a file through `logagent run --once` to a receiver, beside the limit loop.

    python -m bench.whole --size 1GB json text

Knows scenarios, rounds of runs and their shares. Everything that a user has on is on: metadata,
guards, fsynced checkpoint in a fresh state directory, a verdict for each row, the admin port. The
agent and the limits run by turns; figures are per CPU-second of the process alone, start included,
so neither the receiver's core nor a busy machine is in them. This module stays small on purpose:
see `Usage.rss_bytes_max`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from bench import table
from bench.processes import (
    ROOT,
    Cores,
    ProcessError,
    ReceiverProcess,
    Usage,
    cores,
    environment,
    measure,
    own_rss_bytes,
    receiver,
)

UNITS: Final = {"MB": 1_000_000, "GB": 1_000_000_000}
POD: Final = {
    "POD_NAME": "checkout-6d4cf56db6-x7k2p",
    "POD_NAMESPACE": "shop",
    "POD_UID": "5f0c2a4e-7a86-4ab1-9e1c-0a51d4f0b7a3",
    "POD_IP": "10.42.7.19",
    "NODE_NAME": "worker-3",
}
"""What the downward API puts into a container's environment."""

CONFIG: Final = """\
agent: {{state_dir: "{state}", admin: "127.0.0.1:0"}}
metadata: {{schema: ecs, fields: {{team: payments, service.version: "1.4.2"}}}}
inputs:
  app: {{paths: ["{path}"], container: app, format: {format}, timestamp: {timestamp}}}
outputs:
  search:
    type: elasticsearch
    hosts: ["http://127.0.0.1:{port}"]
    data_stream: {{dataset: checkout, namespace: prod}}
    compression: gzip
    ids: {ids}
"""


class Scenario(NamedTuple):
    """What is sent, how, and which share of the limit is wanted (0: none was set)."""

    about: str
    corpus: str
    target: float = 0.0
    format: str = "json"
    timestamp: str = "auto"
    ids: str = "false"


SCENARIOS: Final = {
    "json": Scenario("JSON", "json", 0.50),
    "text": Scenario("text", "text", 0.58, format="text"),
    "ids": Scenario("JSON, ids", "json", ids="true"),
    "time": Scenario("JSON, timestamp from a field", "time", timestamp="{field: time}"),
    "auto": Scenario("JSON, format auto", "json", format="auto"),
}
DEFAULT: Final = ("json", "text", "ids", "time")


class Round(NamedTuple):
    """One run of the agent and one of each limit (see limit.py), right after each other."""

    agent: Usage
    limit: Usage
    bare: Usage


class Result(NamedTuple):
    """A scenario's rounds. `size` in bytes; `delivered` is asserted to be `lines` in each run."""

    scenario: Scenario
    lines: int
    size: int
    ratio: float
    rounds: Sequence[Round]

    def klines(self, who: str) -> list[float]:
        """Thousand lines a CPU-second of "agent", "limit" or "bare", run by run."""
        return [self.lines / getattr(each, who).cpu_s / 1000 for each in self.rounds]

    def shares(self, of: str = "limit") -> list[float]:
        """How much of the speed of "limit" or "bare" the agent has, round by round."""
        return [getattr(each, of).cpu_s / each.agent.cpu_s for each in self.rounds]

    def as_json(self) -> dict[str, object]:
        """The result for the history."""
        agents = [each.agent for each in self.rounds]
        return {
            "scenario": self.scenario.about,
            "lines": self.lines,
            "bytes": self.size,
            "gzip_ratio": round(self.ratio, 2),
            "rounds": len(self.rounds),
            "agent_klines_per_cpu_s": round(median(self.klines("agent")), 1),
            "limit_klines_per_cpu_s": round(median(self.klines("limit")), 1),
            "share": round(median(self.shares()), 3),
            "share_of_bare": round(median(self.shares("bare")), 3),
            "target": self.scenario.target,
            "rss_bytes_max": max(usage.rss_bytes_max for usage in agents),
            "page_faults": max(usage.page_faults for usage in agents),
        }


class Place(NamedTuple):
    """Where runs happen: a temporary folder, cores, a receiver."""

    folder: Path
    cores: Cores
    receiver: ReceiverProcess


def parse_size(text: str) -> int:
    """Bytes of "250MB" or "1GB" (powers of ten). Raises ValueError."""
    unit = text[-2:].upper()
    if unit not in UNITS:
        raise ValueError(f"{text}: a size ends in MB or GB")
    return int(float(text[:-2]) * UNITS[unit])


def make_corpus(kind: str, size: int) -> tuple[Path, int, int, float]:
    """Path, lines, bytes and gzip ratio of a corpus, made by a process of its own; it is in the
    page cache afterwards."""
    command = [sys.executable, "-m", "bench.corpus", kind, str(size)]
    made = subprocess.run(
        command, cwd=ROOT, env=environment(), check=True, stdout=subprocess.PIPE, text=True
    )
    path, lines, real, ratio = made.stdout.split()
    with Path(path).open("rb") as file:
        while file.read(1 << 20):
            pass
    return Path(path), int(lines), int(real), float(ratio)


def run_agent(scenario: Scenario, path: Path, lines: int, place: Place) -> Usage:
    """One run of the agent on a fresh state directory. Raises ProcessError, also when another
    number of rows than lines arrived."""
    with tempfile.TemporaryDirectory(dir=place.folder) as state:
        config = Path(state) / "config.yaml"
        config.write_text(
            CONFIG.format(
                state=f"{state}/state",
                path=path,
                port=place.receiver.port,
                format=scenario.format,
                timestamp=scenario.timestamp,
                ids=scenario.ids,
            )
        )
        place.receiver.reset()
        command = [sys.executable, "-m", "logagent", "run", "--once", "--config", str(config)]
        log = place.folder / "agent.log"
        used = measure(command, place.cores.subject, env=POD, log=log)
    stats = place.receiver.stats()
    if stats.rows != lines or stats.documents != lines or set(stats.statuses) != {"200"}:
        raise ProcessError(f"{lines} lines were sent, and this arrived: {stats}")
    assert used.rss_bytes_max > own_rss_bytes(), "the highest RSS would be this process's own"
    return used


def warm_up(scenario: Scenario, place: Place) -> None:
    """Run agent and limit on a small corpus, so that byte code is there for all that follow."""
    path, lines, _, _ = make_corpus(scenario.corpus, 1_000_000)
    run_agent(scenario, path, lines, place)
    run_limit("limit", path, place)
    run_limit("bare", path, place)


def run_limit(kind: str, path: Path, place: Place) -> Usage:
    """One run of the limit loop, "limit" or "bare". Raises ProcessError."""
    command = [sys.executable, "-m", "bench.limit", kind, str(path), str(place.receiver.port)]
    return measure(command, place.cores.subject, log=place.folder / "limit.log")


def run_scenario(scenario: Scenario, size: int, rounds: int, place: Place) -> Result:
    """Agent and limits by turns; the order turns with each round. Raises ProcessError."""
    path, lines, real, ratio = make_corpus(scenario.corpus, size)
    warm_up(scenario, place)
    done = []
    for number in range(rounds):
        if number % 2:
            bare, limit = run_limit("bare", path, place), run_limit("limit", path, place)
            agent = run_agent(scenario, path, lines, place)
        else:
            agent = run_agent(scenario, path, lines, place)
            limit, bare = run_limit("limit", path, place), run_limit("bare", path, place)
        done.append(Round(agent, limit, bare))
    return Result(scenario, lines, real, ratio, done)


HEADINGS: Final = (
    "scenario", "lines", "gzip", "agent klines/CPU-s", "limit", "share", "target", "",
    "bare limit", "share", "RSS MiB", "page faults", "system",
)  # fmt: skip


def row_of(result: Result) -> Sequence[str]:
    """A line of the table: medians, and the lowest and highest of what matters."""
    agent, shares = result.klines("agent"), result.shares()
    target = result.scenario.target
    share = median(shares)
    used = [each.agent for each in result.rounds]
    verdict = ("met" if share >= target else "MISSED") if target else ""
    return (
        result.scenario.about,
        f"{result.lines:,}",
        f"{result.ratio:.1f}×",
        f"{median(agent):,.0f} ({min(agent):,.0f}-{max(agent):,.0f})",
        f"{median(result.klines('limit')):,.0f}",
        f"{share:.2f} ({min(shares):.2f}-{max(shares):.2f})",
        f"{target:.2f}" if target else "-",
        verdict,
        f"{median(result.klines('bare')):,.0f}",
        f"{median(result.shares('bare')):.2f}",
        f"{max(usage.rss_bytes_max for usage in used) / 2**20:.1f}",
        f"{max(usage.page_faults for usage in used):,}",
        f"{median([usage.system_s / usage.cpu_s for usage in used]):.0%}",
    )


def main() -> int:
    """Run the scenarios that were asked for and print a table; 1 when rows were lost."""
    parser = argparse.ArgumentParser(prog="bench.whole", description=__doc__)
    parser.add_argument(
        "scenarios", nargs="*", help=f"of {', '.join(SCENARIOS)} (default: the first four)"
    )
    parser.add_argument("--size", default="1GB", help="of each file (default: 1GB)")
    parser.add_argument(
        "--pairs", type=int, default=3, help="rounds of agent and limits (default: 3)"
    )
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    chosen = parser.parse_args()
    names = chosen.scenarios or DEFAULT
    if unknown := [name for name in names if name not in SCENARIOS]:
        parser.error(f"no scenario {unknown[0]!r} (known: {', '.join(SCENARIOS)})")
    size = parse_size(chosen.size)
    rows, results = [], []
    where = cores()
    with tempfile.TemporaryDirectory() as folder, receiver(where.receiver) as sink:
        place = Place(Path(folder), where, sink)
        for name in names:
            try:
                result = run_scenario(SCENARIOS[name], size, chosen.pairs, place)
            except ProcessError as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
            rows.append(row_of(result))
            results.append(result.as_json())
    print(table.render(HEADINGS, rows))
    if chosen.json:
        chosen.json.write_text(json.dumps(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
