"""The ends of an OTLP output."""

from __future__ import annotations

from logagent.config import OtlpHttp
from logagent.ends.otlp import codec
from tests.fakes.origin import ORIGIN

HOSTS = ("http://x",)


def test_options_reach_the_codec() -> None:
    """Compression and ids."""
    assert codec(OtlpHttp(hosts=HOSTS)).packer().close(0).gzipped
    assert not codec(OtlpHttp(hosts=HOSTS, compression="none")).packer().close(0).gzipped
    assert codec(OtlpHttp(hosts=HOSTS)).frame(ORIGIN).middle == b""
    assert codec(OtlpHttp(hosts=HOSTS, ids=True)).frame(ORIGIN).middle == b"\t"
