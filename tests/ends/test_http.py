"""The ends of an HTTP output: its options decide codec, type and verdicts."""

from logagent.codecs.array import ArrayCodec
from logagent.codecs.ndjson import NdjsonCodec
from logagent.config import Http
from logagent.config.outputs.http import Statuses
from logagent.core.chunk import Reply
from logagent.ends.http import codec, content_type

HOSTS = ("http://x",)


def test_bodies() -> None:
    """Each body has its codec and its type, which an option replaces."""
    lines = Http(hosts=HOSTS)
    array = Http(hosts=HOSTS, body="array", compression="none")
    assert isinstance(codec(lines), NdjsonCodec)
    assert isinstance(codec(array), ArrayCodec)
    assert codec(lines).pack([b"{}\n"]).gzipped
    assert codec(array).pack([b"{}\n"]).body == b"[\n{}\n]\n"
    assert (content_type(lines), content_type(array)) == (
        "application/x-ndjson",
        "application/json",
    )
    assert content_type(Http(hosts=HOSTS, content_type="a/b")) == "a/b"


def test_own_statuses() -> None:
    """Each list of statuses means what it is called; without any the table holds."""
    said = Statuses(
        delivered=(409,),
        rejected=(418,),
        halve=(430,),
        retry=("3xx",),
        credentials=(407,),
        hold=(503,),
    )
    mine, usual = codec(Http(hosts=HOSTS, statuses=said)), codec(Http(hosts=HOSTS))
    request = mine.pack([b"{}\n", b"{}\n"])

    def check(status: int, step: str, usually: str) -> None:
        steps = [each.judge(request, Reply(status, sent=True)).step for each in (mine, usual)]
        assert steps == [step, usually]

    check(409, "done", "hold")
    check(418, "done", "hold")
    check(430, "halve", "hold")
    check(302, "again", "hold")
    check(407, "credentials", "hold")
    check(503, "hold", "again")
    check(200, "done", "done")
