"""The options of an HTTP endpoint."""

import pytest

from logagent.config import Auth, Http
from logagent.config.outputs.http import Statuses
from logagent.config.problems import BrokenRules

HOSTS = ("https://logs.example",)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"path": "insert"}, "start it with /"),
        ({"path": "/a b"}, "as %XX"),
        ({"path": "/a#b"}, "as %XX"),
        ({"path": "/ä"}, "as %XX"),
        ({"content_type": "json"}, "is not a media type"),
        ({"content_type": "a/b\r\nx: y"}, "is not a media type"),
        ({"auth": Auth(api_key_file="/k")}, "has an API key"),
        ({"hosts": ()}, "name a server"),
    ],
)
def test_nonsense_is_refused(options: dict[str, object], why: str) -> None:
    """What can't work says why."""
    with pytest.raises(BrokenRules, match=why):
        Http(**{"hosts": HOSTS, **options})  # type: ignore[arg-type]


def test_sense_is_taken() -> None:
    """A path with a query and a type with a parameter are fine."""
    output = Http(
        hosts=HOSTS,
        path="/insert/jsonline?_stream_fields=app,pod&_time_field=@timestamp",
        content_type="application/json; charset=utf-8",
        auth=Auth(token_file="/t"),
    )
    assert output.method == "POST"


def test_a_status_has_one_meaning() -> None:
    """A status in two lists is refused where it stands; a class beside one of its own is fine."""
    with pytest.raises(BrokenRules, match="409 is in delivered too") as caught:
        Statuses(delivered=(409,), retry=("4xx", 409))
    assert caught.value.rules[0].path == ("retry", 1)
    assert Statuses(delivered=(409,), retry=("4xx",)).retry == ("4xx",)


@pytest.mark.parametrize("status", ["abc", "6xx", 99, 600, "", "40x"])
def test_what_is_no_status(status: int | str) -> None:
    """What is no status is refused, with examples of what is."""
    with pytest.raises(BrokenRules, match="is not a status such as 409 or 5xx"):
        Statuses(retry=(status,))
