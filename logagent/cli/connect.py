"""`logagent check --connect`: asks each output what it is and whether it would take our lines.

Knows which module asks which kind. Must not know what a server says.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import assert_never

from logagent.cli.asking import Finding
from logagent.cli.check import UNREACHABLE
from logagent.config import (
    S3,
    Config,
    Elasticsearch,
    File,
    Http,
    Kafka,
    Loki,
    OtlpHttp,
    Output,
    SplunkHec,
    Stdout,
)


def connect(config: Config) -> int:
    """Ask all outputs, print what they are; returns the exit status."""
    good = True
    print("connect")
    with ThreadPoolExecutor(max_workers=8) as pool:
        asked = {name: pool.submit(_ask_all, o) for name, o in config.outputs.items()}
        for name, findings in asked.items():
            for finding in findings.result():
                print(f"  {name:<12} {finding.text}")
                good = good and finding.good
    return 0 if good else UNREACHABLE


def _ask_all(output: Output) -> list[Finding]:
    return list(ask(output))


def ask(output: Output) -> Iterator[Finding]:
    """What can be said of an output. Imported one by one: a client that isn't installed is missed
    only where it is needed."""
    match output:
        case Elasticsearch():
            from logagent.cli.asking import elastic

            return elastic.ask(output)
        case Kafka():
            from logagent.cli.asking import kafka

            return kafka.ask(output)
        case SplunkHec():
            from logagent.cli.asking import splunk

            return splunk.ask(output)
        case Loki():
            from logagent.cli.asking import loki

            return loki.ask(output)
        case OtlpHttp():
            from logagent.cli.asking import otlp

            return otlp.ask(output)
        case Http():
            from logagent.cli.asking import http

            return http.ask(output)
        case S3():
            from logagent.cli.asking import s3

            return s3.ask(output)
        case File() | Stdout():
            from logagent.cli.asking import local

            return local.ask(output)
    assert_never(output)
