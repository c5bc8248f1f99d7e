"""Planted violations of the rules about text."""

from __future__ import annotations

import pytest

from tests.tidy.source import Source
from tests.tidy.words import check_docstrings, check_lock, check_test_docstrings, check_words

DOC = '"""Say."""\n'


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("logagent/x.py", "x = 1", 1),
        ("logagent/x.py", DOC, 0),
        ("logagent/__init__.py", "", 1),
        ("tests/x.py", "x = 1", 1),
        ("logagent/x.py", f"{DOC}def f():\n    pass", 1),
        ("logagent/x.py", f"{DOC}async def f():\n    {DOC}", 0),
        ("logagent/x.py", f"{DOC}def _f():\n    pass", 0),
        ("logagent/x.py", f"{DOC}class C:\n    def f(self):\n        pass", 1),
        ("logagent/x.py", f"{DOC}class _C:\n    def f(self):\n        pass", 0),
        ("logagent/x.py", f"{DOC}class C:\n    @f.setter\n    def f(self, x):\n        pass", 0),
        ("tests/x.py", f"{DOC}def f():\n    pass", 0),
    ],
)
def test_docstrings(path: str, text: str, expected: int) -> None:
    """Modules everywhere, and public functions and methods of the package, have docstrings."""
    assert len(list(check_docstrings(Source(path, text)))) == expected


def test_tests_say_what_they_prove() -> None:
    """A test without a docstring is found, also inside a class; a helper needs none here."""
    text = f"def test_a():\n    {DOC}\nclass TestX:\n    def test_b(self): ...\ndef helper(): ..."
    found = list(check_test_docstrings(Source("tests/test_x.py", text)))
    assert [each.what.split()[0] for each in found] == ["test_b"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("logagent/x.py", "x = 1  # TODO: more"),
        ("docs/x.md", "FIXME"),
        ("Makefile", "# XXX"),
        ("README.md", "see /work/main/README"),
        ("logagent/x.py", 'PATH = "/root/.cache"'),
        ("docs/x.md", "in /home/ann/src"),
        ("logagent/x.py", 'PATH = "/tmp/state"'),
        ("logagent/x.py", "# see issue 3"),
        ("docs/x.md", "as Issue #12 says"),
        ("logagent/x.py", "# from facts/tailing.md"),
        ("Makefile", "pip install --index-url x"),
        ("requirements/dev.in", "# from pypi.org"),
        (".ci/run", "curl https://repo1.maven.org/x"),
    ],
)
def test_words_are_found(path: str, line: str) -> None:
    """Markers, machine paths, registries and talk of work are found, with their line."""
    assert [each.line for each in check_words(Source(path, f"\n{line}\n"))] == [2]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("logagent/x.py", "# mktemp XXXXXX, a todo list, /var/lib/logagent/"),
        ("docs/x.md", "https://example.org/work/x and ./work/x and ~/work/x and $HOME/work/x"),
        ("tests/x.py", 'text = b"/tmp/app.log"'),
        ("docs/x.md", "logagent run --config /tmp/a.yaml"),
        ("docs/x.md", "an issue of 3 parts"),
        ("tests/e2e/pom.xml", "http://maven.apache.org/POM/4.0.0"),
    ],
)
def test_other_words_pass(path: str, line: str) -> None:
    """What only looks like a violation isn't one."""
    assert list(check_words(Source(path, line))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n", 0),
        ("# made by make lock\na[x]==1 ; python_version < '3.12' \\\n    --hash=sha256:00\n", 0),
        ("a==1\n", 1),
        ("a>=1 --hash=sha256:00\n", 1),
        ("a @ https://example.org/a.whl --hash=sha256:00\n", 1),
        ("--index-url https://example.org\n", 1),
    ],
)
def test_locks_pin_and_hash(text: str, expected: int) -> None:
    """Each entry of a lock has one version and its hashes, and no address."""
    assert len(list(check_lock(Source("requirements/dev.txt", text)))) == expected
    assert list(check_lock(Source("requirements/dev.in", text))) == []
