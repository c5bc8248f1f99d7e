"""The options of a file: its name, and what it is renamed to."""

import pytest

from logagent.config import Config, File, Input
from logagent.config.outputs.local import ROTATE_BYTES_MIN
from logagent.config.problems import BrokenRules

SPOOL = "/spool/out.ndjson"


def test_rotated_names() -> None:
    """A file that is rotated has all its numbers; one that isn't has one name."""
    assert list(File(path=SPOOL).paths()) == [SPOOL]
    rotated = File(path=SPOOL, rotate_bytes=ROTATE_BYTES_MIN, keep=2)
    assert list(rotated.paths()) == [SPOOL, f"{SPOOL}.1", f"{SPOOL}.2"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"path": "spool"}, "is not absolute"),
        ({"path": "/spool/"}, "names a directory"),
        ({"path": SPOOL, "rotate_bytes": 1000}, "is less than"),
    ],
)
def test_nonsense_is_refused(options: dict[str, object], why: str) -> None:
    """What can't work says why."""
    with pytest.raises(BrokenRules, match=why):
        File(**options)  # type: ignore[arg-type]


def test_no_rotated_file_is_read() -> None:
    """An input that reads what the file is renamed to is refused, unless it is excluded."""

    def check(paths: str, exclude: tuple[str, ...] = ()) -> str:
        try:
            Config(
                inputs={"app": Input(paths=(paths,), exclude=exclude)},
                outputs={"f": File(path=SPOOL, rotate_bytes=ROTATE_BYTES_MIN, keep=2)},
            )
        except BrokenRules as error:
            return str(error)
        return ""

    assert check("/spool/*.ndjson").startswith("matches /spool/*.ndjson of the input app")
    assert check("/spool/*.ndjson.[0-9]").startswith(f"as rotated, {SPOOL}.1, matches")
    assert check("/spool/*.3") == ""
    assert check("/spool/*.ndjson*", ("*.ndjson", "*.ndjson.1")).startswith(
        f"as rotated, {SPOOL}.2, matches"
    )
    assert check("/spool/*.ndjson*", ("*.ndjson*",)) == ""


def test_files_of_two_outputs_are_apart() -> None:
    """A file that another one is renamed to is refused."""
    with pytest.raises(BrokenRules, match="is the file of the output a too"):
        Config(
            inputs={"app": Input(paths=("/logs/*.log",))},
            outputs={
                "a": File(path=SPOOL, rotate_bytes=ROTATE_BYTES_MIN),
                "b": File(path=f"{SPOOL}.1"),
            },
        )
