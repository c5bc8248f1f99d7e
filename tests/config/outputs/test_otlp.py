"""The options of OTLP."""

from __future__ import annotations

import pytest

from logagent.config import OtlpHttp
from logagent.config.problems import BrokenRules

HOSTS = ("https://collector.example:4318",)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"hosts": ()}, "name a server"),
        ({"path": "v1/logs"}, "start it with /"),
        ({"path": "/v1 logs"}, "as %XX"),
        ({"path": "/v1#logs"}, "as %XX"),
    ],
)
def test_nonsense_is_refused(options: dict[str, object], why: str) -> None:
    """What can't work says why."""
    with pytest.raises(BrokenRules, match=why):
        OtlpHttp(**{"hosts": HOSTS, **options})  # type: ignore[arg-type]


def test_sense_is_taken() -> None:
    """The protocol's path stands for none."""
    assert OtlpHttp(hosts=HOSTS).path == "/v1/logs"
