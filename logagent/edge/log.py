"""The agent's own log: one line an event on stderr, as JSON or for people, repeats limited.

Knows how a line looks and when it is one too many. Must not know what is worth saying. Nothing in
here can block: a line that stderr can't take at once is counted and dropped.
"""

import os
import re
import select
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal, TypeVar

import orjson

from logagent.core.files import escape
from logagent.ports import Clock

Level = Literal["debug", "info", "warning", "error"]
_RANK: Final = {"debug": 0, "info": 1, "warning": 2, "error": 3}

REPEAT_S: Final = 60.0
"""A warning or an error with the same key facts is written once in this time …"""

MESSAGE_LINES_MAX: Final = 20
"""… and a message with whatever facts this often: an app can make thousands of odd files."""

KEYS_MAX: Final = 1000
"""Remembered keys; beyond it the one seen first is forgotten."""

LINE_BYTES_MAX: Final = 4096
"""PIPE_BUF: a pipe that polls as writable takes that much without blocking, and in one piece."""

KEY_FACTS: Final = ("output", "input", "path", "root", "host", "reason", "code", "why", "kind")
"""The facts that make two events with the same message different ones."""

TEXT_MAX: Final = 300
# What orjson leaves as it is and a terminal may obey: DEL, C1, line separators, direction marks.
_UNSAFE: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_PLAIN: Final = re.compile(r"[^\s\"=]+")


_Key = TypeVar("_Key")


class _Seen:
    """The window of a key: since when, lines written in it, lines held back and not yet told."""

    __slots__ = ("lines", "since", "suppressed")

    def __init__(self, since: float) -> None:
        self.since = since
        self.lines = 0
        self.suppressed = 0


class StderrLog:
    """`ports.Log`. `format` "console" is for people at a terminal. `write` takes one line."""

    def __init__(
        self,
        *,
        level: Level = "info",
        format: Literal["json", "console"] = "json",  # noqa: A002 - the option's name
        write: Callable[[bytes], None] | None = None,
        clock: Clock = time.time,
    ) -> None:
        self.dropped = 0
        """Lines that stderr didn't take."""
        self._rank = _RANK[level]
        self._console = format == "console"
        self._write = write or self._to_stderr
        self._clock = clock
        self._messages: dict[str, _Seen] = {}
        self._keys: dict[tuple[str, ...], _Seen] = {}

    def debug(self, message: str, **facts: object) -> None:
        """For who looks for a fault in the agent; off by default."""
        if self._rank <= 0:
            self._event("debug", message, facts)

    def info(self, message: str, **facts: object) -> None:
        """See `ports.Log.info`."""
        if self._rank <= 1:
            self._event("info", message, facts)

    def warning(self, message: str, **facts: object) -> None:
        """See `ports.Log.warning`."""
        if self._rank <= 2:
            self._event("warning", message, facts)

    def error(self, message: str, **facts: object) -> None:
        """See `ports.Log.error`."""
        self._event("error", message, facts)

    def close(self) -> None:
        """Say how many lines were held back and never told."""
        seen = [*self._messages.values(), *self._keys.values()]
        held = sum(window.suppressed for window in seen)
        self._messages.clear()
        self._keys.clear()
        if held or self.dropped:
            facts: dict[str, object] = {"suppressed": held, "dropped": self.dropped}
            self._line(self._clock(), "info", "log lines were left out", facts)

    def _event(self, level: Level, message: str, facts: dict[str, object]) -> None:
        now = self._clock()
        whole = _window(self._messages, message, now)
        if whole.lines >= MESSAGE_LINES_MAX:
            whole.suppressed += 1
            return
        windows = [whole]
        if _RANK[level] >= _RANK["warning"]:
            key = (level, message, *[str(facts.get(name)) for name in KEY_FACTS])
            one = _window(self._keys, key, now)
            if one.lines > 0:
                one.suppressed += 1
                return
            windows.append(one)
        suppressed = 0
        for window in windows:
            window.lines += 1
            suppressed += window.suppressed
            window.suppressed = 0
        self._line(now, level, message, facts | {"suppressed": suppressed} if suppressed else facts)

    def _line(self, now: float, level: Level, message: str, facts: dict[str, object]) -> None:
        stamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        plain = {name: _plain(value) for name, value in facts.items()}
        if self._console:
            said = "".join(f"  {name}={_quoted(value)}" for name, value in plain.items())
            text = f"{stamp[11:23]} {level:7} {message}{said}\n"
        else:
            head = {"ts": stamp.removesuffix("+00:00") + "Z", "level": level, "msg": message}
            text = orjson.dumps(head | plain | head, option=orjson.OPT_APPEND_NEWLINE).decode()
        line = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
        if len(line) > LINE_BYTES_MAX and facts:
            return self._line(now, level, message, {"left_out": "the facts are too long"})
        return self._write(line)

    def _to_stderr(self, line: bytes) -> None:
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        try:
            if poll.poll(0) and os.write(2, line) == len(line):
                return
        except OSError:
            pass  # nobody is there to be told
        self.dropped += 1


def _window(table: dict[_Key, _Seen], key: _Key, now: float) -> _Seen:
    """The key's window of REPEAT_S; a new one takes over what the last one held back."""
    seen = table.get(key)
    if seen is None:
        if len(table) >= KEYS_MAX:
            table.pop(next(iter(table)))
        seen = table[key] = _Seen(now)
    elif not 0 <= now - seen.since < REPEAT_S:  # clocks go backwards too
        seen.since, seen.lines = now, 0
    return seen


def _plain(value: object) -> object:
    """A fact as orjson takes it, of bounded length: paths escaped, anything odd as text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 1 << 63:
        return value
    text = escape(value) if isinstance(value, bytes) else str(value)
    if len(text) > TEXT_MAX:
        text = text[:TEXT_MAX] + "…"
    return text.encode("utf-8", "backslashreplace").decode()


def _quoted(value: object) -> str:
    """A fact for people: quoted, with its control characters escaped, unless it is one word."""
    if isinstance(value, str) and not (_PLAIN.fullmatch(value) and value.isprintable()):
        return orjson.dumps(value).decode()
    return str(value)
