"""`python -m bench [--quick]`: every benchmark, and one readable table of each kind at the end.

Knows the order: first what one step costs a line, then the whole path beside the limit, then every
output. It starts processes and reads what they wrote; it measures nothing itself.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import table
from bench.processes import ROOT, cores, environment, pinned

HISTORY: Final = ROOT / "bench" / "history"
FULL: Final = ("--size", "1GB", "--pairs", "5")
QUICK: Final = ("--size", "250MB", "--pairs", "2")
"""Still more than a million lines each, so that a run takes a CPU-second."""
QUICK_OUTPUTS: Final = ("--rounds", "1")


def run(command: Sequence[str]) -> int:
    """Run a part of the benchmarks; what it prints goes through."""
    return subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode


def run_steps(folder: Path) -> list[dict[str, object]]:
    """Run pytest-benchmark on one core, by process time. A question, a case and ns a line each."""
    out = folder / "steps.json"
    command = [
        sys.executable, "-m", "pytest", "bench", "--benchmark-only", "--quiet", "--no-header",
        "-p", "no:cacheprovider", "--benchmark-quiet", "--benchmark-timer=time.process_time",
        f"--benchmark-json={out}",
    ]  # fmt: skip
    with pinned(cores().subject):
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), check=False, capture_output=True, text=True
        )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return [
        {
            "question": each["fullname"].partition("::")[0].rpartition("_")[2].removesuffix(".py"),
            "case": each["name"].removeprefix("test_"),
            **each["extra_info"],
        }
        for each in json.loads(out.read_text())["benchmarks"]
    ]


def print_steps(steps: Sequence[dict[str, object]]) -> None:
    """The table of the steps."""
    headings = ("step", "ns a line", "median", "lines a round")
    rows = [
        (
            str(step["case"]),
            str(step["ns_per_line"]),
            str(step["ns_per_line_median"]),
            f"{step['lines']:,}",
        )
        for step in steps
    ]
    print(table.render(headings, rows), end="\n\n", flush=True)


def run_whole(folder: Path, *, quick: bool) -> list[dict[str, object]]:
    """The whole path in a process of its own, which prints its table. Raises SystemExit."""
    out = folder / "whole.json"
    status = run(
        [sys.executable, "-m", "bench.whole", *(QUICK if quick else FULL), "--json", str(out)]
    )
    if status:
        raise SystemExit(status)
    results: list[dict[str, object]] = json.loads(out.read_text())
    return results


def machine() -> dict[str, str]:
    """What figures depend on: processor, kernel, Python, lock."""
    processor = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
    lock = (ROOT / "requirements" / "runtime.txt").read_bytes()
    return {
        "processor": processor,
        "machine": platform.machine(),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
        "lock": hashlib.sha256(lock).hexdigest()[:12],
    }


def record(steps: Sequence[object], results: Sequence[object]) -> Path:
    """Append a line to the history: a file for each kind of machine, a line for each landing."""
    where = machine()
    name = f"{where['processor']}-{where['machine']}-py{where['python']}".replace(" ", "_").lower()
    HISTORY.mkdir(exist_ok=True)
    path = HISTORY / f"{name}.jsonl"
    with path.open("a") as file:
        file.write(json.dumps({**where, "whole": results, "steps": steps}) + "\n")
    return path


def main() -> int:
    """Run everything; non-zero when a benchmark doesn't run or rows were lost."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller files, fewer runs (CI)")
    parser.add_argument("--record", action="store_true", help="append the figures to the history")
    chosen = parser.parse_args()
    print(f"bench: {', '.join(machine().values())}", end="\n\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        steps = run_steps(Path(folder))
        print_steps(steps)
        results = run_whole(Path(folder), quick=chosen.quick)
        if status := run(
            [sys.executable, "-m", "bench.outputs", *(QUICK_OUTPUTS if chosen.quick else ())]
        ):
            return status
    if chosen.record:
        print(f"recorded in {record(steps, results)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
