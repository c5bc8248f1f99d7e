"""Objects are rewritten without touching a value."""

from __future__ import annotations

from logagent.render.members import decode_all, decode_members, shadow, try_decode


def test_shadow() -> None:
    """Keys move under `shadowed`, beside what is there; values stay byte for byte."""

    def check(line: bytes, moved: tuple[str, ...], expected: bytes) -> None:
        assert shadow(decode_members(line), moved) == expected

    check(b'{"k8s":1e999,"a": [1, 2]}', ("k8s",), b'{"a":[1, 2],"shadowed":{"k8s":1e999}}')
    check(
        b'{"k8s":1,"shadowed":{"k8s":2,"b":3},"kubernetes":4}',
        ("k8s", "kubernetes"),
        b'{"shadowed":{"k8s":1,"b":3,"kubernetes":4}}',
    )
    check(b'{"k8s":1,"shadowed":5}', ("k8s",), b'{"shadowed":{"shadowed":5,"k8s":1}}')


def test_decode() -> None:
    """Only objects in UTF-8 are decoded, and many only if each line is one."""
    assert try_decode(b'{"a":1}\n') is not None
    for line in (b"1", b"[]", b"{", b'{"a":1}{}', b'{"a":"\xff"}', b"", b'{"a":' * 5000):
        assert try_decode(line) is None
    assert decode_all([b'{"a":1}\n', b"{}\n"]) is not None
    assert decode_all([b'{"a":1}{"b":2}\n']) is None
    assert decode_all([b'{"a":1}\n', b"x\n"]) is None
    assert decode_all([b'{"a":[\n', b'{"b":1}\n', b"]}\n"]) is None
