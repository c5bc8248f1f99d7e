"""AWS's token service, as far as it gives credentials of a role. No tests in here.

Source: AWS Security Token Service API Reference, AssumeRole and AssumeRoleWithWebIdentity.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qsl

from tests.edge.signatures import ACCESS, SECRET
from tests.fakes.serving import Handler, serving

ANSWER: Final = f"""<{{0}}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<{{0}}Result><Credentials><AccessKeyId>{ACCESS}</AccessKeyId>
<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>of-the-role</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/x/y</Arn><AssumedRoleId>A:y</AssumedRoleId>
</AssumedRoleUser></{{0}}Result></{{0}}Response>"""
REFUSAL: Final = """<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>not authorized</Message></Error></ErrorResponse>"""


class Sts:
    """A running service: where, what it was asked, and whether it refuses."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.refuse = False


@contextmanager
def serving_sts() -> Iterator[Sts]:
    """A running service."""
    sts = Sts()

    class Answers(Handler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.body().decode()))
            sts.asked.append(form)
            answer = (REFUSAL if sts.refuse else ANSWER.format(form["Action"])).encode()
            self.send_response(403 if sts.refuse else 200)
            self.send_header("content-type", "text/xml")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with serving(Answers) as port:
        sts.url = f"http://127.0.0.1:{port}"
        yield sts
