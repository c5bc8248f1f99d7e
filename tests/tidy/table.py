"""Which part of the package may import what: the import table of logagent/DESIGN.md, as data.

A part is a folder or a module directly under `logagent`. What isn't listed here may not exist.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Part(NamedTuple):
    """What one part may import: parts of ours, other packages; `barred` standard modules not."""

    ours: frozenset[str]
    others: frozenset[str]
    barred: frozenset[str]


def _part(ours: str = "", others: str = "", barred: frozenset[str] = frozenset()) -> Part:
    return Part(frozenset(ours.split()), frozenset(others.split()), barred)


WAITS: Final = frozenset("asyncio concurrent multiprocessing sched threading _thread".split())
"""Standard modules that wait or run beside others."""

CHANCE: Final = frozenset("random secrets time uuid".split())
"""Standard modules that answer differently each time; time and randomness are arguments."""

OUTSIDE: Final = frozenset(
    "fcntl fileinput getpass glob http logging mmap os pathlib platform resource select selectors"
    " shutil signal socket socketserver sqlite3 ssl subprocess syslog tempfile urllib.request"
    " warnings".split()
)
"""Standard modules that reach out of the process."""

PURE: Final = WAITS | CHANCE | OUTSIDE
NO_EDGE: Final = CHANCE | OUTSIDE
"""For `pipeline`, which may wait and does nothing else by itself."""

ALL_OTHERS: Final = "aiokafka botocore cramjam elasticsearch h11 isal msgspec orjson uvloop yaml"

PARTS: Final[dict[str, Part]] = {
    "core": _part("core", "msgspec", PURE),
    "render": _part("core render", "isal msgspec orjson", PURE),
    "codecs": _part("core codecs", "isal msgspec orjson", PURE),
    "ports": _part("core", "msgspec", PURE),
    # What is open, and what an output sees of it. Each row knows the ones above it: no circles.
    "held": _part("core ports", "msgspec", PURE),
    "descriptors": _part("core held ports", "msgspec", PURE),
    "report": _part("core descriptors held ports", "msgspec", PURE),
    "follower": _part("core descriptors held ports", "msgspec", PURE),
    "tail": _part("core descriptors follower held ports report", "msgspec", PURE),
    "checkpoint": _part("core ports", "msgspec", PURE),
    # Never config: an edge gets plain values. Which library belongs to which edge: LIBRARIES.
    "edge": _part("core edge ports", ALL_OTHERS),
    # What happens to an output's batches after they are packed.
    "rejects": _part("core ports", "msgspec", NO_EDGE),
    "delivery": _part("codecs core ports rejects", "msgspec", NO_EDGE),
    # When the settled positions are written, and under which generations a send may start.
    "commits": _part("checkpoint core descriptors held ports tail", "msgspec", NO_EDGE),
    "locate": _part("core follower ports render source tail", "msgspec", PURE),
    "sending": _part(
        "codecs config core delivery edges ports rejects", "msgspec", NO_EDGE - CHANCE
    ),
    "replay": _part("codecs core delivery ports", "msgspec", NO_EDGE),
    "source": _part("core follower ports tail", "msgspec", PURE),
    # Never edge: sinks and files come in through the ports.
    "pipeline": _part(
        "checkpoint codecs commits core delivery descriptors follower held ports render report"
        " source tail",
        "msgspec",
        NO_EDGE,
    ),
    # It reads files (`os`), and knows nothing else of the world.
    "config": _part("config", "msgspec yaml", WAITS | CHANCE | frozenset({"socket", "ssl"})),
    "reload": _part("config", "msgspec", PURE),
    # Where options meet parts. Not edge: the simulator builds with it too.
    "build": _part(
        "checkpoint codecs commits config core delivery descriptors edges follower held locate"
        " pipeline ports rejects render report sending source tail",
        "msgspec",
        NO_EDGE - CHANCE,
    ),
    "edges": _part("commits core ports", "msgspec", NO_EDGE - CHANCE),
    "ends": _part("codecs config core edge edges ends ports", "msgspec"),
    "admin": _part("core descriptors pipeline", "msgspec", NO_EDGE),
    "agent": _part(
        "admin build config core descriptors edge edges ends logagent pipeline ports", "msgspec"
    ),
    "app": _part("agent build config core edge edges ends logagent ports", ALL_OTHERS),
    # Commands look at the parts by hand (positions, a dry run); nothing imports them.
    "cli": _part(
        "app build checkpoint cli codecs config core demo descriptors edge edges ends follower"
        " held logagent pipeline ports rejects replay sending source",
        "elastic_transport elasticsearch msgspec orjson",
    ),
    # A writer and a receiver that know nothing of the agent: they are its other side.
    "demo": _part("demo", "isal orjson"),
    "__main__": _part("cli"),
    "logagent": _part(),
}

LIBRARIES: Final[dict[str, frozenset[str]]] = {
    "aiokafka": frozenset(
        {
            "logagent.edge.kafka",
            "logagent.edge.kafka_cluster",
            "logagent.edge.kafka_connect",
            "logagent.edge.kafka_faults",
            "logagent.edge.kafka_pieces",
            "logagent.edge.kafka_producer",
            "logagent.edge.kafka_tools",
        }
    ),
    "elastic_transport": frozenset({"logagent.cli.setting_up.door"}),
    "elasticsearch": frozenset({"logagent.cli.setting_up.door"}),
    "h11": frozenset({"logagent.edge"}),
    "uvloop": frozenset({"logagent.app"}),
    "yaml": frozenset({"logagent.config"}),
}
"""Libraries that belong to one place, so that one commit can replace them."""

ENTRY_POINTS: Final = frozenset({"logagent", "logagent.__main__"})
"""Where a process starts; whatever isn't reached from here is dead."""
