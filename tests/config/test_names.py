"""Rules for single values."""

from __future__ import annotations

from base64 import b64encode

import pytest

from logagent.config import names


@pytest.mark.parametrize(
    "url",
    [
        "http://a",
        "https://a.b:9200",
        "https://[::1]:9200/",
        "http://10.0.0.1/prefix/x",
        "http://a_b",
    ],
)
def test_good_urls(url: str) -> None:
    """Host or address, port, path."""
    assert names.bad_url(url) == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "is empty"),
        ("es:9200", "needs a scheme: write https://es:9200"),
        ("ftp://es", "is not a URL"),
        ("https://u:p@es", "has credentials in it"),
        ("https://es/?x=1", "has a query or fragment"),
        ("https://es:0", "has the port 0"),
        ("https://es:65536", "has the port 65536"),
        ("https://e s", "is not a URL"),
    ],
)
def test_bad_urls(url: str, expected: str) -> None:
    """Each with what to change, and without the credentials in it."""
    assert names.bad_url(url).startswith(expected)
    assert "u:p" not in names.bad_url(url)


def test_addresses() -> None:
    """Host and port to listen on; brackets around an IPv6 address."""
    for good in ("0.0.0.0:9598", ":0", "[::]:65535", "localhost:1"):
        assert names.bad_address(good) == ""
    for bad in ("9598", "a:65536", "::1:9598", "a:b", "a b:1"):
        assert names.bad_address(bad)
    assert names.split_address("[::1]:80") == ("::1", 80)
    assert names.split_address(":0") == ("", 0)


@pytest.mark.parametrize("name", ["a", "app-%Y.%m.%d", "x%Hy", "a" * 255, "1_.-"])
def test_good_indices(name: str) -> None:
    """Names that the server takes, with dates."""
    assert names.bad_index(name) == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("App-%Y", "has capital letters; write app-%Y"),
        ("_a", "starts with"),
        ("a%j", "has a % that is none of"),
        ("..", "starts with"),
        ("a" * 256, "is longer than 255 bytes"),
        ("%Y" * 64, "is longer than 255 bytes"),
        ("a b", "has ' '; a name is made of"),
        ("a/b", "has '/'"),
        ("a\n", "has '\\n'"),
    ],
)
def test_bad_indices(name: str, expected: str) -> None:
    """Names that the server would refuse with each bulk request."""
    assert names.bad_index(name).startswith(expected)


def test_parts_of_data_streams() -> None:
    """A dataset has no dash; a namespace may."""
    assert names.bad_stream_part("a.b_c", dash=False) == ""
    assert names.bad_stream_part("a-b", dash=True) == ""
    for bad in ("", "a-b", "A", "_a", "a" * 101, "a b", "é/"):
        assert names.bad_stream_part(bad, dash=False)


def test_parts_to_fill_in_are_no_characters() -> None:
    """They become legal whatever they are."""
    assert names.bad_index("app-{Name}-%Y") == ""
    assert names.bad_index("{x}A") == "has capital letters; write {x}a"
    assert names.bad_stream_part("{a-b|C}", dash=False) == ""
    assert names.bad_stream_part("{a}-b", dash=False)


def test_cloud_ids() -> None:
    """Host, port and the deployment's id come out; anything else is refused."""

    def url(text: str) -> str:
        return names.cloud_host("prod:" + b64encode(text.encode()).decode())

    assert url("eu.example.com$abc$def") == "https://abc.eu.example.com:443"
    assert url("eu.example.com:9243$abc$") == "https://abc.eu.example.com:9243"
    assert url("eu.example.com:9243$abc:1234$") == "https://abc.eu.example.com:1234"
    for bad in (url("x"), url("$a"), url("a b$c"), names.cloud_host(""), names.cloud_host("a:ü")):
        assert bad == ""


def test_paths_and_variables() -> None:
    """Absolute paths without `..`; names that a shell could set."""
    assert names.bad_path("/a/b.c") == ""
    for bad in ("a", "", "/a/../b", "/..", "/a\0"):
        assert names.bad_path(bad)
    assert names.bad_env("A_1") == ""
    for bad in ("", "1A", "A-B", "$A"):
        assert names.bad_env(bad)
