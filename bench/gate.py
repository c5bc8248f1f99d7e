"""The gate: how many instructions a line costs, on the merge base and here, in one job.

    python -m bench.gate [--base COMMIT]

Counted by valgrind's callgrind over a fixed piece of work (workload.py) at two lengths; the
difference divided by the lines leaves start and end out. Pinned (no address randomisation, fixed
hashes, fixed thresholds in glibc's memcpy) it repeats to the instruction, so 3 % is far from noise.
What the kernel does isn't counted; neither are sockets, which are not part of the work. Figures of
other Pythons, wheels or machines can't be compared: the base is always measured anew.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from bench import corpus, table
from bench.processes import ROOT

RISE_MAX: Final = 0.03
LENGTHS: Final = (18_000, 90_000)
"""Lines of the short and the long run: about one batch of 4 MiB and five, 20 s under valgrind."""
WORKLOADS: Final = (("path", "json"), ("path", "text"), ("once", "json"), ("once", "text"))
RUN_S_MAX: Final = 120
PINNED: Final = {
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=1073741824"
    ":glibc.cpu.x86_rep_stosb_threshold=1073741824",
}


class BrokenRunError(Exception):
    """A workload that doesn't run: its last words."""


class Side(NamedTuple):
    """A folder with `bench` and `logagent` in it, and what it is called."""

    name: str
    folder: Path


class Inputs(NamedTuple):
    """The files of the short and the long run, by kind."""

    short: dict[str, Path]
    long: dict[str, Path]


def git(*arguments: str) -> str:
    """What a git command prints, "" where it ends otherwise than well."""
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def find_base(wanted: str) -> str:
    """The commit to compare with: as wanted, else where this branch left main, else the commit
    before; "" when there is none."""
    if wanted:
        return git("rev-parse", "--verify", f"{wanted}^{{commit}}")
    head = git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        base = git("merge-base", "HEAD", main)
        if base and base != head:
            return base
    return git("rev-parse", "--verify", "HEAD~1^{commit}")


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """A commit's files below `folder`. Raises BrokenRunError."""
    target = folder / "tree"
    git("worktree", "add", "--detach", str(target), commit)
    try:
        if not (target / "logagent").is_dir():
            raise BrokenRunError("it has no package logagent")
        yield target
    finally:
        git("worktree", "remove", "--force", str(target))


def make_side(name: str, folder: Path, bench: Path, package: Path) -> Side:
    """A folder in which `bench` and `logagent` come from different checkouts."""
    place = folder / name
    place.mkdir()
    (place / "bench").symlink_to(bench)
    (place / "logagent").symlink_to(package)
    return Side(name, place)


def run(side: Side, command: Sequence[str], workload: Sequence[str]) -> dict[str, object]:
    """Run a workload; what it printed. Raises BrokenRunError."""
    env = {"PATH": os.environ["PATH"], "HOME": str(side.folder), **PINNED}
    try:
        done = subprocess.run(
            [*command, sys.executable, "-m", "bench.workload", *workload],
            cwd=side.folder,
            env=env,
            check=False,
            capture_output=True,
            text=True,
            timeout=RUN_S_MAX,
        )
    except subprocess.TimeoutExpired as late:
        raise BrokenRunError(f"{workload}: not done after {RUN_S_MAX} s") from late
    if done.returncode:
        raise BrokenRunError(done.stderr.strip()[-1500:])
    said: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return said


def count(side: Side, workload: Sequence[str], folder: Path) -> tuple[int, int]:
    """Instructions and rows of one run. Raises BrokenRunError."""
    out = folder / "callgrind.out"
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--quiet"]
    said = run(side, [*still(), *valgrind], workload)
    found = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
    assert found is not None, "callgrind writes a total"
    return int(found[1]), int(str(said["rows"]))


def still() -> Sequence[str]:
    """A command in front that turns address randomisation off, where the kernel lets us."""
    command = ["setarch", platform.machine(), "-R"]
    if shutil.which("setarch") and subprocess.run([*command, "true"], check=False).returncode == 0:
        return command
    return []


