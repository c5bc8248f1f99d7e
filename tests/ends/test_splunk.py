"""A HEC output's options as its codec and its sink get them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Literal
from uuid import UUID

import pytest

from logagent.build import problems
from logagent.config import Auth, Config, Input, SplunkHec
from logagent.config.outputs.choosing import Choose
from logagent.core.chunk import Origin, Reply, Request
from logagent.core.metrics import Registry
from logagent.edge.fs import RealFs
from logagent.edge.log import StderrLog
from logagent.edges import Edges
from logagent.ends import codec_of
from logagent.ends.splunk import authorization, codec, request_channel, sink
from tests.edge.servers import Heard, Peer, serving

HOSTS = ("https://splunk.example:8088",)
REQUEST = Request(b"{}\n", 1, 3, gzipped=False)


async def here(call: object) -> None:
    """Nothing is offloaded by a sink."""
    raise AssertionError(call)


def edges(**env: str) -> Edges:
    """A world for a sink."""
    return Edges(
        fs=RealFs(),
        offload=here,
        clock=lambda: 0.0,
        random=Random(1),
        env=env,
        log=StderrLog(level="error", format="console"),
        metrics=Registry(),
    )


def test_the_envelope_is_the_options() -> None:
    """Each option in its member; a choice reaches the index."""
    output = SplunkHec(
        hosts=HOSTS,
        token_env="T",
        host="{node|bare}",
        source="{input}",
        sourcetype="log4j",
        index="app-{team}",
        choose={"team": Choose(field="team", allow=("a",), fallback="b")},
        fields={"cluster": "one"},
        ids=True,
    )
    frame = codec(output).frame(Origin("app", "/l/a.log", 1, {"input": "app"}))
    assert frame.head == (
        b'{"host":"bare","source":"app","sourcetype":"log4j","index":"\x02",'
        b'"fields":{"cluster":"one","logagent_id":"'
    )
    assert frame.middle == b'"},\x01"event":'


def test_a_name_that_is_not_known_is_a_problem_at_the_start() -> None:
    """One line that says which."""
    output = SplunkHec(hosts=HOSTS, token_env="T", index="app-{namespace}")
    config = Config(inputs={"app": Input(paths=("/l/*",))}, outputs={"hec": output})
    assert problems(config, {"POD_NAMESPACE": "shop"}, codec_of) == []
    (found,) = problems(config, {}, codec_of)
    assert "namespace" in found


def test_who_we_are(tmp_path: Path) -> None:
    """The token, read again each time; from a variable; or what `auth` says."""
    (tmp_path / "token").write_text("one\n")
    read = authorization(SplunkHec(hosts=HOSTS, token_file=str(tmp_path / "token")), edges())
    assert read is not None
    assert read() == "Splunk one"
    (tmp_path / "token").write_text("two\n")
    assert read() == "Splunk two"
    read = authorization(SplunkHec(hosts=HOSTS, token_env="T"), edges(T="three"))
    assert read is not None
    assert read() == "Splunk three"
    user = Auth(username="x", password_file="/p")
    assert authorization(SplunkHec(hosts=HOSTS, auth=user), edges()) is None


def test_channels_are_random_uuids() -> None:
    """In the form that a collector asks for."""
    assert UUID(request_channel((1 << 128) - 1)).version == 4
    assert request_channel(1) != request_channel(2)


@pytest.mark.parametrize("acks", ["auto", "never"])
def test_what_goes_over_the_wire(acks: Literal["auto", "never"]) -> None:
    """Paths, token, channel: the event's, and the question in the same channel."""
    heard: list[Heard] = []

    async def script(peer: Peer) -> None:
        while True:
            heard.append(await peer.hear())
            body = b'{"code":0,"ackId":0}' if len(heard) == 1 else b'{"acks":{"0":true}}'
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    async def scene() -> Reply:
        async with serving(script) as served:
            output = SplunkHec(
                hosts=(served.url + "/prefix/",), token_env="T", ack_poll_s=0.1, acks=acks
            )
            made = sink(output, edges(T="abc"), "out")
            reply = await made.send(REQUEST)
            await made.close()
            return reply

    assert asyncio.run(scene()).status == 200
    channel = heard[0].headers[b"x-splunk-request-channel"]
    assert UUID(channel.decode()).version == 4
    assert heard[0].start == b"POST /prefix/services/collector/event HTTP/1.1"
    assert heard[0].headers[b"authorization"] == b"Splunk abc"
    if acks == "auto":
        assert heard[1].start == (
            b"POST /prefix/services/collector/ack?channel=%b HTTP/1.1" % channel
        )
        assert (heard[1].body, heard[1].headers[b"authorization"]) == (
            b'{"acks":[0]}',
            b"Splunk abc",
        )
    assert len(heard) == (2 if acks == "auto" else 1)
