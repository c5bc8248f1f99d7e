"""The ends of an S3 output."""

import pytest

from logagent.config import S3, Aws
from logagent.ends.s3 import codec

AWS = Aws(region="eu-west-1")


def test_compression_is_in_the_name() -> None:
    """Whether bodies are compressed shows in the keys."""

    def suffix(output: S3) -> str:
        made = codec(output)
        return made.key(made.pack([b"x/\n{}\n"]), "d" * 64, 0).partition(".")[2]

    assert suffix(S3(bucket="logs", aws=AWS)) == "ndjson.gz"
    assert suffix(S3(bucket="logs", aws=AWS, compression="none")) == "ndjson"


def test_a_bad_key_is_named() -> None:
    """A key that the options let pass and S3 wouldn't is an error that names the option."""
    with pytest.raises(ValueError, match=r"^key 'a b/': such a name is not legal"):
        codec(S3(bucket="logs", aws=AWS, key="a b/"))
