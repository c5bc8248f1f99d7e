"""Secrets: where they come from, how they become headers, and that errors don't tell them."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import pytest

from logagent.edge.secrets import (
    SECRET_BYTES_MAX,
    Secret,
    SecretError,
    api_key,
    basic,
    bearer,
    splunk,
)
from logagent.edge.secrets import read_secret as read

if TYPE_CHECKING:
    from pathlib import Path


def test_exactly_one_newline_goes(tmp_path: Path) -> None:
    """One newline at the end is an editor's; everything else belongs to the secret."""

    def check(content: bytes, expected: str) -> None:
        (tmp_path / "s").write_bytes(content)
        assert read(str(tmp_path / "s")) == expected

    check(b"key", "key")
    check(b"key\n", "key")
    check(b"key\r\n", "key")
    check(b"key\n\n", "key\n")
    check(b"key\n\r\n", "key\n")
    check(b" key \n", " key ")
    check("schlüssel".encode(), "schlüssel")


def test_bad_files_are_named_and_not_quoted(tmp_path: Path) -> None:
    """A missing, empty, huge or binary file, a directory and a FIFO are errors with the path."""
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "huge").write_bytes(b"x" * (SECRET_BYTES_MAX + 1))
    (tmp_path / "binary").write_bytes(b"secret\xff")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for name, why in (
        ("gone", "No such file"),
        ("empty", "empty"),
        ("huge", "more than"),
        ("binary", "UTF-8"),
        ("folder", "directory"),
        ("fifo", "empty"),
    ):
        with pytest.raises(SecretError, match=why) as caught:
            read(str(tmp_path / name))
        assert str(tmp_path / name) in str(caught.value)
        assert "xxx" not in str(caught.value)
        assert "secret\\xff" not in str(caught.value)


def test_secrets_are_read_anew(tmp_path: Path) -> None:
    """A file that was rotated gives its new content; a variable is taken from what is given."""
    path = tmp_path / "s"
    path.write_text("one\n")
    secret = Secret(path=str(path))
    assert secret.read() == "one"
    path.write_text("two\n")
    assert secret.read() == "two"
    assert "two" not in repr(secret)
    assert Secret(env="KEY", environ={"KEY": "three"}).read() == "three"
    for environ in ({}, {"KEY": ""}):
        with pytest.raises(SecretError, match=r"\$KEY"):
            Secret(env="KEY", environ=environ).read()


def test_authorizations() -> None:
    """API keys are encoded unless they are already; users and passwords as RFC 7617 says."""

    def secret(value: str) -> Secret:
        return Secret(env="S", environ={"S": value})

    encoded = base64.b64encode(b"id:key").decode()
    assert api_key(secret("id:key"))() == f"ApiKey {encoded}"
    assert api_key(secret(encoded))() == f"ApiKey {encoded}"
    assert bearer(secret("tok.en"))() == "Bearer tok.en"
    assert splunk(secret("tok.en"))() == "Splunk tok.en"
    expected = base64.b64encode("elastic:pä:ss".encode()).decode()
    assert basic("elastic", secret("pä:ss"))() == f"Basic {expected}"
    assert basic(secret("elastic"), secret("pä:ss"))() == f"Basic {expected}"


def test_what_cannot_be_sent_is_refused() -> None:
    """A line break or a space in a header's value, and a colon in a user's name, are errors that
    don't tell the value."""
    for value in ("abc\ndef", "abc ", "ab\x00c", "schlüssel"):
        with pytest.raises(SecretError) as caught:
            api_key(Secret(env="S", environ={"S": value}))()
        assert "abc" not in str(caught.value)
    with pytest.raises(SecretError, match="colon"):
        basic("a:b", Secret(env="S", environ={"S": "x"}))()
