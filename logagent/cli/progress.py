"""How far each output is with each file: from the checkpoints, the files, and a running agent.

Knows where these are. Must not print, and must not change anything.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from logagent import build
from logagent.checkpoint import Checkpoint
from logagent.config import Config
from logagent.core.files import FileId, Generation, escape
from logagent.edge.fs import RealFs
from logagent.edge.segments import count_letters
from logagent.edge.state import StateInUseError, lock_state
from logagent.ends import dead_letter_dir
from logagent.held import Watch
from logagent.ports import Fault, Fs, Stat

TIMEOUT_S: Final = 2.0
_STATUS_BYTES_MAX: Final = 8 << 20
_EVERYWHERE: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Where to ask an agent that listens on all addresses."""


class Choice(NamedTuple):
    """What was asked for; "" is everything."""

    output: str = ""
    input: str = ""
    path: str = ""

    def takes(self, input_id: str, path: str) -> bool:
        """Whether a file of an input is asked for."""
        return self.input in ("", input_id) and self.path in ("", path)


class FileProgress(Struct):
    """One file of one output; bytes. `why` says in words why it isn't further."""

    path: str
    input: str
    size: int
    settled: int
    lag: int
    why: str


class OutputProgress(Struct):
    """One output; `notes` are about all of it."""

    output: str
    files: list[FileProgress]
    notes: list[str]


class Report(Struct):
    """All of it."""

    running: bool
    state_dir: str
    outputs: list[OutputProgress]


class Trouble(Struct):
    """Why an output's last attempt came to nothing, "" if it didn't."""

    trouble: str = ""


class Status(Struct):
    """The part of a running agent's /status.json that is used here."""

    outputs: dict[str, Trouble] = {}


class Found(NamedTuple):
    """A file that an input's globs match now."""

    watch: Watch
    path: bytes
    stat: Stat | Fault

    @property
    def name(self) -> str:
        """The path for people."""
        return f"{self.watch.root}/{escape(self.path)}"


def collect(config: Config, choice: Choice) -> Report:
    """Look at everything that was asked for."""
    fs = RealFs()
    running = is_running(config.agent.state_dir)
    status = _ask(config) if running else Status()
    found = list(_walk(config, fs))
    outputs = []
    for name in config.outputs:
        if choice.output in ("", name):
            loaded = Checkpoint(fs, f"{config.agent.state_dir}/{name}").load()
            files = _files(name, loaded.generations, found, fs)
            chosen = [file for file in files if choice.takes(file.input, file.path)]
            trouble = status.outputs.get(name, Trouble()).trouble
            moving = f"waits for the output: {trouble}" if trouble else "is being read and sent"
            _explain(chosen, moving if running else "no agent is running")
            notes = [loaded.damage] if loaded.damage else []
            outputs.append(OutputProgress(name, chosen, [*notes, *_letters(config, name)]))
    return Report(running, config.agent.state_dir, outputs)


def is_running(state_dir: str) -> bool:
    """Whether an agent holds the state directory."""
    try:
        lock_state(state_dir).close()
    except StateInUseError:
        return True
    except OSError:
        return False
    return False


def locate(generation: Generation, fs: Fs) -> tuple[bytes, Stat] | None:
    """Where a generation's file is now, and what it is: under its path, or renamed; None = gone."""
    root = generation.file.root
    stat = fs.stat(root, generation.path)
    if isinstance(stat, Stat) and FileId(root, stat.ino, stat.birth_ns) == generation.file:
        return generation.path, stat
    entries = fs.walk(root, generation.path.count(b"/"))
    for entry in () if isinstance(entries, Fault) else entries:
        if entry.ino == generation.file.ino and entry.kind == "file":
            stat = fs.stat(root, entry.path)
            if isinstance(stat, Stat) and FileId(root, stat.ino, stat.birth_ns) == generation.file:
                return entry.path, stat
    return None


