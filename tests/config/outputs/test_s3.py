"""The options of S3: where buckets are, and what is refused."""

import pytest

from logagent.config import S3, Auth, Aws
from logagent.config.problems import BrokenRules

AWS = Aws(region="eu-central-1")


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://team-logs.s3.eu-central-1.amazonaws.com"),
        ({"addressing": "path"}, "https://s3.eu-central-1.amazonaws.com/team-logs"),
        ({"bucket": "a.b"}, "https://s3.eu-central-1.amazonaws.com/a.b"),
        (
            {"aws": Aws(region="cn-north-1")},
            "https://team-logs.s3.cn-north-1.amazonaws.com.cn",
        ),
        ({"hosts": ("http://minio:9000/",)}, "http://minio:9000/team-logs"),
        (
            {"hosts": ("https://store.example:9000",), "addressing": "virtual"},
            "https://team-logs.store.example:9000",
        ),
    ],
)
def test_where_a_bucket_is(options: dict[str, object], url: str) -> None:
    """AWS's buckets are hosts, except with dots in the name; others' are in the path."""
    given = {"bucket": "team-logs", "aws": AWS, **options}
    assert S3(**given).endpoints() == (url,)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"bucket": ""}, "name a bucket"),
        ({"bucket": "Team"}, "is not a bucket's name"),
        ({"bucket": "a..b"}, "is not a bucket's name"),
        ({"bucket": "10.0.0.1"}, "is not a bucket's name"),
        ({"aws": None}, "region"),
        ({"auth": Auth(token_file="/t")}, "under aws"),
        ({"key": "/x"}, "is not a key"),
        ({"key": ""}, "is not a key"),
        ({"key": "a//b"}, "empty part"),
        ({"key": "a/../b"}, "between slashes"),
        ({"key": "{team}/"}, "which is none of"),
        ({"headers": {"X-Amz-Date": "x"}}, "written by the agent"),
        ({"headers": {"content-type": "x"}}, "written by the agent"),
        ({"hosts": ("minio:9000",)}, "needs a scheme"),
    ],
)
def test_nonsense_is_refused(options: dict[str, object], why: str) -> None:
    """What can't work says why."""
    with pytest.raises(BrokenRules, match=why):
        S3(**{"bucket": "team-logs", "aws": AWS, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"region": ""}, "is not a name"),
        ({"region": "eu/central"}, "is not a name"),
        ({"service": "S3"}, "is not a name"),
        ({"access_key_file": "/a"}, "needs secret_key_file"),
        ({"secret_key_file": "/a"}, "needs access_key_file"),
        ({"session_token_file": "/a"}, "needs access_key_file"),
        (
            {"profile": "x", "access_key_file": "/a", "secret_key_file": "/b"},
            "besides access_key_file",
        ),
        ({"access_key_file": "a", "secret_key_file": "/b"}, "is not absolute"),
        ({"role_arn": "logs"}, "is not a role"),
    ],
)
def test_keys_belong_together(options: dict[str, str], why: str) -> None:
    """Half a key, two sources, or what is no role are refused."""
    with pytest.raises(BrokenRules, match=why):
        Aws(**{"region": "eu-central-1", **options})


def test_key_files_are_named() -> None:
    """The files of keys and certificates are among those that an output needs."""
    output = S3(
        bucket="team-logs",
        aws=Aws(region="r", access_key_file="/a", secret_key_file="/s", session_token_file="/t"),
    )
    named = [("access_key_file", "/a"), ("secret_key_file", "/s"), ("session_token_file", "/t")]
    assert [(needed.option[1], needed.path) for needed in output.files()] == named
    assert {needed.option[0] for needed in output.files()} == {"aws"}
