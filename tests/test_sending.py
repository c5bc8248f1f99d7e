"""What an output's options come to for its sending half."""

from __future__ import annotations

from logagent.config.outputs import Elasticsearch, File, Http, Kafka, Output
from logagent.ends import codec_of
from logagent.sending import LOCAL_RETRY_MAX_S, burier_of, ids_of, rules_of

HOSTS = ("http://127.0.0.1:1",)


def test_rules() -> None:
    """A server can refuse a row; a file takes all of them, sooner or later."""
    search = Elasticsearch(hosts=HOSTS, index="a", retry_max_s=7.0, on_reject="drop")
    assert rules_of(search) == (7.0, "drop")
    assert rules_of(File(path="/out")) == (LOCAL_RETRY_MAX_S, "block")


def test_who_can_send_letters() -> None:
    """An output of a kind that has a place for them, when one is given."""

    def check(output: Output, *, can: bool) -> None:
        codec = codec_of(output)
        burier = burier_of(output, codec)
        assert (id(burier) == id(codec)) is can
        assert can or burier is None

    check(Elasticsearch(hosts=HOSTS, index="a", dead_letter_index="dead"), can=True)
    check(Elasticsearch(hosts=HOSTS, index="a"), can=False)
    brokers = ("127.0.0.1:1",)
    check(Kafka(bootstrap_servers=brokers, topic="a", dead_letter_topic="dead"), can=True)
    check(Kafka(bootstrap_servers=brokers, topic="a"), can=False)
    check(File(path="/out"), can=False)


def test_who_can_tell_ids() -> None:
    """An id in the row needn't be looked for in the file."""
    search = ids_of(codec_of(Elasticsearch(hosts=HOSTS, index="a", ids=True)))
    assert search is not None
    assert search(b'{"create":{"_id":"x"}}\n{}\n') == b"x"
    assert ids_of(codec_of(File(path="/out"))) is None
    assert ids_of(codec_of(Http(hosts=HOSTS))) is None
