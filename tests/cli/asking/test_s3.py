"""`check --connect` says whether a bucket is there, and whether it is for this key."""

from __future__ import annotations

from pathlib import Path

import pytest

from logagent.cli.asking.s3 import ask
from logagent.config import S3, Aws
from tests.cli.asking.conftest import Serve
from tests.edge.signatures import ACCESS, SECRET, Seen, refusal

QUESTION = "/logs/?list-type=2&max-keys=1"
LISTED = b"<ListBucketResult></ListBucketResult>"


def output(folder: Path, url: str) -> S3:
    """An output with key files."""
    (folder / "access").write_text(ACCESS)
    (folder / "secret").write_text(SECRET)
    aws = Aws(
        region="eu-west-1",
        access_key_file=str(folder / "access"),
        secret_key_file=str(folder / "secret"),
    )
    return S3(bucket="logs", hosts=(url,), aws=aws)


@pytest.mark.parametrize(
    ("status", "code", "text", "good"),
    [
        (403, "AccessDenied", "reached; the key may not ask for the bucket", True),
        (403, "SignatureDoesNotMatch", "refuses key or region eu-west-1", False),
        (403, "InvalidAccessKeyId", "refuses key or region eu-west-1", False),
        (403, "RequestTimeTooSkewed", "the clocks of store and machine differ", False),
        (400, "AuthorizationHeaderMalformed", "refuses key or region eu-west-1", False),
        (404, "NoSuchBucket", "bucket logs is not there", False),
        (404, "", "answers 404, not what an S3 store does", False),
        (301, "PermanentRedirect", "redirects (301 PermanentRedirect); see aws.region", False),
        (503, "SlowDown", "answers 503 SlowDown", False),
        (200, "", "answers 200, not what an S3 store does", False),
    ],
)
def test_answers(
    serve: Serve,
    tmp_path: Path,
    *,
    status: int,
    code: str,
    text: str,
    good: bool,
) -> None:
    """Each answer says what it means for the output."""
    body = b"<Error><Code>%b</Code></Error>" % code.encode() if code else b"hello"
    server = serve({QUESTION: (status, body)})
    (finding,) = ask(output(tmp_path, server.url))
    assert (text in finding.text, finding.good) == (True, good), finding


def test_the_question_is_signed(serve: Serve, tmp_path: Path) -> None:
    """One object's name is asked for, signed as the output's own requests are."""
    server = serve({QUESTION: (200, LISTED)})
    (finding,) = ask(output(tmp_path, server.url))
    assert (finding.good, finding.text.endswith("bucket logs is there")) == (True, True)
    (asked,) = server.asked
    seen = Seen(asked.method, asked.path, asked.headers, asked.body)
    assert refusal(seen, region="eu-west-1", service="s3") == ""


def test_a_missing_key(tmp_path: Path) -> None:
    """A key file that isn't there is said, and nobody is asked."""
    asking = output(tmp_path, "http://127.0.0.1:1")
    (tmp_path / "secret").unlink()
    (finding,) = ask(asking)
    assert (finding.good, "secret: No such file" in finding.text) == (False, True)
