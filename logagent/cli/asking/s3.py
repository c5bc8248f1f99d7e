"""What an S3 store says of a bucket: is it there, in this region, for this key.

Knows S3's error codes as answers to a listing. Must not write an object.

One object's name is asked for (ListObjectsV2), not HeadBucket: an answer to HEAD has no error code,
and without one a wrong key looks like a key that may only write.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from logagent.cli.asking import Finding
from logagent.cli.asking.client import Answer, Client
from logagent.codecs.s3 import detail_of, error_code
from logagent.config import S3
from logagent.ends.extras import need
from logagent.ends.overhttp import signer

_QUERY: Final = "/?list-type=2&max-keys=1"


def ask(output: S3) -> Iterator[Finding]:
    """What each host says."""
    assert output.aws is not None, "checked when loaded"
    try:
        need("aws", "botocore")
        client = Client(output, sign=signer(output.aws, "s3"))
        for url in output.endpoints():
            yield _finding(output, url, client.get(url + _QUERY))
    except (OSError, ValueError) as error:
        yield Finding(str(error), good=False)


def _finding(output: S3, url: str, answer: Answer) -> Finding:
    assert output.aws is not None
    code = error_code(answer.body)
    said = f"{answer.status} {detail_of(code, answer.body)}".rstrip()
    match answer.status, code:
        case 0, _:
            return Finding(f"{url}: {answer.why}", good=False)
        case 200, _ if b"ListBucketResult" in answer.body:
            return Finding(f"{url}: bucket {output.bucket} is there")
        case 403, "AccessDenied":
            # A key for writing alone may not list.
            return Finding(f"{url}: reached; the key may not ask for the bucket ({said})")
        case 403, "RequestTimeTooSkewed":
            return Finding(f"{url}: the clocks of store and machine differ ({said})", good=False)
        case ((400 | 401 | 403), _) if (
            code == "AuthorizationHeaderMalformed" or answer.status > 400
        ):
            where = f"region {output.aws.region}"
            return Finding(f"{url}: refuses key or {where} ({said}); see aws", good=False)
        case 404, "NoSuchBucket":
            return Finding(f"{url}: bucket {output.bucket} is not there", good=False)
        case status, _ if 300 <= status < 400:
            return Finding(f"{url}: redirects ({said}); see aws.region", good=False)
        case _:
            return Finding(f"{url}: answers {said}, not what an S3 store does", good=False)