def _walk(config: Config, fs: Fs) -> Iterator[Found]:
    for watch in build.watches(config):
        entries = fs.walk(watch.root, watch.depth)
        if isinstance(entries, Fault):
            yield Found(watch, b"", entries)
            continue
        for entry in entries:
            if watch.matches(entry.path):
                yield Found(watch, entry.path, fs.stat(watch.root, entry.path))


def _files(
    output: str, generations: list[Generation], found: list[Found], fs: Fs
) -> Iterator[FileProgress]:
    known: set[FileId] = set()
    for generation in generations:
        known.add(generation.file)
        yield _known(generation, fs)
    for file in found:
        if output in file.watch.outputs and _identity(file) not in known:
            yield _unknown(file)


def _identity(file: Found) -> FileId | None:
    if isinstance(file.stat, Fault):
        return None
    return FileId(file.watch.root, file.stat.ino, file.stat.birth_ns)


def _known(generation: Generation, fs: Fs) -> FileProgress:
    """Of a file that the checkpoint has."""
    place = locate(generation, fs)
    settled = generation.position.offset
    path, size = place[0] if place else generation.path, place[1].size if place else generation.seen
    name = f"{generation.file.root}/{escape(path)}"
    lag = max(0, size - settled)
    why = ""
    if place is None:
        why = f"is gone; {lag} bytes of it can't be read any more" if lag else "is gone, and done"
    elif size < settled:
        why = "was truncated; it is read from its start"
    elif lag:
        why = _unreadable(generation.file.root, path, fs) or _last_line(generation, path, lag, fs)
    return FileProgress(name, generation.input, size, settled, lag, why)


def _unknown(file: Found) -> FileProgress:
    """Of a file that the checkpoint doesn't have."""
    if isinstance(file.stat, Fault):
        return FileProgress(file.name, file.watch.input, 0, 0, 0, file.stat.text)
    size = file.stat.size
    why = _unreadable(file.watch.root, file.path, RealFs())
    if not why:
        why = "has not been read yet" if size else "is empty"
    return FileProgress(file.name, file.watch.input, size, 0, size, why)


def _unreadable(root: str, path: bytes, fs: Fs) -> str:
    fd = fs.open(root, path, "beneath")
    if isinstance(fd, Fault):
        return fd.text
    fs.close(fd)
    return ""


def _last_line(generation: Generation, path: bytes, lag: int, fs: Fs) -> str:
    """Whether what is left is but the start of a line."""
    fd = fs.open(generation.file.root, path, "beneath")
    if isinstance(fd, Fault) or lag > 1 << 20:
        return ""
    try:
        rest = fs.pread(fd, lag, generation.position.offset)
    finally:
        fs.close(fd)
    return "" if b"\n" in rest else "the last line has no newline yet"


def _explain(files: list[FileProgress], lagging: str) -> None:
    """Say something about those that nothing was said about."""
    for file in files:
        if not file.why and file.lag:
            file.why = lagging
        elif not file.why:
            file.why = "all settled"


def _letters(config: Config, output: str) -> Iterator[str]:
    """Something about an output's dead letters, if there are any."""
    try:
        count = count_letters(dead_letter_dir(config, output))
    except OSError as error:
        yield f"dead letters can't be read: {error.strerror}"
    else:
        if count:
            yield f"{count:,} dead letters; logagent replay --dry-run shows why"


def _ask(config: Config) -> Status:
    """What a running agent says of its outputs; nothing if it can't be asked."""
    address = config.agent.address()
    if address is None or not address[1]:
        return Status()
    host = _EVERYWHERE.get(address[0], address[0])
    url = f"http://{f'[{host}]' if ':' in host else host}:{address[1]}/status.json"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as reply:
            return msgspec.json.decode(reply.read(_STATUS_BYTES_MAX), type=Status)
    except (OSError, ValueError, msgspec.DecodeError):
        return Status()
