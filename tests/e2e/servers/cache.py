"""What the servers are made of: jars that Maven fetches, classes that javac makes of our launchers.

Everything is kept outside the repository, under the hash of what it was made from, and made by one
process at a time. Knows Java's tools; must not know what a server is.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import pytest

JAVA: Final = Path(__file__).parent / "java"
"""Launchers, POMs and the servers' log configuration."""

COPY_JARS: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
FETCH_S: Final = 600
"""About 100 MB for the largest server: 10 s on a good line."""


def cache_dir() -> Path:
    """Where jars and classes are kept; `LOGAGENT_TEST_CACHE` chooses another place."""
    chosen = os.environ.get("LOGAGENT_TEST_CACHE")
    folder = Path(chosen) if chosen else Path.home() / ".cache" / "logagent-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def need(tool: str) -> str:
    """The path of a program; without it the test is skipped, and fails where CI is set.

    `JAVA_HOME` comes before the path, as Java's own scripts have it.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(tool, path=os.path.join(home, "bin")) if home else None
    return found or shutil.which(tool) or unavailable(f"{tool} isn't installed")


def unavailable(reason: str) -> NoReturn:
    """Skip the test that asks; in CI, where everything must be there, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI needs it", pytrace=False)
    pytest.skip(reason)


def fetch(name: str, *, without: Sequence[str] = ()) -> Path:
    """The folder of what `pom-NAME.xml` asks for; fetched when it isn't there yet.

    Files that match a glob of `without` are left out: libraries that change how a server behaves
    by merely being on the class path.
    """
    pom = JAVA / f"pom-{name}.xml"

    def make(folder: Path) -> None:
        command = [need("mvn"), "-B", "-ntp", "-q", "-f", str(pom), COPY_JARS]
        run([*command, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"])
        for pattern in without:
            for file in folder.glob(pattern):
                file.unlink()

    return made_once(name, [pom.read_bytes(), "\n".join(without).encode()], make)


def compile_launcher(name: str, sources: Sequence[str], jars: Path) -> Path:
    """The folder of the classes of `sources`, compiled against `jars`."""
    texts = [(JAVA / source).read_bytes() for source in sources]

    def make(folder: Path) -> None:
        compile_into(folder, sources, jars)

    # The folder of jars carries its own hash in its name.
    return made_once(f"{name}-classes", [jars.name.encode(), *texts], make)


def compile_into(folder: Path, sources: Sequence[str], jars: Path) -> None:
    """Compile `sources` of ours against `jars`, for any Java since 17 whichever javac it is."""
    command = [need("javac"), "--release", "17", "-cp", f"{jars}/*", "-d", str(folder)]
    run([*command, *(str(JAVA / source) for source in sources)])


def made_once(name: str, ingredients: Sequence[bytes], make: Callable[[Path], None]) -> Path:
    """The folder NAME-HASH of the cache; `make` fills it once, whole or not at all."""
    digest = hashlib.sha256(b"\0".join(ingredients)).hexdigest()[:12]
    cache = cache_dir()
    target = cache / f"{name}-{digest}"
    with locked(cache / "lock"):
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as unfinished:
                folder = Path(unfinished) / "made"
                folder.mkdir()
                make(folder)
                folder.rename(target)
    return target


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes out for a while."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str]) -> None:
    """Run a tool to its end; an error carries what it said."""
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=FETCH_S,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"running {' '.join(command)}: {done.returncode}\n{done.stdout}")
