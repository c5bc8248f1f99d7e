"""Servers built from Go modules: a go.mod and go.sum say what, the Go module proxy has it.

Knows Go's tool. Must not know what a server is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests.e2e.servers.cache import made_once, need

GO: Final = Path(__file__).parent / "go"
"""A folder for each program: its go.mod and go.sum, which pin every module, and sources."""

BUILD_S: Final = 900
"""10 s (VictoriaLogs) to 41 s (Collector) on two idle cores, without the download."""


def build(name: str, package: str) -> Path:
    """The executable of a package of the module set `go/NAME`, built when it isn't there yet.

    What the module set is made of decides whether it is the same: a changed go.sum is a new build.
    """
    sources = sorted(file for file in (GO / name).iterdir() if file.is_file())
    ingredients = [package.encode(), *(file.read_bytes() for file in sources)]

    def make(folder: Path) -> None:
        # A copy: the tool must not touch what is committed.
        with tempfile.TemporaryDirectory() as work:
            for file in sources:
                shutil.copy(file, work)
            command = [need("go"), "build", "-trimpath", "-o", str(folder / name), package]
            run_in(Path(work), command)

    return made_once(name, ingredients, make) / name


def run_in(folder: Path, command: list[str]) -> None:
    """Run a tool of Go to its end; an error carries what it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"},
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=BUILD_S,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"running {' '.join(command)}: {done.returncode}\n{done.stdout}")
