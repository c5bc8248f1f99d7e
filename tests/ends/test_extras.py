"""What is said where an output's packages aren't installed."""

from __future__ import annotations

import sys

import pytest

from logagent.config import S3, Aws, Kafka, Output
from logagent.ends import codec_of

KAFKA = Kafka(bootstrap_servers=("kafka:9092",), topic="logs")
BUCKET = S3(bucket="logs", aws=Aws(region="eu-west-1"))


@pytest.mark.parametrize(
    ("output", "package", "extra"),
    [(KAFKA, "aiokafka", "kafka"), (KAFKA, "cramjam", "kafka"), (BUCKET, "botocore", "aws")],
)
def test_the_extra_is_named(
    output: Output, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all packages there is a codec; without one the error says what to install."""
    codec_of(output)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=rf"{package}: install 'logagent\[{extra}\]'"):
        codec_of(output)
