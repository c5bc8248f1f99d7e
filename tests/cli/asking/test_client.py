"""The client that asks: what it sends, what it makes of what can go wrong on the way."""

from __future__ import annotations

import socket
from threading import Thread

import pytest

from logagent.cli.asking.client import Answer, Client
from logagent.config import Auth, Http
from logagent.edge.secrets import SecretError
from tests.cli.asking.conftest import Serve


def test_the_options_headers_and_the_requests_own_are_sent(serve: Serve) -> None:
    """The output's headers in each request; a request's own beside them; a body with its method."""
    server = serve({"PUT /x": (201, b"made"), "/x": (200, b"there")})
    client = Client(Http(hosts=(server.url,), headers={"X-Scope-OrgID": "team-a"}))
    assert client.get(server.url + "/x") == Answer(200, b"there")
    put = client.send("PUT", server.url + "/x", b"{}", {"content-type": "application/json"})
    assert put == Answer(201, b"made")
    assert [(a.method, a.body) for a in server.asked] == [("GET", b""), ("PUT", b"{}")]
    assert {a.headers["x-scope-orgid"] for a in server.asked} == {"team-a"}
    assert server.asked[1].headers["content-type"] == "application/json"


def test_credentials_are_the_options_or_the_callers(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bearer token, a user, a value that the caller made; a secret that can't be had raises."""
    server = serve({"/": (200, b"")})
    monkeypatch.setenv("TOKEN", "abc")
    token = Http(hosts=(server.url,), auth=Auth(token_env="TOKEN"))
    user = Http(hosts=(server.url,), auth=Auth(username="u", password_env="TOKEN"))
    Client(token).get(server.url)
    Client(user).get(server.url)
    Client(token, "Splunk abc").get(server.url)
    Client(token, "").get(server.url)
    signer = Client(token, sign=lambda method, url, body, _: {"x-signed": f"{method}{url}{body!r}"})
    signer.send("POST", server.url + "/y", b"text")
    sent = [asked.headers.get("authorization") for asked in server.asked]
    assert sent == ["Bearer abc", "Basic dTphYmM=", "Splunk abc", None, None]
    assert server.asked[-1].headers["x-signed"] == f"POST{server.url}/yb'text'"

    def none(*_: object) -> dict[str, str]:
        raise SecretError("finding AWS credentials: none")

    unsigned = Client(token, sign=none).get(server.url)
    assert unsigned == Answer(0, why="finding AWS credentials: none")
    with pytest.raises(SecretError, match="ABSENT"):
        Client(Http(hosts=(server.url,), auth=Auth(token_env="ABSENT")))


def test_refusals_and_redirects_are_answers(serve: Serve) -> None:
    """A status and a body each; nothing is followed."""
    server = serve({"/no": (403, b"why"), "/away": (302, b""), "/elsewhere": (200, b"")})
    client = Client(Http(hosts=(server.url,)))
    assert client.get(server.url + "/no") == Answer(403, b"why")
    assert client.get(server.url + "/away").status == 302
    assert len(server.asked) == 2


def test_no_answer_is_told_in_words() -> None:
    """Nobody there, a server that hangs up or isn't HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = Client(Http(hosts=(url,)))

        def answer_badly() -> None:
            for reply in (b"", b"SSH-2.0-x\r\n"):
                peer, _ = listener.accept()
                with peer:
                    peer.recv(4096)
                    peer.sendall(reply)

        thread = Thread(target=answer_badly)
        thread.start()
        hung_up, strange = client.get(url), client.get(url)
        thread.join()
    assert hung_up.status == 0
    assert "without response" in hung_up.why
    assert strange.status == 0
    assert "SSH" in strange.why
    assert client.get(url) == Answer(0, why="Connection refused")
