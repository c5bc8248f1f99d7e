"""Keys that matter are seen, however they are spelled."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.render.find import searcher
from logagent.render.metadata import OWNED
from logagent.render.watch import Node, Watch
from tests.render.lines import chunks, more, objects

KEYS = ["log", "log.file", "team", "time", "ts", "ключ"]
STARTS = [*OWNED, "team.", "log.file.path."]
PLAIN = Watch(KEYS[:-1], STARTS)
FOREIGN = Watch(KEYS, STARTS)


def look(watch: Watch, data: bytes) -> frozenset[str] | None:
    """Look at once."""
    return watch.look(data, searcher(data))


def matters(key: str) -> bool:
    """Say what the watch is for, in the plainest way."""
    return key in (*KEYS, *OWNED) or key.startswith(
        ("kubernetes.", "k8s.", "data_stream.", "logagent.", "team.", "log.file.path.")
    )


@pytest.mark.slow
@more(5)
@given(st.lists(objects, min_size=1, max_size=4))
def test_no_key_is_missed(lines: list[bytes]) -> None:
    """Each top-level key that matters is among those found, or it couldn't be told."""
    found = look(FOREIGN, b"\n".join(lines) + b"\n")
    if found is not None:
        keys = {key for line in lines for key in json.loads(line)}
        assert {key for key in keys if matters(key)} <= found


@given(chunks)
def test_any_bytes(data: bytes) -> None:
    """No bytes raise, and nothing is found that isn't watched for."""
    assert all(map(matters, look(FOREIGN, data) or ()))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"level":"info","message":"k8s"}', set()),
        (b'{"a":"kubernetes","b":["k8s.pod","logagent"],"c":"data_stream "}', set()),
        (b'{"a":"\\"kubernetes \\u003cb\\u003e \\u00e9"}', set()),
        (b'{"kubernetesx":1,"logagents":2,"k8sx":3}', set()),
        (b'{"kubernetes":1}', {"kubernetes"}),
        (b'{"a":{"kubernetes.io/x" : 1}}', {"kubernetes.io/x"}),
        (b'{"k8s.pod.name":1,"k8s.pod.uid":2}', {"k8s.pod.name", "k8s.pod.uid"}),
        (b'{"team":1}', {"team"}),
        (b'{"a":"team"}', {"team"}),
        (b'{"team.name":1}', {"team.name"}),
        (b'{"teams":1,"timestamp":2}', set()),
        (b'{"kubernetes', set()),
    ],
)
def test_finds(data: bytes, expected: set[str]) -> None:
    """Keys are told from values, exact keys from longer ones."""
    assert look(PLAIN, data) == frozenset(expected)


@pytest.mark.parametrize(
    "data",
    [
        b'{"\\u006bubernetes":1}',
        b'{"k8s\\u002epod":1}',
        b'{"k8s\\u002Epod":1}',
        b'{"k\\u0038s":1}',
        b'{"data\\u005fstream":1}',
        b'{"data\\u005Fstream":1}',
        b'{"lo\\u0067":1}',
        b'{"kubernetes.a\\"b":1}',
        b'{"a":"\\\\","kubernetes.a\\"b":1}',
        b"".join(b'{"k8s.%d":1}' % at for at in range(100)),
    ],
)
def test_cannot_tell(data: bytes) -> None:
    """A spelling that hides a letter is seen; so is what would be too much to look at."""
    assert look(PLAIN, data) is None


def test_other_letters_have_other_spellings() -> None:
    """With a key beyond ASCII any escape is one that can't be told."""
    assert look(FOREIGN, b'{"\\u043alyuch":1}') is None
    assert look(PLAIN, b'{"\\u043alyuch":1}') == frozenset()


@given(
    st.lists(st.text("ab.", min_size=1, max_size=4).map(str.encode), min_size=1, unique=True),
    st.lists(st.text("ab.", max_size=12).map(str.encode), min_size=1, max_size=3),
)
def test_the_tree_finds_all_needles(needles: list[bytes], texts: list[bytes]) -> None:
    """A tree finds exactly the needles that are there, also when it remembers earlier data."""
    tree = Node(needles)
    for text in texts:
        assert sorted(tree.find(searcher(text))) == sorted(each for each in needles if each in text)


def test_the_tree_searches_little() -> None:
    """What has nothing in common with the data costs one search for each first letter."""
    searched: list[bytes] = []

    def search(needle: bytes) -> bool:
        searched.append(needle)
        return needle in b'{"level":1}'

    tree = Watch(["log", "log.file", "team", "time"], OWNED).tree
    tree.find(search)
    tree.find(search)
    assert len(searched) <= 10
