"""Signing beside the loop: each attempt of a sink, one look-up at a time, nobody waits in vain."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from logagent.core.chunk import Request
from logagent.edge.http import HttpSink
from logagent.edge.secrets import SecretError
from logagent.edge.sigv4 import Beside, Signer
from tests.edge.servers import Peer, serving
from tests.edge.signatures import Seen, refusal, write_keys


def test_a_sink_signs_each_attempt(tmp_path: Path) -> None:
    """Whoever checks takes what the HTTP sink sends, and refuses it unsigned."""
    refusals: list[str] = []

    async def script(peer: Peer) -> None:
        while True:
            start, headers, body = await peer.hear()
            method, target, _ = start.decode().split(" ")
            known = {name.decode(): value.decode() for name, value in headers.items()}
            refused = refusal(Seen(method, target, known, body), region="eu-west-1", service="s3")
            refusals.append(refused)
            status = b"403 Forbidden" if refused else b"200 OK"
            await peer.say(b"HTTP/1.1 %b\r\ncontent-length: 0\r\n\r\n" % status)

    async def main() -> None:
        async with serving(script) as served:
            signed = HttpSink(
                [served.url + "/bucket"],
                "/",
                headers={"content-type": "application/x-ndjson", "x-amz-storage-class": "GLACIER"},
                sign=Beside(Signer("eu-west-1", "s3", keys=write_keys(tmp_path))),
                method="PUT",
            )
            request = Request(b"\x1f\x8bbody", 1, 9, gzipped=True)
            statuses = [(await signed.send(request, "/a%3Db/c.gz")).status for _ in range(2)]
            (tmp_path / "secret").write_text("wrong")
            statuses.append((await signed.send(request)).status)
            (tmp_path / "secret").unlink()
            reply = await signed.send(request)
            assert (reply.status, reply.sent) == (0, False)
            assert reply.fault.startswith("secret: reading secret")
            await signed.refresh()
            await signed.close()
            unsigned = HttpSink([served.url], "/", headers={}, method="PUT")
            statuses.append((await unsigned.send(request)).status)
            await unsigned.close()
            assert statuses == [200, 200, 403, 403]

    asyncio.run(main())
    assert refusals == ["", "", "SignatureDoesNotMatch", "AccessDenied"]


def test_one_look_up_at_a_time() -> None:
    """Who gives up on a look-up leaves one thread behind, not one for each attempt; what that one
    raises in the end is nobody's fault."""
    go = threading.Event()
    calls: list[str] = []

    class Slow(Signer):
        """Knows its key when told so."""

        def __call__(
            self, method: str, url: str, body: bytes, headers: Mapping[str, str]
        ) -> dict[str, str]:
            calls.append(method)
            go.wait(10)
            if len(calls) == 1:
                raise SecretError("too late")
            return {"authorization": method}

    async def main() -> None:
        sign = Beside(Slow("eu-west-1", "s3"))
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await sign("PUT", "http://x/", b"", {})
        assert calls == ["PUT"]
        go.set()
        assert await sign("GET", "http://x/", b"", {}) == {"authorization": "GET"}

    asyncio.run(main())


def test_forgetting_waits_for_nobody(tmp_path: Path) -> None:
    """`forget` is called from the loop: it doesn't wait for a look-up that hangs, and what that one
    finds is looked for again."""
    go, looks = threading.Event(), threading.Semaphore(0)
    found = 0

    class Hanging(Signer):
        """Finds keys when told so."""

        def _look(self) -> object:
            nonlocal found
            found += 1
            looks.release()
            go.wait(10)
            return _Frozen(self._read(keys))

    keys = write_keys(tmp_path)
    signer = Hanging("eu-west-1", "s3")
    asking = threading.Thread(target=signer, args=("PUT", "http://x/", b"", {}))
    asking.start()
    assert looks.acquire(timeout=10)
    forgetting = threading.Thread(target=signer.forget)
    forgetting.start()
    forgetting.join(5)
    assert not forgetting.is_alive()
    go.set()
    asking.join(10)
    for _ in range(2):
        signer("PUT", "http://x/", b"", {})
    assert found == 2


class _Frozen:
    """What a look-up gives: keys of the moment when they are asked for."""

    def __init__(self, keys: object) -> None:
        self._keys = keys

    def get_frozen_credentials(self) -> object:
        """These."""
        return self._keys
