"""Realistic log lines, each with its writer and number, as fast as Python can make them.

Knows two formats: JSON as a service logs it, text as a web server's access log, both about 220
bytes a line. Everything comes from a seed and the times it is given. Must not know files.
"""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, Literal

import orjson

Kind = Literal["json", "text", "mixed"]
KINDS: Final[tuple[Kind, ...]] = ("json", "text", "mixed")
"""mixed: JSON with a text line now and then, as when a runtime prints among an app's own lines."""

POOL: Final = 4096
"""Pre-drawn middles of lines. Far more of them than a compressor's 32 KiB window sees at a time, so
drawing from a pool compresses like drawing anew."""

TEXT_EVERY: Final = 10
"""In `mixed`, one line of so many is text."""

PATHS: Final = (
    "/api/v1/orders", "/api/v1/orders/{n}", "/api/v1/customers/{n}", "/api/v1/customers/{n}/basket",
    "/api/v2/search?q=term{n}&page={p}", "/static/app.{n}.js", "/healthz", "/login",
)  # fmt: skip
AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Edg/141.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "okhttp/4.12.0",
    "kube-probe/1.31",
)
LOGGERS: Final = ("http", "orders", "orders.db", "payments", "cache")
MESSAGES: Final = (
    *("GET {path}",) * 6,
    *("order {n} accepted",) * 5,
    *("payment of order {n} settled",) * 3,
    *("cache miss for key customer:{m}",) * 3,
    *("query on table orders returned {p} rows",) * 2,
    'retrying "charge" of order {n}',
)
"""What a service says, by how often."""

EXOTIC: Final = (
    "Bestellung {n} für Kunde Müller angenommen ✓",
    "path C:\\\\orders\\\\{n} tab\there",
    "html <b>{n}</b> & more",
    "",
)
"""Messages with what breaks careless code: other alphabets, escapes, nothing at all."""

LEVELS: Final = ("info",) * 15 + ("debug",) * 3 + ("warn", "error")
STATUSES: Final = (200,) * 14 + (201, 204, 304, 404, 404, 500)


class Lines:
    """A source of numbered lines of one writer: `block` makes the next ones.

    exotic: a few of the JSON messages hold escapes and other alphabets. `next` is the number of
    the line to come.
    """

    def __init__(
        self, kind: Kind, writer: str, *, seed: int = 0, first: int = 0, exotic: bool = False
    ) -> None:
        self.next = first
        self._kind = kind
        self._writer = writer
        self._random = random.Random(f"{seed} {writer}")
        self._json = [_json_middle(self._random, exotic=exotic) for _ in range(POOL)]
        self._text = [_text_middle(self._random) for _ in range(POOL)]
        self._hosts = [f"10.{a}.{b}.{c}" for a, b, c in _triples(self._random)]

    def block(self, count: int, at_s: float, span_s: float = 0.0) -> bytes:
        """The next `count` lines, whole, with times from `at_s` on (seconds since 1970), spread
        over `span_s` seconds."""
        first, self.next = self.next, self.next + count
        if self._kind == "json":
            return self._json_block(first, count, at_s, span_s)
        if self._kind == "text":
            return self._text_block(first, count, at_s)
        lines = self._json_block(first, count, at_s, span_s).splitlines(keepends=True)
        for at in range(count):
            if (first + at) % TEXT_EVERY == TEXT_EVERY - 1:
                lines[at] = self._text_block(first + at, 1, at_s)
        return b"".join(lines)

    def _json_block(self, first: int, count: int, at_s: float, span_s: float) -> bytes:
        """Lines of about 220 bytes; a trace of a few lines shares its id."""
        chance = self._random
        middles = chance.choices(self._json, k=count)
        traces = [f"{chance.getrandbits(128):032x}" for _ in range(count // 4 + 1)]
        durations = chance.choices(DURATIONS, k=count)
        writer = self._writer
        stamp = _stamps(at_s, span_s / count)
        return "".join(
            [
                f'{{"@timestamp":"{stamp(at)}{middle}{traces[at >> 2]}"'
                f',"duration_ms":{duration},"writer":"{writer}","seq":{first + at}}}\n'
                for at, (middle, duration) in enumerate(zip(middles, durations, strict=True))
            ]
        ).encode()

    def _text_block(self, first: int, count: int, at_s: float) -> bytes:
        """Lines in nginx's combined format, with writer and number at the end."""
        chance = self._random
        middles = chance.choices(self._text, k=count)
        hosts = chance.choices(self._hosts, k=count)
        time = datetime.fromtimestamp(at_s, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        writer = self._writer
        return "".join(
            [
                f"{host} - - [{time}] {middle} seq={first + at} writer={writer}\n"
                for at, (middle, host) in enumerate(zip(middles, hosts, strict=True))
            ]
        ).encode()


DURATIONS: Final = tuple(f"{ms / 10:g}" for ms in range(3, 1500, 7))


def _stamps(at_s: float, step_s: float) -> Callable[[int], str]:
    """A function from a line's place in its block to its timestamp, with milliseconds."""
    base_us = int(at_s * 1e6)
    step_us = step_s * 1e6
    prefixes: dict[int, str] = {}

    def stamp(at: int) -> str:
        second, us = divmod(base_us + int(at * step_us), 1_000_000)
        prefix = prefixes.get(second)
        if prefix is None:
            prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            prefixes[second] = prefix
        return f"{prefix}{us // 1000:03d}Z"

    return stamp


def _json_middle(chance: random.Random, *, exotic: bool) -> str:
    """A JSON line from behind its timestamp to the trace id's opening quote."""
    odd = exotic and chance.random() < 0.01
    message = chance.choice(EXOTIC if odd else MESSAGES)
    rest = {
        "level": chance.choice(LEVELS),
        "logger": chance.choice(LOGGERS),
        "message": _fill(message, chance),
        "status": chance.choice(STATUSES),
        "trace_id": "",
    }
    return '",' + orjson.dumps(rest).decode()[1:-2]


def _text_middle(chance: random.Random) -> str:
    """An access log line from the request to the user agent."""
    method = chance.choice(("GET", "GET", "GET", "POST", "PUT"))
    path = _fill(chance.choice(PATHS), chance)
    size = int(chance.expovariate(1 / 3000))
    referrer = chance.choice(
        ("-", "https://shop.example.com/", "https://shop.example.com/basket?from=search")
    )
    return (
        f'"{method} {path} HTTP/1.1" {chance.choice(STATUSES)} {size} "{referrer}"'
        f' "{chance.choice(AGENTS)}"'
    )


def _fill(template: str, chance: random.Random) -> str:
    path = chance.choice(PATHS)
    for name in ("path", "n", "m", "p"):
        value = path if name == "path" else str(chance.randrange(10 if name == "p" else 100_000))
        template = template.replace(f"{{{name}}}", value)
    return template


def _triples(chance: random.Random) -> Iterator[tuple[int, int, int]]:
    """Parts of the addresses of a few hundred clients."""
    for _ in range(300):
        yield chance.randrange(256), chance.randrange(256), chance.randrange(256)