def per_line(side: Side, workload: Sequence[str], inputs: Inputs, folder: Path) -> float:
    """Instructions a line. Raises BrokenRunError."""
    name, kind = workload
    short, short_rows = count(side, [name, str(inputs.short[kind]), kind], folder)
    long, long_rows = count(side, [name, str(inputs.long[kind]), kind], folder)
    assert (short_rows, long_rows) == LENGTHS, "each line is a row"
    return (long - short) / (long_rows - short_rows)


def make_inputs(folder: Path) -> Inputs:
    """Corpora, with short names that are the same for both sides."""
    made: list[dict[str, Path]] = []
    for label, lines in zip(("short", "large"), LENGTHS, strict=True):
        files = {}
        for kind in ("json", "text"):
            place = folder / f"{kind}-{label}"
            place.mkdir()
            files[kind] = place / "app.log"
            corpus.write("text" if kind == "text" else "json", lines, place).rename(files[kind])
        made.append(files)
    return Inputs(*made)


def try_side(side: Side, inputs: Inputs) -> object:
    """Run each workload once without valgrind, which also leaves byte code behind: else the first
    counted run would compile. The workload's version. Raises BrokenRunError."""
    said: dict[str, object] = {}
    for name, kind in WORKLOADS:
        said = run(side, [], [name, str(inputs.short[kind]), kind])
    return said["version"]


def base_side(base: str, folder: Path, tree: Path, inputs: Inputs, version: object) -> Side:
    """The base with this checkout's workload, else with its own of the same version. Raises
    BrokenRunError."""
    side = make_side("base", folder, ROOT / "bench", tree / "logagent")
    try:
        try_side(side, inputs)
    except BrokenRunError as error:
        if not (tree / "bench" / "workload.py").exists():
            raise
        side = make_side("own!", folder, tree / "bench", tree / "logagent")
        own = try_side(side, inputs)
        if own != version:
            raise BrokenRunError(f"{base[:12]} has workload {own}, here it is {version}") from error
    return side


def compare(sides: Sequence[Side], inputs: Inputs, folder: Path) -> bool:
    """Print the table. Whether no workload costs too much more than at the base."""
    rows, good = [], True
    for workload in WORKLOADS:
        counted = [per_line(side, workload, inputs, folder) for side in sides]
        row = [" ".join(workload), *(f"{each:,.1f}" for each in counted)]
        if len(counted) == 2:
            rise = counted[1] / counted[0] - 1
            good = good and rise <= RISE_MAX
            row += [f"{rise:+.2%}", "" if rise <= RISE_MAX else f"RED: more than {RISE_MAX:.0%}"]
        rows.append(row)
    headings = ["instructions a line", *(side.name for side in sides), "change", ""]
    print(table.render(headings[: len(rows[0])], rows), flush=True)
    return good


def main() -> int:
    """Compare; 1 when a line has become too dear."""
    parser = argparse.ArgumentParser(prog="bench.gate", description=__doc__)
    parser.add_argument("--base", default="", help="commit to compare with (default: merge base)")
    chosen = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("gate: valgrind isn't installed, nothing was counted")
        return 1 if os.environ.get("CI") == "true" else 0
    print(
        f"gate: Python {platform.python_version()}, {platform.machine()}, {pinning()}", flush=True
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        inputs = make_inputs(folder)
        head = make_side("head", folder, ROOT / "bench", ROOT / "logagent")
        version = try_side(head, inputs)
        base = find_base(chosen.base)
        if not base:
            print("gate: there is no commit to compare with, so the figures stand alone")
            return 0 if compare([head], inputs, folder) else 1
        try:
            with checked_out(base, folder) as tree:
                side = base_side(base, folder, tree, inputs, version)
                print(f"gate: base is {base[:12]}", flush=True)
                return 0 if compare([side, head], inputs, folder) else 1
        except BrokenRunError as error:
            print(f"gate: base {base[:12]} can't be counted, so the figures stand alone: {error}")
            return 0 if compare([head], inputs, folder) else 1


def pinning() -> str:
    """Whether figures repeat to the instruction."""
    return "pinned" if still() else "addresses randomised (setarch -R refused): ±0.5 %"


if __name__ == "__main__":
    raise SystemExit(main())
