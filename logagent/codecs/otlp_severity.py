"""What levels mean as OpenTelemetry severities: the table, as data.

Source: OpenTelemetry specification, logs/data-model.md ("Field: SeverityNumber", "Mapping of
SeverityNumber") and logs/data-model-appendix.md, "Appendix B: SeverityNumber example mappings"
(syslog, log4j, Zap, java.util.logging, .NET, Python). Must not know a record.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

FIELDS: Final = ("severity", "level", "log.level", "severity_text", "severityText", "levelname")
"""Where a level is looked for; the first that a document has is its severity."""

NAMES: Final[Mapping[str, int]] = {
    "trace": 1,
    "finest": 1,
    "verbose": 1,
    "finer": 2,
    "fine": 3,
    "debug": 5,
    "config": 5,
    "info": 9,
    "information": 9,
    "informational": 9,
    "default": 9,
    "notice": 10,
    "warn": 13,
    "warning": 13,
    "error": 17,
    "err": 17,
    "severe": 17,
    "critical": 18,
    "crit": 18,
    "dpanic": 18,
    "alert": 19,
    "panic": 20,
    "emergency": 21,
    "emerg": 21,
    "fatal": 21,
}
"""By lower-case name. `default` is Google Cloud's, `dpanic` and `panic` Zap's."""

NUMBERS: Final[Mapping[int, int]] = {
    0: 21,
    1: 19,
    2: 18,
    3: 17,
    4: 13,
    5: 10,
    6: 9,
    7: 5,
    10: 1,
    20: 5,
    30: 9,
    40: 13,
    50: 17,
    60: 21,
}
"""Levels as numbers: 0 to 7 are syslog's (RFC 5424, as in GELF), 10 to 60 those of the JSON loggers
that write numbers (pino, bunyan)."""

_SHORT: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
TEXT_MAX: Final = 64
"""Characters of a level's text: what is longer is none."""


def short_name(number: int) -> str:
    """The short name of a severity number, as "ERROR2" (the data model's "Displaying Severity")."""
    step = (number - 1) % 4
    return _SHORT[(number - 1) // 4] + (str(step + 1) if step else "")


@lru_cache(maxsize=256)
def severity(raw: bytes) -> bytes | None:
    """The members of a record for a level's JSON value, with a comma behind each; None for a value
    that is no level: an object, a long text, a fraction.

    A text that isn't in the table has no number, and is kept as the text.
    """
    try:
        level = msgspec.json.decode(raw, type=str | int | None)
    except ValueError:
        return None
    if isinstance(level, int):
        number = NUMBERS.get(level, 0)
        text = short_name(number) if number else str(level)
    elif level and len(level) <= TEXT_MAX:
        number, text = NAMES.get(level.strip().lower(), 0), level
    else:
        return None
    spelled = b'"severityNumber":%d,' % number if number else b""
    return spelled + b'"severityText":%b,' % msgspec.json.encode(text)
